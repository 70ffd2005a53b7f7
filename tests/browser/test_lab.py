"""JupyterLab as an analyst uses it, in a real browser: start page, one value changed, run, seen, exported; nobody else is asked."""

import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from urllib.parse import urlsplit

import pytest

from roi.report.catalog import NOTEBOOKS
from tests.notebooks.written_run import WrittenCell, served, write

ADDRESS, TOKEN = "127.0.0.1", "of-the-test"
SECONDS = 60
"""Longest that a server or a kernel may take to come up."""


def notebooks_digest():
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in NOTEBOOKS.iterdir() if path.is_file()}


def free_port():
    with socket.socket() as tried:
        tried.bind((ADDRESS, 0))
        return tried.getsockname()[1]


def lab_command(folder, port):
    return [sys.executable, "-m", "roi", "lab", "--folder", str(folder), "--port", str(port), "--no-browser"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Give an environment without the user's settings, and with two runs."""
    runs = tmp_path_factory.mktemp("runs")
    for name in ("spring", "autumn"):
        write(runs / name, [WrittenCell("c1", requests=served(1.0))], run=name)
    home = tmp_path_factory.mktemp("home")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    return kept | {"HOME": str(home), "BENCH_RUNS": str(runs), "JUPYTER_TOKEN": TOKEN}


@pytest.fixture(scope="module")
def lab(tmp_path_factory, environment):
    """Give the address of a JupyterLab that `roi lab` started, and its folder."""
    place, port = tmp_path_factory.mktemp("analyst"), free_port()
    with (place / "log").open("w") as log:
        server = subprocess.Popen(
            lab_command(place / "lab", port), env=environment, cwd=place, stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_for(f"http://{ADDRESS}:{port}/api/status?token={TOKEN}", server, place / "log")
        yield f"http://{ADDRESS}:{port}", place / "lab"
    finally:
        # At SIGTERM it ends its kernels, and then itself; whoever is left after that is in its session.
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def wait_for(url, server, log):
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text()}")


class Visit:
    """A browser within JupyterLab, with every address that it or its windows asked for, and every file that it got."""

    def __init__(self, browser, address):
        self.context = browser.new_context(viewport={"width": 1400, "height": 1000}, accept_downloads=True)
        self.context.set_default_timeout(SECONDS * 1000)
        self.asked, self.files = [], []
        self.context.on("request", lambda request: self.asked.append(request.url))
        self.context.on("page", self._watch)
        self.page = self.context.new_page()
        self.page.goto(f"{address}/?token={TOKEN}")

    def _watch(self, page):
        page.on("download", lambda file: self.files.append(file))
        page.on("websocket", lambda socket: self.asked.append(socket.url))

    def choose(self, menu, *items):
        """Choose from the menus."""
        self.page.locator(".lm-MenuBar-itemLabel", has_text=re.compile(f"^{menu}$")).click()
        for item in items[:-1]:
            self.page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{item}$")).hover()
        self.page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{items[-1]}$")).click()

    def cell_with(self, text):
        """Give the code cell of the notebook on top whose source has a text."""
        shown = self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        return shown.locator(".jp-CodeCell", has=self.page.locator(".cm-content", has_text=text))

    def write_line(self, line, instead):
        """Put a line of code in another's place."""
        self.page.locator(".cm-line", has_text=line).click()
        # JupyterLab moves the focus after the click; keys that come before it has go elsewhere.
        self.page.locator(".jp-mod-editMode .cm-focused .cm-line", has_text=line).wait_for()
        self.page.keyboard.press("Home")
        self.page.keyboard.press("Shift+End")
        self.page.keyboard.insert_text(instead)
        self.page.locator(".cm-line", has_text=re.compile(f"^{re.escape(instead)}$")).wait_for()

    def add_cell_below(self, cell, code):
        """Put a cell with some code below another, and run it."""
        cell.locator(".jp-InputPrompt").click()
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("b")
        self.page.keyboard.press("Enter")
        self.page.keyboard.insert_text(code)
        self.page.keyboard.press("Control+Enter")

    def wait_for_file(self):
        """Wait until a window has got a file; gives it."""
        end = time.monotonic() + SECONDS
        while not self.files and time.monotonic() < end:
            self.page.wait_for_timeout(100)
        assert self.files, "nothing was downloaded"
        return self.files[0]


@pytest.fixture(scope="module")
def visit(browser, lab):
    """Give a visit whose steps are the tests, in their order: each begins where the one before it ended."""
    visited = Visit(browser, lab[0])
    visited.before = notebooks_digest()
    yield visited
    visited.context.close()


def test_it_opens_on_a_rendered_page_that_lists_notebooks_and_runs(visit):
    page = visit.page.locator(".jp-RenderedMarkdown")
    page.locator("h1", has_text="Start here").wait_for()
    assert page.locator("tr", has_text="30_roi_factor").inner_text().split("\t") == [
        "30_roi_factor", "What is the ROI factor worth?", "CTO", "",
    ]  # fmt: skip
    assert page.locator("tr", has_text="autumn").inner_text().split("\t") == [
        "autumn", "2026-11-24", "Some CPU, 2 processors", "decision, synthetic data", "yes",
    ]  # fmt: skip


def test_it_asks_whether_to_fetch_news_from_nowhere(visit):
    assert visit.page.locator(".Toastify__toast").count() == 0


def test_a_link_opens_the_notebook_within_jupyterlab(visit):
    visit.page.locator(".jp-RenderedMarkdown a", has_text="30_roi_factor").click()
    visit.cell_with("weight_efficiency: float").wait_for()
    # Cells that are run before there is a kernel would wait for it; what is typed meanwhile may be redrawn.
    visit.page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
    assert len(visit.context.pages) == 1


def test_one_value_changed_and_run_gives_the_new_figure_and_its_chart(visit):
    # With all the weight on fix effort the factor is 4.2 h / 1.1 h = 3.818.
    visit.write_line("weight_efficiency: float = 0.7", "weight_efficiency: float = 1.0")
    visit.choose("Run", "Run All Cells")
    visit.page.locator(".jp-OutputArea-output strong", has_text=re.compile(r"^The factor is 3\.8182\.$")).wait_for()
    chart = visit.page.locator(".js-plotly-plot").first
    chart.scroll_into_view_if_needed()
    chart.locator(".gtitle").first.wait_for()
    assert chart.locator(".gtitle").first.text_content().startswith("The same inputs give")
    assert chart.locator(".scatterlayer .trace").count() == 4


def test_a_chart_stays_readable_in_the_dark_theme(visit):
    visit.choose("Settings", "Theme", "JupyterLab Dark")
    visit.page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")
    chart = visit.page.locator(".js-plotly-plot").first
    ground = chart.locator(".main-svg").first.evaluate("drawing => getComputedStyle(drawing).backgroundColor")
    ink = chart.locator(".gtitle").first.evaluate("title => getComputedStyle(title).fill")
    # Dark ink on the chart's own light ground, whatever is around it.
    assert (ground, ink) == ("rgb(255, 255, 255)", "rgb(22, 32, 42)")


def test_a_run_is_chosen_from_a_list_and_taken_by_the_cells_below(visit):
    visit.add_cell_below(
        visit.cell_with("weight_efficiency: float"), "from roi.choose import run_chooser\n\nrun_chooser()"
    )
    chooser = visit.page.locator(".widget-dropdown select")
    chooser.wait_for()
    options = chooser.locator("option").all_inner_texts()
    assert [option.split(",")[0] for option in options if option] == ["reference", "spring", "autumn"]
    chooser.select_option(label=options[-1])
    visit.page.locator(".widget-html-content", has_text='run is now "autumn"').wait_for()
    visit.add_cell_below(visit.cell_with("run_chooser()"), "print('about', run)")
    visit.page.locator(".jp-OutputArea-output", has_text="about autumn").wait_for()


def test_the_export_opens_anywhere_with_its_charts_and_without_a_network(visit, browser, tmp_path):
    visit.choose("File", "Save and Export Notebook As", "HTML")
    visit.page.locator(".jp-Dialog button", has_text=re.compile("^Ok$")).click()
    file = tmp_path / "exported.html"
    visit.wait_for_file().save_as(file)
    opened, asked = browser.new_page(), []
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(file.as_uri())
    opened.locator(".js-plotly-plot .main-svg").first.wait_for()
    assert opened.locator(".js-plotly-plot").count() == 3
    assert opened.locator("h2", has_text="The weight decides").count() == 1
    assert "The factor is 3.8182." in opened.locator("body").inner_text()
    assert asked == [file.as_uri()]
    opened.close()


def test_what_was_saved_is_a_copy_and_the_suites_notebooks_are_as_they_were(visit, lab):
    assert "weight_efficiency: float = 1.0" in (lab[1] / "30_roi_factor.ipynb").read_text()
    assert notebooks_digest() == visit.before


def test_the_start_page_says_what_was_saved_when_it_is_opened_again(visit, lab):
    visit.page.goto(f"{lab[0]}/lab/tree/start.md")
    visit.page.locator(".jp-RenderedMarkdown tr", has_text="30_roi_factor").locator("text=saved by you").wait_for()


def test_nobody_but_this_machine_was_asked_for_anything(visit, lab):
    hosts = {urlsplit(url).netloc for url in visit.asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {urlsplit(lab[0]).netloc}
    assert any(url.startswith("ws:") for url in visit.asked)


def test_a_port_that_is_taken_gives_a_sentence(environment, tmp_path):
    with socket.socket() as holder:
        holder.bind((ADDRESS, 0))
        holder.listen()
        port = holder.getsockname()[1]
        done = subprocess.run(
            lab_command(tmp_path / "lab", port), env=environment, capture_output=True, text=True, timeout=SECONDS
        )
    assert done.returncode == 1
    said = " ".join(done.stderr.split())
    assert f"Port {port} on {ADDRESS} cannot be had: Address already in use. Choose another with --port" in said
    assert "Traceback" not in said
    assert not (tmp_path / "lab").exists()
