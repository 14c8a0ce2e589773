"""Notifications of all kinds: about ours and others', known and unknown, once or over and over."""

from __future__ import annotations

import logging

import pytest

from chalicelib.kernel.errors import Kind
from chalicelib.payments.providers.port import ProviderEvent, ProviderEventKind, ProviderRefused
from tests.integration.money.memory_provider import MemoryProvider
from tests.unit.payments.till import Till, page
from tests.world import World


@pytest.fixture
def till(world: World) -> Till:
    return Till(world)


def event(till: Till, kind: ProviderEventKind, **names: str | None) -> ProviderEvent:
    values: dict[str, str | None] = {"provider_ref": None, "payment_id": None, **names}
    return ProviderEvent(
        id="evt_1", kind=kind, provider_type=f"page.{kind.value}", occurred_at=till.world.ctx.now(), **values
    )


CHECKOUT_KINDS = [
    ProviderEventKind.CHECKOUT_PAID,
    ProviderEventKind.CHECKOUT_PENDING,
    ProviderEventKind.CHECKOUT_FAILED,
    ProviderEventKind.CHECKOUT_EXPIRED,
    ProviderEventKind.CHECKOUT_AUTHORIZED,
    ProviderEventKind.AUTHORIZATION_RELEASED,
    ProviderEventKind.ATTEMPT_FAILED,
]


@pytest.mark.parametrize("kind", CHECKOUT_KINDS)
def test_whatever_it_claims_the_provider_is_asked(till: Till, kind: ProviderEventKind) -> None:
    payment = till.open()
    assert till.notify(payment, "evt_1", kind) == "applied"
    assert till.stored(payment) == payment
    till.provider.authorize(page(payment))
    assert till.notify(payment, "evt_2", kind) == "applied"
    assert till.stored(payment).state == "authorized"


def test_one_that_names_only_the_attempt_finds_its_payment(till: Till) -> None:
    payment = till.open()
    till.provider.authorize(page(payment))
    told = event(till, ProviderEventKind.AUTHORIZATION_RELEASED, payment_ref=f"intent_{page(payment)}")
    assert till.take(told) == "applied"
    assert till.stored(payment).state == "authorized"


def test_notifications_out_of_order_end_where_the_provider_is(till: Till) -> None:
    payment = till.authorized()
    till.ask_capture(payment, 1234)
    till.run_events()
    assert till.notify(payment, "evt_late", ProviderEventKind.CHECKOUT_AUTHORIZED) == "applied"
    assert till.notify(payment, "evt_later", ProviderEventKind.AUTHORIZATION_RELEASED) == "applied"
    assert till.stored(payment).state == "captured"
    assert till.run_events() == []


@pytest.mark.parametrize("kind", ProviderEventKind)
def test_what_names_nothing_of_ours_is_acknowledged(till: Till, kind: ProviderEventKind) -> None:
    assert till.take(event(till, kind, payment_id="pay_x", refund_id="ref_x", refund_ref="re_x")) == "ignored"
    assert till.take(event(till, kind)) == "ignored"
    assert till.run_events() == []


class Stranger(MemoryProvider):
    """Knows no attempt of that name, or does not let us ask."""

    kind = Kind.UNPROCESSABLE

    def find_payment_id(self, payment_ref: str) -> str | None:
        raise ProviderRefused("resource_missing", "There is no such attempt.", self.kind)


def test_an_attempt_that_the_provider_does_not_know_is_none_of_ours(till: Till) -> None:
    till.provider = stranger = Stranger(**vars(till.provider))
    told = event(till, ProviderEventKind.ATTEMPT_FAILED, payment_ref="intent_x")
    assert till.take(told) == "ignored"
    stranger.kind = Kind.INTERNAL
    with pytest.raises(ProviderRefused):  # it will be sent again
        till.take(told)


def test_a_dispute_wakes_somebody_once(till: Till, caplog: pytest.LogCaptureFixture) -> None:
    payment = till.captured()
    dispute = till.provider.word_of_dispute(till.provider.dispute(page(payment)), "evt_1")
    assert (till.take(dispute), till.take(dispute)) == ("applied", "repeated")
    with caplog.at_level(logging.ERROR, "wattfare"):
        till.run_events()
    assert till.faults == ["payment_disputed"]
    [record] = [record for record in caplog.records if record.message == "ledger fault"]
    assert payment.payment_id in record.__dict__["detail"]
    assert till.stored(payment).is_disputed
