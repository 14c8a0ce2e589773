"""What of a day was given back, out of its CDRs: exactly what was counted when it was given."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.charging.model import CdrTotals
from chalicelib.charging.model.billing import correction_of
from chalicelib.kernel.money import Money
from chalicelib.settlement.model import rest_of, statement_of, sum_cdrs

DAY = "2026-03-02"
corrections = st.lists(st.integers(0, 1000), min_size=1, max_size=9)
"""What a session has cost, one after the other."""


def totals(cdr_id: str, captured: int, **fields: Any) -> CdrTotals:
    money, zero = Money(captured, "EUR"), Money(0, "EUR")
    return replace(CdrTotals(cdr_id, "ses_1", 1000, money, money, zero), **fields)


def cdrs_of(costs: list[int], session: str = "A", **fields: Any) -> list[CdrTotals]:
    """The chain of a session's CDRs, in the order of the index."""
    chain = [totals(f"cdr_{session}", costs[0], **fields)]
    for number, (before, after) in enumerate(pairwise(costs), start=1):
        reference = chain[-1].cdr_id if number == 1 else f"cdr_{session}-{number}"
        chain.append(totals(f"cdr_{session}-C{number}", -before, credit_reference_id=reference, **fields))
        chain.append(totals(f"cdr_{session}-{number + 1}", after, **fields))
    return sorted(chain, key=lambda cdr: cdr.cdr_id)


def given_back(cdrs: list[CdrTotals]) -> int:
    return sum(line.given_back for line in statement_of(sum_cdrs(cdrs), DAY))


def test_a_correction_is_one_that_takes_back_and_one_that_replaces() -> None:
    assert correction_of("cdr_A-C1") == correction_of("cdr_A-2") == "cdr_A-1"
    assert correction_of("cdr_A-C9") == correction_of("cdr_A-10") == "cdr_A-9"
    assert len({correction_of(cdr_id) for cdr_id in ("cdr_A-C1", "cdr_A-C2", "cdr_B-C1", "cdr_A-C10")}) == 4


@given(st.lists(corrections, min_size=1, max_size=4))
def test_what_lowered_a_bill_is_not_held_against_what_raised_another(sessions: list[list[int]]) -> None:
    cdrs = [cdr for number, costs in enumerate(sessions) for cdr in cdrs_of(costs, f"S{number}")]
    lowered = sum(max(before - after, 0) for costs in sessions for before, after in pairwise(costs))
    assert given_back(cdrs) == lowered


@given(corrections)
def test_of_what_enterprises_owe_nothing_of_the_platforms_goes_back(costs: list[int]) -> None:
    assert given_back(cdrs_of(costs, enterprise_id="epr_1")) == 0


@given(corrections, st.integers(0, 8))
def test_a_supplement_has_the_rest(costs: list[int], settled: int) -> None:
    """Corrections land whole, so a run sees them whole."""
    before = [each for each in cdrs_of(costs) if int(correction_of(each.cdr_id).partition("-")[2]) <= settled]
    whole, first = (statement_of(sum_cdrs(cdrs), DAY) for cdrs in (cdrs_of(costs), before))
    rest = rest_of(whole, first)
    assert sum(line.given_back for line in (*first, *rest)) == given_back(cdrs_of(costs))
