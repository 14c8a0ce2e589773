"""Answers with a status per item: yes only if every item is, and each refused one is named."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.ocpp.v201.commands import judging


def variable(name: str, status: str, **more: Any) -> dict[str, Any]:
    return {"component": {"name": "Ctl"}, "variable": {"name": name}, "attributeStatus": status, **more}


@pytest.mark.parametrize("status", ["Accepted", "RebootRequired"])
def test_variables_that_were_set(status: str) -> None:
    assert judging.set_variables({"setVariableResult": [variable("A", "Accepted"), variable("B", status)]}) is None


def test_a_refused_variable_is_named_with_its_reason() -> None:
    info = {"reasonCode": "ReadOnly"}
    results = [
        variable("A", "Accepted"),
        variable("B", "Rejected", attributeStatusInfo=info),
        variable("C", "Rejected"),
    ]
    said = judging.set_variables({"setVariableResult": results})
    assert said == "2 of 3 refused: Ctl/B: Rejected (ReadOnly); Ctl/C: Rejected"


def test_many_refusals_are_cut_short() -> None:
    said = judging.set_variables({"setVariableResult": [variable(f"V{n}", "Rejected") for n in range(100)]})
    assert said is not None
    assert said.startswith("100 of 100 refused: Ctl/V0: Rejected")
    assert said.endswith("Ctl/V4: Rejected; and 95 more")


@pytest.mark.parametrize(("status", "said"), [("Accepted", None), ("Rejected", "1 of 1 refused: monitor 4: Rejected")])
def test_monitors_that_were_cleared_or_not(status: str, said: str | None) -> None:
    assert judging.clear_monitors({"clearMonitoringResult": [{"id": 4, "status": status}]}) == said


@pytest.mark.parametrize(("status", "said"), [("Accepted", None), ("NoTariff", "1 of 1 refused: tariff *: NoTariff")])
def test_all_tariffs_at_once(status: str, said: str | None) -> None:
    assert judging.clear_tariffs({"clearTariffsResult": [{"status": status}]}) == said
