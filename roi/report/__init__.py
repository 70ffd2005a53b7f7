"""Notebooks to a report: parameters, findings, the runner, and the folder that is published."""
