"""What an executed notebook holds for the report: its charts and its findings, in order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import nbformat

from roi.charts.spec import MIMETYPE as CHART
from roi.charts.spec import ChartSpec
from roi.errors import ChartInvalid, FindingInvalid
from roi.report.findings import MIMETYPE as FINDING
from roi.report.findings import Finding


@dataclass(frozen=True)
class Collected:
    """Charts and findings of one executed notebook."""

    charts: dict[str, ChartSpec]
    """By id."""
    findings: tuple[Finding, ...]


def collect(path: Path) -> Collected:
    """Collect charts and findings from an executed notebook.

    Raises
    ------
    ChartInvalid, FindingInvalid
        Two different charts, or two findings, have the same id.
    """
    charts: dict[str, ChartSpec] = {}
    findings: dict[str, Finding] = {}
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if CHART in data:
                spec = ChartSpec.from_dict(data[CHART])
                if spec.id in charts and charts[spec.id].to_dict() != spec.to_dict():
                    raise ChartInvalid(f"Two different charts have the id {spec.id!r}: their files would be one.")
                charts[spec.id] = spec
            if FINDING in data:
                finding = Finding(**data[FINDING])
                first = findings.setdefault(finding.id, finding)
                # What the page had asked by then grows from one to the next.
                if replace(first, query_hash=None) != replace(finding, query_hash=None):
                    raise FindingInvalid(f"The finding {finding.id} is recorded twice, with different values.")
    return Collected(charts, tuple(findings.values()))
