"""Corrections of billed sessions: a chain of sealed records that says what the ledger says."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.charging import lookup
from chalicelib.charging.model import Cdr
from chalicelib.charging.model.billing import (
    MAX_CORRECTIONS,
    REDUCTION,
    credit_of,
    lines_amounting_to,
    place_of,
    replacement_of,
    tax_in,
    valid_cdr,
)
from chalicelib.charging.service.correcting import reduce_cost
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money
from tests.site import Site
from tests.unit.charging.orders.episodes import Episode, euro, lost

BEGAN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
CDR = Cdr(
    cdr_id="cdr_01JD0000000000000000000000",
    session_id="ses_01JD0000000000000000000000",
    operator_id="org_1",
    charger_id="CP-1",
    evse_no=1,
    id_token="CARD",
    started_at=BEGAN,
    ended_at=BEGAN + timedelta(hours=1),
    energy_wh=2000,
    total_cost=euro(70),
    captured=euro(60),
    uncollected=euro(10),
    business_day="2026-03-02",
    lines=[],
    captured_tax=euro(9),
)


@pytest.fixture
def billed(site: Site) -> Episode:
    """A charge that ended as it should: 3.50 EUR for 10 kWh."""
    outcome = site.start(meter_wh=0)
    site.advance(30)
    site.stop(outcome.transaction_id, 10_000)
    [session] = site.sessions()
    return Episode(site, session.session_id, outcome.transaction_id)


def line(amount: int, vat: str | None = None) -> dict[str, Any]:
    return {"dimension": "ENERGY", "quantity": "1.5", "vat": vat, "amount": {"amount": amount, "currency": "EUR"}}


def test_what_takes_a_record_back_is_its_mirror_image() -> None:
    credit = credit_of(replace(CDR, lines=[line(70, "19")]), "2026-04-01")
    assert (credit.cdr_id, credit.credit_reference_id) == (f"{CDR.cdr_id}-C1", CDR.cdr_id)
    assert (credit.energy_wh, credit.total_cost, credit.captured) == (-2000, euro(-70), euro(-60))
    assert (credit.uncollected, credit.captured_tax, credit.business_day) == (euro(-10), euro(-9), "2026-04-01")
    assert (credit.lines[0]["amount"]["amount"], credit.lines[0]["quantity"]) == (-70, "-1.5")


def test_the_records_of_a_session_are_numbered_and_one_is_valid() -> None:
    chain, valid = [CDR], CDR
    for _ in range(MAX_CORRECTIONS):
        credit = credit_of(valid, "2026-03-03")
        valid = replacement_of(
            valid,
            "2026-03-03",
            energy_wh=1,
            cost=euro(1),
            captured=euro(1),
            captured_tax=euro(0),
            lines=[],
        )
        chain += [credit, valid]
    assert sorted(chain, key=lambda cdr: place_of(cdr.cdr_id)) == chain
    assert valid_cdr(reversed(chain)) == valid
    assert valid.cdr_id == f"{CDR.cdr_id}-{MAX_CORRECTIONS + 1}"
    with pytest.raises(DomainError, match="corrected_too_often"):
        credit_of(valid, "2026-03-03")


@given(
    metered=st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from([None, "0", "7", "19"])), max_size=5),
    costs=st.lists(st.integers(0, 50_000), min_size=1, max_size=3),
)
def test_lines_of_another_amount_always_sum_to_it_and_keep_what_was_metered(
    metered: list[tuple[int, str | None]], costs: list[int]
) -> None:
    first = lines = [line(amount, vat) for amount, vat in metered]
    lowered = sorted(costs, reverse=True)
    for cost in lowered:  # one correction after the other
        lines = lines_amounting_to(euro(cost), lines, "19")
    assert lines[: len(first)] == first
    by_vat: Counter[str | None] = Counter()
    for each in lines:
        by_vat[each["vat"]] += each["amount"]["amount"]
    assert sum(by_vat.values()) == lowered[-1]
    assert all(amount >= 0 for amount in by_vat.values())
    assert 0 <= tax_in(euro(lowered[-1]), lines).amount <= lowered[-1]
    assert sum(each["dimension"] == REDUCTION for each in lines) <= len(by_vat)


def test_a_correction_gives_back_to_who_paid(billed: Episode) -> None:
    correction = billed.correct(100)
    assert correction.moved == euro(-250)
    assert (billed.session.state, billed.session.cost, billed.site.available()) == ("settled", 100, 1900)
    assert billed.site.lines()[-1] == ("correction", 250)
    assert [cdr.is_credit for cdr in billed.cdrs] == [False, True, False]
    billed.check_books()


def test_several_corrections_make_one_chain(billed: Episode) -> None:
    for cost in (300, 200, 0):
        billed.correct(cost)
    assert [cdr.cdr_id.partition("-")[2] for cdr in billed.cdrs] == ["", "C1", "2", "C2", "3", "C3", "4"]
    assert billed.site.available() == 2000
    billed.check_books()


@pytest.mark.parametrize("cost", [350, 351, -1])
def test_a_correction_only_lowers(billed: Episode, cost: int) -> None:
    with pytest.raises(DomainError, match=r"correction\.not_lower"):
        billed.correct(cost)
    billed.check_books()


def test_a_correction_is_in_the_currency_of_the_session(billed: Episode) -> None:
    with pytest.raises(DomainError, match=r"correction\.currency"):
        billed.site.world.commit(
            lambda uow: reduce_cost(uow, billed.session, cost=Money(1, "NOK"), reason="x", by="usr_1")
        )


def test_less_is_asked_of_what_nobody_could_pay(site: Site) -> None:
    episode = lost(site, seen_wh=80_000)  # 28.00 of 20.00
    assert (episode.session.cost, episode.session.captured) == (2800, 2000)
    assert episode.correct(2500).moved == euro(0)
    assert episode.cdr.uncollected == euro(500)
    assert episode.correct(1500).moved == euro(-500)
    episode.check_books()


def test_what_was_never_delivered_has_nothing_to_correct(site: Site) -> None:
    session = site.request(500)
    episode = Episode(site, session.session_id, 0)
    with pytest.raises(DomainError, match="not_billed"):
        episode.correct(0)


def test_the_lists_of_the_day_show_all_records_and_sum_to_the_valid_one(billed: Episode) -> None:
    billed.correct(100)
    ctx, operator_id = billed.site.world.ctx, billed.session.operator_id
    page = lookup.list_cdrs(ctx, operator_id, ["2026-03-02"], limit=10, cursor=None)
    assert {cdr.cdr_id for cdr in page.data} == {cdr.cdr_id for cdr in billed.cdrs}
    totals = list(lookup.cdr_totals_of_day(ctx, operator_id, "2026-03-02"))
    assert sum(each.captured.amount for each in totals) == billed.site.income() == 100
    assert sum(each.energy_wh for each in totals) == 10_000
    assert [each.credit_reference_id is not None for each in totals].count(True) == 1


def test_a_correction_counts_on_the_day_on_which_it_is_made(billed: Episode) -> None:
    billed.site.advance_s(timedelta(days=2).total_seconds())
    billed.correct(100)
    assert [cdr.business_day for cdr in billed.cdrs] == ["2026-03-02", "2026-03-04", "2026-03-04"]
    assert billed.site.income() == -250
