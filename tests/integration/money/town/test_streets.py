"""Ways through the town that random days seldom take, each to its end and its audit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib.payments.providers.port import RefundState
from tests.integration.money.town import audit
from tests.integration.money.town.bank import Bank
from tests.integration.money.town.town import Town


@pytest.fixture
def office() -> Iterator[Bank]:
    """Whatever a test does, everything is right when all of it is at its end."""
    town = Town()
    try:
        people = Bank(town)
        yield people
        audit.bring_to_an_end(town, people)
        audit.check_the_end(town, people)
    finally:
        town.close()


def pay_in_by_package(office: Bank) -> None:
    office.tops_up(0, None, None, "ok")
    office.pays(-1, "good")
    office.notifies(-1, "first", None)
    office.town.deliver()


def test_a_bonus_that_comes_back_with_a_refund_that_failed(office: Bank) -> None:
    pay_in_by_package(office)
    office.town.till.provider.refund_state = RefundState.FAILED
    assert office.pays_back(0, 500, None) == "done"
    office.town.deliver()


def test_a_refund_after_one_that_failed(office: Bank) -> None:
    pay_in_by_package(office)
    office.town.till.provider.refund_state = RefundState.FAILED
    assert office.pays_back(0, 500, None) == "done"
    office.town.deliver()
    office.town.till.provider.refund_state = RefundState.SUCCEEDED
    assert office.pays_back(0, None, None) == "done"


def test_a_refund_that_the_payers_bank_sends_back_later(office: Bank) -> None:
    pay_in_by_package(office)
    office.town.till.provider.refund_state = RefundState.PENDING
    assert office.pays_back(0, 999, None) == "done"
    office.town.deliver()
    office.night_falls(None)
    office.settles(None)
    office.refunds_end(RefundState.FAILED, None)
