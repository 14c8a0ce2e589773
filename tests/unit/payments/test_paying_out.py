"""Payouts and payees by themselves: states, repeats, silence, refusals, and what notifications say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.kernel.errors import DomainError, Kind, StaleRead
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.payments import service
from chalicelib.payments.model import PAYOUT_LIFECYCLE, Payout
from chalicelib.payments.providers.port import Payee, PayoutState, ProviderEvent, ProviderEventKind, ProviderRefused
from tests.integration.money.memory_provider import MemoryProvider
from tests.unit.payments.till import Till, euro
from tests.world import World

EVENTS = {
    ("requested", "pending"): "pending",
    ("requested", "paid"): "paid",
    ("requested", "failed"): "failed",
    ("pending", "paid"): "paid",
    ("pending", "failed"): "failed",
    ("paid", "failed"): "failed",
}


class Desk(Till):
    """A till with an organisation that can be paid."""

    def onboard(self, *, enabled: bool = True) -> str:
        organization = self.world.operator().organization
        account = self.world.commit(lambda uow: service.begin_payout_account(uow, organization))
        opened = self.world.commit(lambda uow: service.open_payout_account(uow, self.provider, account))
        if enabled:
            self.provider.enable(opened.payee_ref)
            self.world.commit(lambda uow: service.open_payout_account(uow, self.provider, opened))
        return str(organization.organization_id)

    def ask(self, organization_id: str, amount: int = 400, payout_id: str = "wdr_1") -> Payout:
        asked: Payout = self.world.commit(
            lambda uow: service.request_payout(
                uow, payout_id=payout_id, organization_id=organization_id, amount=euro(amount), description="Withdrawal"
            )
        )
        return asked

    def send(self, payout_id: str = "wdr_1") -> Payout:
        sent: Payout = self.world.commit(lambda uow: service.send_payout(uow, self.provider, payout_id))
        return sent

    def told(self) -> list[str]:
        return [event.type for event in self.world.run_events({}) if event.type.startswith("payout.")]


def word(desk: Desk, kind: ProviderEventKind, event_id: str = "evt_1", **names: Any) -> ProviderEvent:
    return ProviderEvent(
        id=event_id,
        kind=kind,
        provider_type="changed",
        provider_ref=None,
        payment_id=None,
        occurred_at=desk.world.ctx.now(),
        **names,
    )


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


@pytest.mark.parametrize("state", sorted(PAYOUT_LIFECYCLE.states))
@pytest.mark.parametrize("event", sorted(PAYOUT_LIFECYCLE.events))
def test_every_state_and_event(state: Any, event: str) -> None:
    assert PAYOUT_LIFECYCLE.transitions.get((state, event)) == EVENTS.get((state, event))


def test_asked_twice_it_is_one_payout(desk: Desk) -> None:
    organization_id = desk.onboard()
    asked = desk.ask(organization_id)
    assert desk.ask(organization_id) == asked
    with pytest.raises(DomainError, match="another one"):
        desk.ask(organization_id, 401)


def test_nobody_to_pay(desk: Desk) -> None:
    with pytest.raises(DomainError) as nobody:
        desk.ask("org_nobody")
    assert nobody.value.code == "payout.no_payee"
    with pytest.raises(DomainError) as not_ready:
        desk.ask(desk.onboard(enabled=False))
    assert not_ready.value.code == "payout.payee_not_ready"


def test_each_change_is_told_once(desk: Desk) -> None:
    desk.ask(desk.onboard())
    for _ in range(2):
        assert desk.send().state == "pending"
    assert desk.told() == []
    desk.provider.settle_payout("po_wdr_1", PayoutState.PAID)
    paid = word(desk, ProviderEventKind.PAYOUT_CHANGED, payout_id="wdr_1", payout_ref="po_wdr_1")
    assert [desk.take(paid), desk.take(paid), desk.take(replace(paid, id="evt_2"))] == [
        "applied",
        "repeated",
        "applied",
    ]
    assert desk.told() == ["payout.paid"]
    desk.provider.settle_payout("po_wdr_1", PayoutState.FAILED, "account_closed")
    assert desk.take(replace(paid, id="evt_3")) == "applied"
    assert desk.told() == ["payout.failed"]
    assert service.require_payout(desk.world.ctx, "wdr_1").failure == "account_closed"


def test_silence_leaves_it_to_the_job(desk: Desk) -> None:
    desk.ask(desk.onboard())
    desk.provider.payout_state = PayoutState.PAID
    with desk.silence("after"):
        desk.send()
    assert service.require_payout(desk.world.ctx, "wdr_1").state == "requested"
    assert desk.reconcile() == {}
    desk.world.advance(601)
    assert desk.reconcile() == {"payout_paid": 1}
    assert desk.told() == ["payout.paid"]
    assert len(desk.provider.payouts) == 1


def test_two_who_hear_it_at_once_tell_it_once(desk: Desk) -> None:
    desk.ask(desk.onboard())
    desk.provider.payout_state = PayoutState.PAID
    first, second = UnitOfWork(desk.world.ctx), UnitOfWork(desk.world.ctx)
    for uow in (first, second):
        service.send_payout(uow, desk.provider, "wdr_1")
    first.commit()
    with pytest.raises(StaleRead):
        second.commit()
    assert desk.told() == ["payout.paid"]


def test_one_silence_does_not_hold_up_the_others(desk: Desk) -> None:
    organization_id = desk.onboard()
    for number in (1, 2):
        desk.ask(organization_id, payout_id=f"wdr_{number}")
        desk.world.advance(1)
    desk.world.advance(601)
    desk.provider.breaks.append("before")
    assert desk.reconcile() == {"payout_unanswered": 1, "payout_pending": 1}


def test_a_clear_no_has_failed(desk: Desk) -> None:
    desk.ask(desk.onboard())
    desk.provider.refusal = "insufficient_funds"
    assert desk.send().failure == "insufficient_funds"
    assert desk.told() == ["payout.failed"]
    assert desk.reconcile() == {}


class WrongKey(MemoryProvider):
    def pay_out(self, request: Any) -> Any:
        raise ProviderRefused("api_key", "The key is wrong.", Kind.INTERNAL)


def test_a_fault_of_ours_is_no_no(desk: Desk) -> None:
    desk.ask(desk.onboard())
    desk.provider = WrongKey(desk.world.ctx.now)
    with pytest.raises(ProviderRefused):
        desk.send()
    assert service.require_payout(desk.world.ctx, "wdr_1").state == "requested"


def test_notifications_about_nothing_of_ours(desk: Desk) -> None:
    kind = ProviderEventKind.PAYOUT_CHANGED
    assert desk.take(word(desk, kind, payout_ref="po_x")) == "ignored"
    assert desk.take(word(desk, kind, payout_ref="po_x", payout_id="wdr_x")) == "ignored"
    assert desk.take(word(desk, ProviderEventKind.PAYEE_CHANGED, payee_ref="acct_x")) == "ignored"
    assert desk.take(word(desk, ProviderEventKind.PAYEE_CHANGED)) == "ignored"


def test_a_payee_that_has_finished(desk: Desk) -> None:
    organization_id = desk.onboard(enabled=False)
    account = service.find_payee_of(desk.world.ctx, organization_id)
    assert account is not None
    assert account.state == "incomplete"
    assert account.payee_ref is not None
    desk.provider.enable(account.payee_ref)
    assert desk.take(word(desk, ProviderEventKind.PAYEE_CHANGED, payee_ref=account.payee_ref)) == "applied"
    ready = service.find_payee_of(desk.world.ctx, organization_id)
    assert ready is not None
    assert ready.state == "ready"
    desk.provider.payees[account.payee_ref] = Payee(payee_ref=account.payee_ref, payouts_enabled=False)
    assert desk.take(word(desk, ProviderEventKind.PAYEE_CHANGED, "evt_2", payee_ref=account.payee_ref)) == "applied"
    with pytest.raises(DomainError, match="has to finish"):
        desk.ask(organization_id)


def test_an_account_needs_a_country(desk: Desk) -> None:
    organization = desk.world.operator(country=None).organization
    with pytest.raises(DomainError, match="no country"):
        desk.world.commit(lambda uow: service.begin_payout_account(uow, organization))
