"""Our runner and moto's interpreter, case by case: status, output, error, cause, the calls of
functions, and (but where branches race) the history.

Where they differ, `differences.py` says what AWS does and why moto does not; those cases hold ours to AWS.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.local.stepfunctions.language import validate
from tests.contract.stepfunctions import cases_choice, cases_data, cases_flow
from tests.contract.stepfunctions.cases import Case
from tests.contract.stepfunctions.differences import DIFFERENCES, UNTOLD
from tests.contract.stepfunctions.worlds import MotoWorld, OurWorld, Outcome, World

CASES = [*cases_data.CASES, *cases_choice.CASES, *cases_flow.CASES]


def _outcome(world: World, case: Case) -> Outcome:
    outcome = world.run(case.definition, case.payload, dict(case.functions))
    return replace(outcome, calls=tuple(sorted(outcome.calls))) if case.unordered else outcome


def test_case_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert DIFFERENCES.keys() <= {case.name for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_agrees(case: Case, ours: OurWorld, moto: MotoWorld) -> None:
    assert validate(case.definition) == []
    ran = _outcome(ours, case)
    theirs = _outcome(moto, case)
    difference = DIFFERENCES.get(case.name)
    if difference is None:
        assert ran == theirs
        assert case.unordered or case.name in UNTOLD or ours.events == moto.events
    else:
        assert (ran.status, ran.output, ran.error) == difference.aws, difference.why
        assert ran != theirs, "moto does it right now: take the difference off the list"
