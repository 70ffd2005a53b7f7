"""The errors that `roi` tells its user: what happened, where, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.errors import no_such_name


class RoiError(Exception):
    """A sentence for the user; the command line prints it without a traceback and ends with exit code 1."""


class UnknownName(RoiError):
    """Something was asked for by a name that does not exist."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        super().__init__(no_such_name(kind, name, known))


class ChartInvalid(RoiError, ValueError):
    """A chart does not say what a chart must say."""


class ChromiumMissing(RoiError):
    """There is no Chromium to draw images with."""


class ImagesFailed(RoiError):
    """Chromium could not draw an image."""


class FindingInvalid(RoiError, ValueError):
    """A finding does not say what a finding must say."""


class BadParameters(RoiError):
    """A parameter of a notebook is unknown, of the wrong type, or out of its range."""


class UnlikeRuns(RoiError):
    """Two runs are not of one machine, or not under the same conditions."""

    def __init__(self, base: str, run: str, differences: Sequence[str]) -> None:
        super().__init__(
            f"{base} and {run} are no comparison: {'; '.join(differences)}. Measure both on one machine with one suite, or insist"
            " with --unlike; what they differ in is then said beside every figure."
        )


class CatalogInvalid(RoiError):
    """The catalogue of notebooks does not say what a catalogue must say."""


class ReportNotPublished(RoiError):
    """A report could not be put in its place."""


class InputsInvalid(RoiError, ValueError):
    """The inputs of a business case do not say what inputs must say; the message names every line that is wrong."""


class ClaimsInvalid(RoiError, ValueError):
    """A claims file does not say what a claims file must say; the message names every line that is wrong."""

    def __init__(self, where: str, faults: Sequence[tuple[int | None, str]]) -> None:
        said = "; ".join(f"line {line}: {what}" if line else what for line, what in faults)
        super().__init__(f"{where}: {said}.")


class ReportUnreadable(RoiError):
    """A folder holds no report, or one that cannot be checked."""


class RunChanged(RoiError):
    """The run of a report is not there any more, or its tables are not what its manifest says."""


class TemplateUnusable(RoiError):
    """A deck cannot be drawn on a template."""


class DeckNotWritten(RoiError):
    """The file of a deck could not be put in its place."""


class LabNotStarted(RoiError):
    """JupyterLab cannot be opened: its port is taken, or its folder cannot be used."""
