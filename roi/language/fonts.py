"""Whether this machine has a font that a language needs in images."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

from roi.language.languages import ENGLISH, Language

_SECONDS = 20
NOTICES = {
    "zh": "The images show Chinese as boxes, as no font on this machine has it. Install one and make the report again:"
    " apt-get install fonts-noto-cjk, or fonts-wqy-zenhei",
}


def fonts_for(name: str) -> str | None:
    """Give the fonts that fontconfig has for a language, one a line; None where there is no fontconfig to ask."""
    program = shutil.which("fc-list")
    if program is None:
        return None
    try:
        asked = subprocess.check_output([program, f":lang={name}", "family"], text=True, timeout=_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return None
    return asked.strip()


def notice(language: Language, fonts: Callable[[str], str | None] = fonts_for) -> str:
    """Say what to install when images would show boxes; empty when there is a font, or nobody to ask, as on Windows."""
    lacking = language is not ENGLISH and fonts(language.name) == ""
    return NOTICES.get(language.name, "") if lacking else ""
