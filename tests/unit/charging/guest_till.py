"""A guest at the site's charger, with a card at a provider in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib import relay
from chalicelib.charging.model.guests import GuestOrder
from chalicelib.charging.service import guests
from chalicelib.drivers.model import app_token
from chalicelib.kernel.money import Money
from chalicelib.kernel.outbox import Consumer
from chalicelib.payments import service as payments
from chalicelib.payments.model import Payment
from chalicelib.payments.providers.port import ProviderEventKind
from tests.site import CHARGER_ID, Site
from tests.unit.payments.till import Till, page

EMAIL = "gast@example.org"


@dataclass
class Guest:
    site: Site
    till: Till

    def order(self, amount: int | None = 1000, *, evse_no: int = 1, session_id: str = "") -> GuestOrder:
        """Asks for a charge and opens the page to pay on."""
        self.site.advance_s(1)
        ctx = self.site.world.ctx
        chosen = session_id or ctx.new_id("ses")

        def decide(uow: Any) -> tuple[GuestOrder, Payment]:
            return guests.order_charge(
                uow,
                session_id=chosen,
                payment_id=f"pay_{chosen[4:]}",
                charger_id=CHARGER_ID,
                evse_no=evse_no,
                email=EMAIL,
                amount=None if amount is None else Money(amount, "EUR"),
                limits=None,
            )

        order, payment = self.site.world.commit(decide)
        self.site.world.commit(lambda uow: payments.open_checkout(uow, self.till.provider, payment))
        return self.look(order)

    def pays(self, order: GuestOrder) -> GuestOrder:
        """The card is good."""
        self.till.provider.authorize(page(self.payment(order)))
        self.tell(order)
        return self.look(order)

    def tell(self, order: GuestOrder, kind: ProviderEventKind = ProviderEventKind.CHECKOUT_PAID) -> None:
        self.till.notify(self.payment(order), kind=kind)
        self.run()

    def run(self) -> None:
        """What was told is done, with this provider instead of the one of the settings."""
        consumers: Mapping[str, Sequence[Consumer]] = {**relay.CONSUMERS, **self.till.consumers()}
        self.site.world.run_events(consumers)

    def plugs_in(self, order: GuestOrder, meter_wh: int = 1000) -> int:
        """The charger starts what it was told to; the number of its transaction."""
        outcome = self.site.start(app_token(order.session_id), evse_no=order.evse_no, meter_wh=meter_wh)
        assert outcome.authorization.status == "accepted"
        self.run()
        return outcome.transaction_id

    def leaves(self, transaction_id: int, meter_wh: int) -> None:
        self.site.stop(transaction_id, meter_wh)
        self.run()

    def payment(self, order: GuestOrder) -> Payment:
        return payments.require_payment(self.site.world.ctx, order.payment_id)

    def look(self, order: GuestOrder) -> GuestOrder:
        return guests.require_order(self.site.world.ctx, order.session_id)

    def taken(self, order: GuestOrder) -> int:
        """What the provider took of the card."""
        captured = self.till.provider.outcomes[page(self.payment(order))].captured
        return 0 if captured is None else captured.amount
