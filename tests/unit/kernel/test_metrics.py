"""Figures are written where the deployment wants them, and nowhere else."""

from __future__ import annotations

import json

import pytest

from chalicelib.kernel import metrics
from chalicelib.kernel.context import Context, Settings


def test_a_figure_in_the_embedded_format(capsys: pytest.CaptureFixture[str]) -> None:
    metrics.record(Context(Settings(metrics="on")), "SessionEnded", 3, state="settled")
    written = json.loads(capsys.readouterr().out)
    assert written["SessionEnded"] == [3.0]
    assert written["state"] == "settled"
    assert written["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Wattfare"


def test_off_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    metrics.record(Context(Settings()), "SessionEnded")
    assert capsys.readouterr().out == ""
