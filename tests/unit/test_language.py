"""Reports in Chinese: messages with placeholders, texts, pages, charts and slides, and the catalogues that there are."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime

import pandas as pd
import pytest

from roi.charts.spec import ChartSpec
from roi.charts.text_width import fitted, width_pt, wrapped
from roi.errors import UnknownName
from roi.language import __main__ as command
from roi.language import fonts, memory, published
from roi.language.errors import CatalogueInvalid
from roi.language.languages import ENGLISH, Language, language
from roi.language.texts import Texts
from roi.report.contents import About
from roi.report.deck.slides import Charted, Opening, Tabled, Told
from roi.report.deck.story import Report


def made(messages: dict[str, str]) -> Language:
    faults: list[str] = []
    found = memory.remembered({"some.toml": messages}, faults)
    assert faults == []
    return Language("zh", Texts(found))


def faults(**files: dict[str, str]) -> list[str]:
    told: list[str] = []
    memory.remembered({f"{name}.toml": messages for name, messages in files.items()}, told)
    return told


# --- Messages ----------------------------------------------------------------------------------------------------------------


def test_placeholders_stand_where_the_translation_wants_them():
    zh = made({"{} of {} figures are contradicted": "{1} 个数字中有 {0} 个与实测不符"})
    assert zh.text("3 of 11 figures are contradicted") == "11 个数字中有 3 个与实测不符"
    assert zh.untranslated == ()


def test_a_doubled_brace_is_a_brace():
    zh = made({"the set {{{}}}": "集合 {{{0}}}", "{{}} is empty": "{{}} 为空"})
    assert zh.text("the set {7}") == "集合 {7}"
    assert zh.text("{} is empty") == "{} 为空"


def test_what_stands_in_a_placeholder_is_translated_itself():
    zh = made({"Ahead: {}.": "领先：{0}。", "saturation": "饱和", "tail of {}": "{0} 的尾部"})
    assert zh.text("Ahead: tail of saturation.") == "领先：饱和的尾部。"
    assert zh.text("Ahead: saturation, 7 and java25-zgc.") == "领先：饱和、7 和 java25-zgc。"


def test_a_list_of_one_message_is_a_list_and_not_one_message():
    zh = made({"{} s with {}": "{1} 用了 {0} s"})
    assert zh.text("1 s with go, 2 s with node and 3 s with rust") == "go 用了 1 s、node 用了 2 s 和 rust 用了 3 s"


def test_grammar_that_chinese_drops_may_be_there_or_not():
    zh = made({"{} of {} cell{-} {-} left out.": "{1} 个单元中有 {0} 个未计入。"})
    assert zh.text("2 of 9 cells are left out.") == "9 个单元中有 2 个未计入。"
    assert zh.text("1 of 1 cell is left out.") == "1 个单元中有 1 个未计入。"
    assert zh.text("1 of 1 cell 12 left out.") == "1 of 1 cell 12 left out."


def test_the_message_with_the_most_letters_wins():
    zh = made({"{} is high": "{0} 高", "The tail of {} is high": "{0} 的尾延迟高"})
    assert zh.text("The tail of go is high") == "go 的尾延迟高"


def test_a_placeholder_holds_the_end_of_a_sentence_only_where_nothing_else_fits():
    zh = made({"Source: {}.": "来源：{0}。", "{} is late.": "{0} 迟到。"})
    assert zh.text("Source: run 7. go is late.") == "来源：run 7。go 迟到。"
    assert made({"Begin {} end": "始 {0} 终"}).text("Begin 1. 2 end") == "始 1. 2 终"


def test_a_placeholder_does_not_take_one_bracket_of_a_pair():
    zh = made({"{} ({}) leads": "{0}（{1}）领先"})
    assert zh.text("go (3 (4)) leads") == "go（3 (4)）领先"


def test_a_message_is_found_whatever_the_size_of_its_first_letter_and_with_a_mark_at_its_end():
    zh = made({"saturation": "饱和", "{} requests": "{0} 个请求"})
    assert zh.text("Saturation") == "饱和"
    assert zh.text("Saturation:") == "饱和："
    assert zh.text("7 requests.") == "7 个请求。"


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("{} of {}", "{0} / {2}", "{2} in the value, and the key has 2 {}"),
        ("{} of {}", "{1}", "no {0} in the value"),
        ("{} of {", "{0}", "a single { in the key"),
        ("{} of", "{} 的", "a single { in the value"),
        ("{}{} of", "{0}{1} 的", "nothing between them"),
        ("of", " ", "neither may be empty"),
    ],
)
def test_a_message_that_cannot_be_meant_is_refused_with_its_file_and_key(key: str, value: str, why: str):
    (told,) = faults(money={key: value})
    assert told.startswith(f"money.toml: {key!r}")
    assert why in told


def test_two_files_with_two_translations_of_one_key_are_a_fault_and_with_the_same_are_none():
    assert faults(money={"share": "占比"}, pauses={"share": "占比"}) == []
    (told,) = faults(money={"share": "占比"}, pauses={"share": "份额"})
    assert told == "money.toml and pauses.toml translate 'share' in two ways: leave one of them."


def test_a_file_that_is_no_toml_or_not_flat_is_told_by_name(tmp_path):
    (tmp_path / "broken.toml").write_text('"a" = ')
    (tmp_path / "deep.toml").write_text('[table]\n"a" = "甲"\n')
    with pytest.raises(CatalogueInvalid, match=r"broken\.toml cannot be read(.|\n)*deep\.toml: 'table' must be a text"):
        memory.read(tmp_path)


# --- Texts -------------------------------------------------------------------------------------------------------------------


def test_a_paragraph_is_translated_sentence_by_sentence_without_spaces_between():
    zh = made({"{} is ready.": "{0} 已就绪。", "Who waits?": "谁在等待？"})
    assert zh.text("java17 is ready. Who waits? 3.5 is ready.") == "java17 已就绪。谁在等待？3.5 已就绪。"


def test_an_unknown_sentence_stays_english_and_is_noted_with_its_figures_masked():
    zh = made({"Who waits?": "谁在等待？"})
    assert zh.text("Who waits? Nobody in 1,250.5 s of java25-zgc. Who waits?") == (
        "谁在等待？Nobody in 1,250.5 s of java25-zgc. 谁在等待？"
    )
    zh.text("Nobody in 3 s of go-stock.")
    zh.text("Never.")
    assert zh.untranslated == ("Nobody in {} s of {}.", "Never.")


def test_parts_and_lists_are_translated_only_when_all_of_them_are_known():
    zh = made({"early": "早", "late": "晚", "times": "时间"})
    assert zh.text("times: early, late or 7; late") == "时间：早、晚或 7；晚"
    assert zh.text("late (early)") == "晚（早）"
    assert zh.text("go (0.7)") == "go（0.7）"
    assert zh.text("early, soon and late") == "early, soon and late"


def test_figures_and_names_need_no_translation():
    zh = made({"zgc": "zgc"})
    for text in (
        "1,200.5",
        "java25-zgc",
        "P99",
        "`bench prove load`",
        "findings.parquet",
        "2026-11-26 22:37 UTC",
        "zgc",
        "",
    ):
        assert zh.text(text) == text
    assert zh.untranslated == ()
    assert (
        made({"Machine: {}": "机器：{0}"}).text("Machine: Intel(R) Xeon(R) Platinum 8375C")
        == "机器：Intel(R) Xeon(R) Platinum 8375C"
    )
    zh.text("policy")
    assert zh.untranslated == ("policy",)


def test_emphasis_and_links_around_a_text_stay():
    zh = made({"late": "晚", "It was {}.": "它{0}。"})
    assert zh.text("It was **late**.") == "它**晚**。"
    assert zh.text("[late](page.html)") == "[晚](page.html)"


def test_what_is_in_the_language_already_stays():
    zh = made({"late": "晚"})
    assert zh.text("go 晚 late") == "go 晚 late"
    assert zh.untranslated == ()


def test_an_english_sentence_with_a_chinese_name_in_it_is_translated():
    zh = made({"{} pays back within {} years.": "{0} 在 {1} 年内回本。", "{} under {}": "{1} 下的 {0}"})
    assert zh.text("支付网关迁移 pays back within 5 years. 已知 pays.") == "支付网关迁移在 5 年内回本。已知 pays."
    assert zh.text("晚 under load") == "晚 under load"


# --- Pages -------------------------------------------------------------------------------------------------------------------

PAGE = """<!DOCTYPE html>

