"""JupyterLab, started so that it works on copies, listens on 127.0.0.1 alone and asks nobody elsewhere for anything."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

from roi.errors import LabNotStarted
from roi.lab import export, start_page
from roi.lab.contents import LabContents
from roi.lab.folder import STATE, copy_notebooks
from roi.report import catalog

ADDRESS = "127.0.0.1"

_SETTINGS = {
    # It asks whether it may fetch news otherwise.
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension:plugin": {"defaultViewers": {"markdown": "Markdown Preview"}},
}
"""JupyterLab's settings where the user has none of their own."""


def open_lab(folder: Path, port: int, browser: bool = True) -> NoReturn:
    """Put the notebooks into a folder and become JupyterLab on it, at the start page.

    Parameters
    ----------
    folder
        Where it works; made if need be.
    port
        On 127.0.0.1.
    browser
        Open it in the browser of this machine, where there is one.

    Raises
    ------
    LabNotStarted
        The port is taken, or the folder cannot be used.
    """
    _check_port(port)
    folder = folder.absolute()
    copy_notebooks(folder, start_page.notebooks(catalog.read()))
    start_page.write(folder)
    settings = folder / STATE / "settings"
    settings.mkdir(exist_ok=True)
    (settings / "overrides.json").write_text(json.dumps(_SETTINGS, indent=1) + "\n")
    # A terminal within it finds `roi` and `papermill`, also when they were started by their path.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", *_arguments(folder, settings, port, browser)])


def _check_port(port: int) -> None:
    """Refuse a port that is taken: JupyterLab would take another without a word, or fail with a traceback."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((ADDRESS, port))
        except OSError as error:
            raise LabNotStarted(
                f"Port {port} on {ADDRESS} cannot be had: {error.strerror}. Choose another with --port; `jupyter server list`"
                " shows a JupyterLab that was left running."
            ) from error


def _arguments(folder: Path, settings: Path, port: int, browser: bool) -> list[str]:
    """Give JupyterLab's options."""
    options = {
        "ServerApp.root_dir": folder, "ServerApp.ip": ADDRESS, "ServerApp.port": port, "ServerApp.port_retries": 0,
        "ServerApp.open_browser": browser, "ServerApp.allow_root": os.geteuid() == 0,
        "ServerApp.contents_manager_class": f"{LabContents.__module__}.{LabContents.__name__}",
        "LabApp.default_url": f"/lab/tree/{start_page.FILE}", "LabApp.app_settings_dir": settings,
        # The tabs of another folder would be restored into this one otherwise.
        "LabApp.workspaces_dir": folder / STATE / "workspaces",
        # It asks servers elsewhere for news, for newer versions of itself and for extensions, unless told not to.
        "LabApp.news_url": None, "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.extension_manager": "readonly",
        "HTMLExporter.extra_template_basedirs": export.TEMPLATES, "HTMLExporter.template_name": export.TEMPLATE,
        "HTMLExporter.preprocessors": f"{export.__name__}.{export.ChartsAsHtml.__name__}",
        "HTMLExporter.filters": f"clean_html={export.__name__}.{export.sanitised.__name__}",
        # Slides are made by an heir of that exporter, and have a template of their own.
        "SlidesExporter.template_name": "reveal",
    }  # fmt: skip
    return [f"--{name}={value}" for name, value in options.items()]
