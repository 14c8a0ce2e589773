"""The workflows: no arrow leads nowhere, every placeholder is filled, every function they call is deployed.

Neither CloudFormation nor its linters look into the files.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from infra.iam.functions import entry_points
from infra.local import template
from infra.local.stepfunctions.language import validate

FILES = sorted((template.INFRA / "state_machines").glob("*.asl.json"))
MACHINES = {
    name: resource["Properties"]
    for name, resource in template.load_template()["Resources"].items()
    if resource["Type"] == "AWS::Serverless::StateMachine"
}


def definition(path: Path) -> Any:
    return json.loads(path.read_text())


def test_every_file_is_deployed_and_every_workflow_has_its_file() -> None:
    assert sorted(machine["DefinitionUri"] for machine in MACHINES.values()) == [
        f"state_machines/{path.name}" for path in FILES
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_arrow_has_an_end_and_every_state_is_reached(path: Path) -> None:
    assert validate(definition(path)) == []


def _dangling_next(states: dict[str, Any]) -> None:
    states["AwaitStart"]["Next"] = "Nowhere"


def _dangling_default(states: dict[str, Any]) -> None:
    states["Entry"]["Default"] = "Nowhere"


def _dangling_catch(states: dict[str, Any]) -> None:
    states["Charging"]["Catch"][0]["Next"] = "Nowhere"


def _unreached(states: dict[str, Any]) -> None:
    states["Island"] = {"Type": "Succeed"}


@pytest.mark.parametrize("spoil", [_dangling_next, _dangling_default, _dangling_catch, _unreached])
def test_the_check_finds_what_it_looks_for(spoil: Callable[[dict[str, Any]], None]) -> None:
    spoiled = copy.deepcopy(definition(template.INFRA / "state_machines" / "session.asl.json"))
    spoil(spoiled["States"])
    assert validate(spoiled) != []


@pytest.mark.parametrize("name", sorted(MACHINES))
def test_placeholders_and_substitutions_are_the_same(name: str) -> None:
    text = (template.INFRA / MACHINES[name]["DefinitionUri"]).read_text()
    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(MACHINES[name]["DefinitionSubstitutions"])


@pytest.mark.parametrize("name", sorted(MACHINES))
def test_what_a_workflow_calls_is_deployed_and_allowed(name: str) -> None:
    called = {target["Fn::GetAtt"][0] for target in MACHINES[name]["DefinitionSubstitutions"].values()}
    assert called <= set(entry_points())
    role = MACHINES[name]["Role"]["Fn::GetAtt"][0]
    functions = template.load_template(template.INFRA / "stack" / "functions.yaml")["Resources"]
    [statement] = functions[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "lambda:InvokeFunction"
    assert {resource["Fn::GetAtt"][0] for resource in statement["Resource"]} == called


def _next_states(state: dict[str, Any]) -> set[str]:
    branches = [*state.get("Choices", []), *state.get("Catch", [])]
    named = [state.get("Next"), state.get("Default"), *(branch["Next"] for branch in branches)]
    return {name for name in named if name is not None}


@pytest.mark.parametrize(
    "way",
    [
        ["Entry", "Charging"],
        ["Entry", "AwaitStart", "Charging"],
        ["Entry", "AwaitStart", "Charging", "Stopping"],
        ["Entry", "AwaitStart", "Expire", "Charging"],
        ["Entry", "Charging", "Stopping", "Press", "IsOver", "Stopping"],
        ["Entry", "AwaitStart", "Charging", "Stopping", "AwaitBegin", "GiveUp"],
    ],
    ids=["by card", "by app", "stopped by us", "nobody came", "asked twice", "no begin"],
)
def test_no_meter_value_costs_a_transition_and_a_session_at_most_eight(way: list[str]) -> None:
    """Waiting on a task token costs one transition, however long. Only a charger that is asked to stop and does not
    answer costs more: three for each time that it is looked at again."""
    states = definition(template.INFRA / "state_machines" / "session.asl.json")["States"]
    assert not any(state["Type"] in ("Map", "Parallel", "Wait") for state in states.values())
    assert all(after in _next_states(states[before]) for before, after in pairwise(way))
    assert len(way) + 1 <= 8, "and the start of the execution"
