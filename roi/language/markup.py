"""An HTML page in another language: outside of its texts it stays as it is, byte for byte.

A text with marks inside is looked up as Markdown: `<em>` is `*…*`, `<strong>` is `**…**`, `<code>` is a pair of backticks,
and `<a>` is `[…](address)`. So a paragraph of a notebook has one key, whether a page or a slide shows it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

Say = Callable[[str], str]

_TOKEN = re.compile(
    r"<!--.*?-->"
    r"|<(?P<left>script|style|pre|textarea)\b.*?</(?P=left)\s*>"
    r"|<(?P<kept>\w+)\b[^>]*\stranslate=\"no\"[^>]*>.*?</(?P=kept)\s*>"
    r"|<[/!?]?[a-zA-Z](?:[^<>\"']|\"[^\"]*\"|'[^']*')*>",
    re.DOTALL | re.IGNORECASE,
)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_ATTRIBUTE = re.compile(r"(\s(?:alt|aria-label|title|placeholder)=)(?:\"([^\"]*)\"|'([^']*)')")
_ADDRESS = re.compile(r"\shref=(?:\"([^\"]*)\"|'([^']*)')")
_MARKS = {"em": "*", "i": "*", "strong": "**", "b": "**", "code": "`"}
_INLINE = {*_MARKS, "a"}
_MARK_IN_TEXT = re.compile(r"[*`]|\]\(")
_MARKED = re.compile(r"`([^`]*)`|\*\*(.+?)\*\*|\*(.+?)\*|\[(.+?)\]\(([^)]*)\)")


def translated(page: str, say: Say, tag: str) -> str:
    """Give a page in another language.

    Parameters
    ----------
    page
        HTML.
    say
        Gives a text in the language, or as it is.
    tag
        Of the language, BCP 47: it takes the place of `en` in the page's `lang`.
    """
    out: list[str] = []
    run: list[str] = []
    for token in _tokens(page):
        if _is_inline(token):
            run.append(token)
        else:
            out += [_run(run, say), _outside(token, say, tag)]
            run = []
    return "".join([*out, _run(run, say)])


def _tokens(page: str) -> Iterator[str]:
    """Give texts and tags in turn; an element whose content is no text for readers is one token."""
    start = 0
    for found in _TOKEN.finditer(page):
        if found.start() > start:
            yield page[start : found.start()]
        yield found[0]
        start = found.end()
    if start < len(page):
        yield page[start:]


def _is_inline(token: str) -> bool:
    """Tell whether a token is text, or a tag that does not end a text."""
    return not _TOKEN.fullmatch(token) or _name(token) in _INLINE


def _name(token: str) -> str:
    found = _TAG.match(token)
    return found[2].lower() if found else ""


def _outside(token: str, say: Say, tag: str) -> str:
    """Give a tag with its attributes for readers translated; anything else as it is."""
    name = _name(token)
    if not name or name in ("script", "style", "pre", "textarea"):
        return token
    if name == "html":
        return token.replace('lang="en"', f'lang="{tag}"')
    return _ATTRIBUTE.sub(lambda found: _attribute(found, say), token)


def _attribute(found: re.Match, say: Say) -> str:
    text = html.unescape(found[2] if found[2] is not None else found[3])
    said = say(text)
    return found[0] if said == text else f'{found[1]}"{html.escape(said)}"'


def _run(run: list[str], say: Say) -> str:
    """Give a run of texts and inline tags."""
    start, end = _peeled(run)
    inner = run[start:end]
    said = _inner(inner, say) if inner else ""
    return "".join([*run[:start], said, *run[end:]])


def _peeled(run: Sequence[str]) -> tuple[int, int]:
    """Give the part of a run that is within the tags around all of it."""
    start, end = 0, len(run)
    while start < end:
        if not run[start].strip():
            start += 1
        elif not run[end - 1].strip():
            end -= 1
        elif _closing(run, start) == end - 1:
            start, end = start + 1, end - 1
        else:
            break
    return start, end


def _closing(run: Sequence[str], start: int) -> int | None:
    """Give the place of the tag that closes the one at a place; None for a text, a code or a tag that is not closed."""
    name = _name(run[start])
    if not name or name == "code" or run[start].startswith("</"):
        return None
    depth = 0
    for place in range(start, len(run)):
        if _name(run[place]) == name:
            depth += -1 if run[place].startswith("</") else 1
            if depth == 0:
                return place
    return None


def _inner(run: Sequence[str], say: Say) -> str:
    whole = "".join(run)
    if not any(map(_name, run)):
        text = html.unescape(whole)
        said = say(text)
        return whole if said == text else html.escape(said, quote=False)
    if not _paired(run) or any(_MARK_IN_TEXT.search(token) for token in run if not _name(token)):
        # Half of a link, or marks that would be taken for ours: each text is then one of its own.
        return "".join(token if _name(token) else _inner([token], say) for token in run)
    addresses = {_address(token): token for token in run if _name(token) == "a" and not token.startswith("</")}
    text = "".join(map(_marked, _openings(run), run))
    said = say(text)
    return whole if said == text else _unmarked(said, addresses)


def _paired(run: Sequence[str]) -> bool:
    """Tell whether every tag of a run is opened and closed in it."""
    opened: list[str] = []
    for token in filter(_name, run):
        if not token.startswith("</"):
            opened.append(_name(token))
        elif not opened or opened.pop() != _name(token):
            return False
    return not opened


def _openings(run: Sequence[str]) -> list[str]:
    """Give for each token of a run the tag that it closes, and else nothing."""
    opened, closed = [], []
    for token in run:
        if not _name(token):
            closed.append("")
        elif token.startswith("</"):
            closed.append(opened.pop() if opened else "")
        else:
            opened.append(token)
            closed.append("")
    return closed


def _marked(opening: str, token: str) -> str:
    """Give a token in Markdown."""
    name = _name(token)
    if not name:
        return html.unescape(token)
    if name != "a":
        return _MARKS[name]
    return f"]({_address(opening)})" if opening else "["


def _address(tag: str) -> str:
    found = _ADDRESS.search(tag)
    return html.unescape(found[1] or found[2] or "") if found else ""


def _unmarked(text: str, addresses: Mapping[str, str]) -> str:
    """Give Markdown as HTML; a link has the tag that it had."""
    out, start = [], 0
    for found in _MARKED.finditer(text):
        out += [html.escape(text[start : found.start()], quote=False), _element(found, addresses)]
        start = found.end()
    return "".join([*out, html.escape(text[start:], quote=False)])


def _element(found: re.Match, addresses: Mapping[str, str]) -> str:
    code, strong, emphasis, link, address = found.groups()
    if code is not None:
        return f"<code>{html.escape(code, quote=False)}</code>"
    if strong is not None:
        return f"<strong>{_unmarked(strong, addresses)}</strong>"
    if emphasis is not None:
        return f"<em>{_unmarked(emphasis, addresses)}</em>"
    opening = addresses.get(address) or f'<a href="{html.escape(address)}">'
    return f"{opening}{_unmarked(link, addresses)}</a>"
