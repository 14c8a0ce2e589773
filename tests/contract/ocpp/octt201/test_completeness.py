"""No case is left out: each id is played by a test of this folder, or has a reason why it is not."""

from __future__ import annotations

from tests.contract.ocpp.octt201.case_ids import ALL
from tests.contract.ocpp.octt201.coverage import played
from tests.contract.ocpp.octt201.not_driven import NOT_DRIVEN


def test_each_of_the_251_cases_is_played_once_or_excused() -> None:
    assert len(ALL) == len(set(ALL)) == 251
    ids = played(__file__)
    assert sorted(ids) == sorted(set(ids))
    assert set(ids) | set(NOT_DRIVEN) == set(ALL)
    assert not set(ids) & set(NOT_DRIVEN)


def test_reasons_are_told() -> None:
    assert all(len(reason) > 20 for reason in NOT_DRIVEN.values())
