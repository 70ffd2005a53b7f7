"""The time that gateways say they had requests, over a run."""

from roi.views import quality
from tests.notebooks.written_run import WrittenCell, served


def cell(name, share, **columns):
    return WrittenCell(name, requests=served(1), columns={"gateway_duration_share": share, **columns})


def test_the_smallest_and_the_largest_share_are_told_of_the_cells_in_which_it_is_known(run):
    written = run(cell("a", 0.15), cell("b", 0.25), cell("c", None), WrittenCell("x", failure="The gateway died."))
    (row,) = quality.durations_table(written).to_dict("records")
    assert row == {
        "scenario": "steady", "variant": "go", "cells": 2, "in the gateway, at least": "15%",
        "in the gateway, at most": "25%", "connections busy": None,
    }  # fmt: skip
    assert quality.most_in_gateway(written) == {"value": 0.25, "unit": "share", "n": 2, "note": None}


def test_of_loads_that_lost_requests_no_share_is_told(run):
    said = quality.most_in_gateway(run(cell("a", None)))
    assert said == {"value": None, "unit": "share", "n": 0, "note": "in no load was every request answered"}
