"""The rules of double entry, without a store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel import ids
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money
from chalicelib.ledger import model
from chalicelib.ledger.model import Entry, Hold, Posting

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
WALLET = "wallet:drv_1:EUR"
SESSION = ids.derived_id("ses", NOW, "1")
HOLD = Hold(model.hold_id(WALLET, SESSION), WALLET, model.hold_account(SESSION), Money(500, "EUR"))


def entry(*postings: Posting, home: str = WALLET, currency: str = "EUR", **fields: object) -> Entry:
    usual = {"kind": "manual_entry", "occurred_at": NOW, "source_id": "org_1", "business_day": "2026-03-02"}
    values: dict[str, object] = {**usual, **fields}
    return Entry(
        entry_id="ent_1",
        home_account_id=home,
        currency=currency,
        postings=list(postings),
        **values,  # type: ignore[arg-type]
    )


GOOD = (Posting(WALLET, 5), Posting("cash:org_1:EUR", -5))


def test_an_entry_that_keeps_the_rules_is_returned() -> None:
    assert model.check_entry(entry(*GOOD)).home_amount == 5


@pytest.mark.parametrize(
    ("postings", "fields", "code"),
    [
        ((Posting(WALLET, 5), Posting("cash:org_1:EUR", -4)), {}, "ledger.unbalanced"),
        ((Posting(WALLET, 5),), {}, "ledger.entry_invalid"),
        ((), {}, "ledger.entry_invalid"),
        ((*GOOD, Posting("hold:ses_1", 0)), {}, "ledger.entry_invalid"),
        ((Posting(WALLET, 5), Posting(WALLET, -5)), {}, "ledger.entry_invalid"),
        ((Posting(WALLET, 10**15 + 1), Posting("cash:org_1:EUR", -(10**15) - 1)), {}, "ledger.entry_invalid"),
        ((Posting(WALLET, True), Posting("cash:org_1:EUR", -1)), {}, "ledger.entry_invalid"),
        ((Posting(WALLET, 5), Posting("cash:org_1:USD", -5)), {}, "ledger.entry_invalid"),
        (GOOD, {"currency": "USD"}, "ledger.entry_invalid"),
        (GOOD, {"currency": "eur"}, "currency.invalid"),
        ((Posting(WALLET, 5), Posting("wallet:drv_2:EUR", -5)), {}, "ledger.entry_invalid"),
        (GOOD, {"home": "cash:org_1:EUR"}, "ledger.entry_invalid"),
        (GOOD, {"business_day": None}, "ledger.entry_invalid"),
        ((Posting(WALLET, -5), Posting("income:org_1:EUR", 5)), {"business_day": None}, "ledger.entry_invalid"),
        ((Posting(WALLET, 5), Posting("pocket:org_1:EUR", -5)), {}, "ledger.account_invalid"),
        ((Posting(WALLET, 5), Posting("cash:org_1", -5)), {}, "ledger.account_invalid"),
        ((Posting(WALLET, 5), Posting("cash::EUR", -5)), {}, "ledger.account_invalid"),
    ],
)
def test_an_entry_that_breaks_a_rule_is_refused(
    postings: tuple[Posting, ...], fields: dict[str, str], code: str
) -> None:
    with pytest.raises(DomainError) as refused:
        model.check_entry(entry(*postings, **fields))
    assert refused.value.code == code


def test_the_period_is_the_income_or_cash_account_and_the_business_day() -> None:
    assert entry(*GOOD, business_day="2026-03-01").period == "cash:org_1:EUR#2026-03-01"
    assert entry(*GOOD, business_day=None).period is None
    top_up = (Posting(WALLET, 5), Posting("clearing:stripe:EUR", -5))
    assert entry(*top_up, business_day="2026-03-01").period is None


def test_deciding_again_derives_the_same_hold() -> None:
    assert model.hold_id(WALLET, SESSION) == HOLD.entry_id
    assert model.hold_id("wallet:drv_2:EUR", SESSION) != HOLD.entry_id
    assert ids.moment_of(HOLD.entry_id) == NOW


def test_a_hold_sorts_before_what_closes_it_even_if_the_clock_stood_still_or_went_back() -> None:
    assert model.closing_id(HOLD, NOW) > HOLD.entry_id
    assert model.closing_id(HOLD, NOW - timedelta(hours=1)) > HOLD.entry_id


@given(held=st.integers(1, 10**9), taken=st.integers(0, 2 * 10**9))
def test_closing_a_hold_empties_it_and_gives_the_rest_back(held: int, taken: int) -> None:
    hold = replace(HOLD, amount=Money(held, "EUR"))
    closing = model.close_hold_entry(
        hold,
        taken=Money(taken, "EUR"),
        to_account_id="income:org_1:EUR",
        source_id=SESSION,
        business_day="2026-03-02",
        now=NOW,
    )
    assert closing.amount_on(hold.account_id) == -held
    assert closing.amount_on("income:org_1:EUR") == taken
    assert closing.home_amount == held - taken
    assert closing.kind == ("refund" if taken <= held else "consumption")
    assert (closing.period is None) == (taken == 0)


def test_a_reversal_mirrors_the_original_and_names_it() -> None:
    reversal = model.reversal_of(entry(*GOOD), now=NOW, business_day="2026-03-05", note="typed wrong")
    assert [(p.account_id, p.amount) for p in reversal.postings] == [(WALLET, -5), ("cash:org_1:EUR", 5)]
    assert (reversal.kind, reversal.source_id, reversal.business_day) == ("reversal", "ent_1", "2026-03-05")
    assert reversal.entry_id != "ent_1"


def test_holds_and_what_is_reversed_already_are_not_reversed() -> None:
    held = model.place_hold_entry(HOLD, source_id=SESSION, expires_at=NOW, now=NOW)
    for original, code in (
        (held, "ledger.not_reversible"),
        (entry(*GOOD, reversed_by="ent_2"), "ledger.already_reversed"),
    ):
        with pytest.raises(DomainError) as refused:
            model.reversal_of(original, now=NOW)
        assert refused.value.code == code


def test_the_same_fact_may_be_told_at_another_time_but_not_with_another_amount() -> None:
    told = entry(*GOOD)
    assert model.same_fact(told, replace(told, occurred_at=NOW + timedelta(days=1), postings=list(reversed(GOOD))))
    assert not model.same_fact(told, replace(told, note="another reason"))
    assert not model.same_fact(told, entry(Posting(WALLET, 6), Posting("cash:org_1:EUR", -6)))


def test_the_business_day_is_that_of_the_zone() -> None:
    late = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    assert model.business_day(late, "Europe/Berlin") == "2026-03-02"
    assert model.business_day(late, "America/New_York") == "2026-03-01"