<html lang="en">
<head><title>The tail</title><style>p { content: "The tail" }</style>
<script src="a.js">var a = "The tail" < 3 && "<p>The tail</p>";</script></head>
<body class='The tail'><!-- The tail -->
<p>The tail
 of go &amp; node</p><img alt="The tail" src="x.png?a=1&amp;b"/><pre>The tail</pre>
<td data-x="The tail" >The tail</td><svg aria-label='The tail'><path d="M0 1"/></svg><code>The tail</code></body>
</html>
"""


def test_a_page_stays_byte_for_byte_outside_of_its_texts():
    zh = made({"The tail": "尾延迟", "The tail of {} & {}": "{0} 与 {1} 的尾延迟"})
    changes = {
        'lang="en"': 'lang="zh-CN"', "<title>The tail<": "<title>尾延迟<", 'alt="The tail"': 'alt="尾延迟"',
        "<p>The tail\n of go &amp; node<": "<p>go 与 node 的尾延迟<", ">The tail</td>": ">尾延迟</td>",
        "aria-label='The tail'": 'aria-label="尾延迟"',
    }  # fmt: skip
    expected = PAGE
    for english, chinese in changes.items():
        assert PAGE.count(english) == 1
        expected = expected.replace(english, chinese)
    assert zh.html(PAGE) == expected
    assert zh.untranslated == ()


def test_what_a_page_says_not_to_translate_stays():
    zh = made({"lead": "领先"})
    cell = '<th scope="col" translate="no">lead</th><td>{}</td>'
    assert zh.html(cell.format("lead")) == cell.format("领先")


def test_a_page_of_which_nothing_is_known_changes_in_its_language_alone():
    assert made({"x y": "某"}).html(PAGE) == PAGE.replace('lang="en"', 'lang="zh-CN"')


def test_marks_within_a_text_are_looked_up_as_markdown():
    zh = made({"See [the *data*]({}) of `{}`: **{}** of {}.": "见 `{1}` 的[*数据*]({0})：{3} 中的 **{2}**。"})
    page = '<p>See <a class="x" href="d.csv">the <em>data</em></a> of <code>a &lt; b</code>: <strong>3 ms</strong> of 9 &gt; 7.</p>'
    assert zh.html(page) == (
        '<p>见 <code>a &lt; b</code> 的<a class="x" href="d.csv"><em>数据</em></a>：9 &gt; 7 中的 <strong>3 ms</strong>。</p>'
    )


def test_a_text_within_one_mark_is_looked_up_without_it():
    zh, cell = made({"late": "晚", "why": "原因"}), "<td><a href='x'><b>{}</b></a><small>{}</small></td>"
    assert zh.html(cell.format("late", "why")) == cell.format("晚", "原因")


def test_a_text_beside_half_of_a_link_is_looked_up_alone():
    zh = made({"late": "晚", "why": "原因"})
    turn = '<a href="x"><small>{}</small>{}</a> <a href="y">{}</a>'
    assert zh.html(turn.format("why", "late", "late")) == turn.format("原因", "晚", "晚")


def test_what_a_translation_says_cannot_become_a_tag():
    assert made({"late": "<晚>"}).html("<p title='late'>late</p>") == '<p title="&lt;晚&gt;">&lt;晚&gt;</p>'


# --- Charts and slides -------------------------------------------------------------------------------------------------------


def bars() -> ChartSpec:
    rows = pd.DataFrame({
        "variant": ["go", "java at rest", "a cause", "one cause", "the end"], "cost": [1.25, 2.0, 3.0, 4.5, 5.0],
        "how": ["late", "late", None, "late", "soon"],
    })  # fmt: skip
    words = dict.fromkeys(("title", "alt", "subtitle", "footnote", "x_title", "y_title"), "late")
    spec = ChartSpec("costs", "bars", rows, "variant", "cost", beside=("how",), order=("the end", "go"), **words)
    return spec.with_reference(2.5, "late")


def test_a_chart_is_translated_in_its_words_and_in_none_of_its_numbers():
    zh = made({"late": "晚", "the end": "终点", "java at rest": "静止的 java", "a cause": "原因", "one cause": "原因"})
    spec, said = bars(), zh.chart(bars())
    assert [said.title, said.alt, said.subtitle, said.footnote, said.x_title, said.y_title] == ["晚"] * 6
    assert [(line.value, line.label) for line in said.references] == [(2.5, "晚")]
    assert list(said.data.columns) == list(spec.data.columns)
    assert list(said.data["cost"]) == [1.25, 2.0, 3.0, 4.5, 5.0]
    assert list(said.data["how"].fillna("")) == ["晚", "晚", "", "晚", "soon"]
    assert said.order == ("终点", "go")
    assert spec.title == "late"


def test_categories_stay_apart_and_keep_the_runtime_that_their_colour_hangs_on():
    zh = made({"the end": "终点", "java at rest": "静止的 java", "a cause": "原因", "one cause": "原因"})
    # "静止的 java" would lose java's colour, and the two causes would be one.
    assert list(zh.chart(bars()).data["variant"]) == ["go", "java at rest", "a cause", "one cause", "终点"]


def test_every_kind_of_slide_is_translated():
    zh = made({"late": "晚"})
    assert zh.slide(Opening("late", ("late", "7"), ("late",))) == Opening("晚", ("晚", "7"), ("晚",))
    assert zh.slide(Told("late", ("late",), "late")) == Told("晚", ("晚",), "晚")
    table = Tabled("late", ("late", "n"), (("late", "7"),), (0.5, 0.5), frozenset({1}), 12, "late")
    assert zh.slide(table) == Tabled("晚", ("晚", "n"), (("晚", "7"),), (0.5, 0.5), frozenset({1}), 12, "晚")
    assert zh.slide(Charted(bars(), "page-costs")).spec.title == "晚"


def test_slides_find_a_message_without_its_marks():
    zh = made({"It took **{}** in `{}`.": "在 `{1}` 中用了 **{0}**。"})
    assert zh.text("It took 3 s in go.") == "在 go 中用了 3 s。"


def test_a_language_taken_anew_has_noted_nothing():
    zh = made({"The tail": "尾延迟"})
    assert zh.text("The head") == "The head"
    assert (zh.untranslated, zh.anew().untranslated) == (("The head",), ())
    assert zh.anew().text("The tail") == "尾延迟"
    assert ENGLISH.anew() is ENGLISH


def test_english_gives_everything_back():
    spec, slide = bars(), Told("late", ())
    assert ENGLISH.text("late") == "late"
    assert ENGLISH.html(PAGE) is PAGE
    assert ENGLISH.chart(spec) is spec
    assert ENGLISH.slide(slide) is slide
    assert ENGLISH.untranslated == ()
    assert language("en") is ENGLISH


def test_an_unknown_language_is_refused_with_those_that_there_are():
    with pytest.raises(UnknownName, match=r"(?s)fr.*en.*zh"):
        language("fr")


def test_a_machine_without_a_chinese_font_says_what_to_install():
    zh = made({"late": "晚"})
    assert "fonts-noto-cjk" in fonts.notice(zh, lambda name: "")
    assert fonts.notice(zh, lambda name: "Noto Sans CJK SC") == ""
    assert fonts.notice(zh, lambda name: None) == ""
    assert fonts.notice(ENGLISH, lambda name: "") == ""


# --- A report that is there --------------------------------------------------------------------------------------------------


@pytest.fixture
def report(tmp_path, monkeypatch):
    """Give the folder of a report that has no page but its first."""
    empty = Report(About("r7", "a machine"), datetime(2026, 1, 2, tzinfo=UTC), (), {}, {}, ())
    monkeypatch.setattr(published, "published", lambda folder, catalogue: empty)
    (tmp_path / "index.html").write_text('<p>It was 3 "late"</p><p>late</p><p>2026</p>')
    return tmp_path


def test_what_is_not_translated_is_printed_by_page_as_lines_of_a_catalogue(report, monkeypatch, capsys):
    monkeypatch.setattr(command, "in_progress", lambda name: (made({"late": "晚"}), ["some.toml: a fault."]))
    command.main(report, ["index"])
    out, err = capsys.readouterr()
    assert out == '# index\n"It was {} \\"late\\"" = ""\n\n'
    assert tomllib.loads(out) == {'It was {} "late"': ""}
    assert err == "some.toml: a fault.\n"


def test_all_of_a_report_can_be_printed_with_what_it_is_in_the_language(report, monkeypatch, capsys):
    monkeypatch.setattr(command, "in_progress", lambda name: (made({"late": "晚", "Fit for": "适用于"}), []))
    command.main(report, said=True)
    assert capsys.readouterr().out == "# index\nlate\n→ 晚\n\n# deck\nFit for: not told\n→ 适用于：not told\n\n"


# --- Lines -------------------------------------------------------------------------------------------------------------------


def test_chinese_breaks_between_signs_and_no_line_begins_with_a_mark():
    four = width_pt("四个字宽", 10)
    assert wrapped("最慢的请求要多久", 10, four) == ["最慢的请", "求要多久"]
    # 请 goes down with its mark: a comma begins no line, and an opening bracket ends none.
    assert wrapped("最慢的请，求", 10, four) == ["最慢的", "请，求"]
    assert wrapped("最慢的（请求", 10, four) == ["最慢的", "（请求"]


def test_words_and_figures_within_chinese_stay_whole():
    within = width_pt("用了 38 µs，", 10)
    assert wrapped("用了 38 µs，在 java25-zgc 上", 10, within) == ["用了 38 µs，", "在", "java25-zgc", "上"]


def test_a_chinese_text_that_has_no_room_is_cut_with_an_ellipsis_that_has():
    cut = fitted("最慢的请求，要多久才有应答", (10,), width_pt("最慢的请求…", 10), 1)
    assert (cut.text, cut.lines) == ("最慢的请求…", 1)


# --- The catalogues ----------------------------------------------------------------------------------------------------------
