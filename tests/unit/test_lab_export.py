"""A notebook exported from JupyterLab: its charts are drawn, nothing is fetched, and nobody else's script is let through."""

import nbformat
import pandas as pd
import pytest
from nbconvert.exporters import HTMLExporter
from traitlets.config import Config

from roi.charts.spec import MIMETYPE, ChartSpec
from roi.lab import export
from roi.lab.server import _arguments


def chart(name):
    rows = pd.DataFrame({"variant": ["go", "rust"], "density": [9100.0, 11800.0]})
    return ChartSpec(name, "dots", rows, "variant", "density", title=f"The title of {name}", alt="Two dots.").to_dict()


def exported(*outputs, sanitised=True):
    """Give the HTML of a notebook with these outputs, as JupyterLab's server exports it."""
    config = Config()
    config.HTMLExporter.extra_template_basedirs = [str(export.TEMPLATES)]
    config.HTMLExporter.template_name = export.TEMPLATE
    config.HTMLExporter.preprocessors = [f"{export.__name__}.ChartsAsHtml"]
    config.HTMLExporter.filters = {"clean_html": f"{export.__name__}.sanitised"}
    cell = nbformat.v4.new_code_cell("look()", outputs=list(outputs))
    exporter = HTMLExporter(config=config)
    exporter.sanitize_html = sanitised
    return exporter.from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))[0]


def shown(data, **metadata):
    return nbformat.v4.new_output("display_data", data, metadata=metadata)


@pytest.mark.parametrize("sanitised", [True, False])
def test_charts_are_drawn_and_bring_one_plotly_along_whether_html_is_sanitised_or_not(sanitised):
    text = exported(*(shown({MIMETYPE: chart(name)}) for name in ("first", "second")), sanitised=sanitised)
    assert text.count("Plotly.newPlot(") == 2
    assert text.count("plotly.js v") == 1
    assert text.index("The title of first") < text.index("The title of second")


def test_nothing_is_fetched_from_elsewhere():
    text = exported(shown({MIMETYPE: chart("first")}))
    for fetches in ('src="http', 'src="//', "import(", 'rel="stylesheet" href='):
        assert fetches not in text.split("plotly.js v")[0], fetches
    assert '"showSendToCloud": false' in text


def test_paragraphs_and_tables_stay_and_scripts_go_when_html_is_sanitised():
    text = exported(shown({"text/html": "<table class='shown'><tr><th>n</th></tr></table><script>alert('x')</script>"}))
    assert '<table class="shown">' in text
    assert "<th>n</th>" in text
    assert "<script>alert" not in text


def test_a_notebook_from_elsewhere_cannot_pass_its_script_off_as_a_chart():
    text = exported(shown({"text/html": "<p>said</p><script>alert('x')</script>"}, roi_chart=True))
    assert "<p>said</p>" in text
    assert "<script>alert" not in text


def test_markup_in_a_chart_is_text():
    named = chart("first") | {"title": "</script><script>alert('x')</script>"}
    assert "<script>alert('x')" not in exported(shown({MIMETYPE: named}))


def test_a_chart_of_another_format_is_shown_as_its_text():
    old = shown({MIMETYPE: chart("first") | {"format_version": 99}, "text/plain": "The title of first\nTwo dots."})
    text = exported(old, sanitised=False)
    assert "Two dots." in text
    assert "Plotly.newPlot(" not in text


def test_the_server_exports_so_and_listens_here_alone(tmp_path):
    options = dict(option[2:].split("=", 1) for option in _arguments(tmp_path, tmp_path, 8888, False))
    assert options["HTMLExporter.template_name"] == "offline_notebook"
    assert options["HTMLExporter.preprocessors"] == "roi.lab.export.ChartsAsHtml"
    assert options["HTMLExporter.filters"] == "clean_html=roi.lab.export.sanitised"
    assert (options["ServerApp.ip"], options["ServerApp.port_retries"]) == ("127.0.0.1", "0")
    assert (options["LabApp.news_url"], options["LabApp.extension_manager"]) == ("None", "readonly")
