"""Sessions that did not end as they should, for the tests of what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.charging import lookup, order_lookup, service
from chalicelib.charging.model import Cdr, ChargingSession
from chalicelib.charging.model.orders import AbnormalOrder, Resolving
from chalicelib.charging.service import correcting, resolving, reviewing
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import proving
from tests.site import CARD, Site

BY = "usr_1"


@dataclass
class Episode:
    """A card charge whose end was lost: 1.00 kWh were seen of it, for 0.35 of 20.00 EUR."""

    site: Site
    session_id: str
    transaction_id: int

    @property
    def session(self) -> ChargingSession:
        return self.site.session(self.session_id)

    @property
    def order(self) -> AbnormalOrder:
        return order_lookup.require_order(self.site.world.ctx, self.session)

    @property
    def cdr(self) -> Cdr:
        cdr = lookup.find_cdr(self.site.world.ctx, self.session_id)
        assert cdr is not None
        return cdr

    @property
    def cdrs(self) -> list[Cdr]:
        return lookup.list_cdrs_of_session(self.site.world.ctx, self.session_id)

    def resolve_in(self, uow: UnitOfWork, **wish: Any) -> AbnormalOrder:
        ctx = uow.ctx
        session = lookup.require_session(ctx, self.session_id)
        order = order_lookup.require_order(ctx, session)
        return resolving.resolve_order(uow, session, order, Resolving(**wish), by=BY)

    def resolve(self, **wish: Any) -> AbnormalOrder:
        self.site.advance_s(1)
        return self.site.world.commit(lambda uow: self.resolve_in(uow, **wish))

    def state(self, text: str = "It just went on.", claimed_energy_wh: int | None = None) -> AbnormalOrder:
        return self.site.world.commit(
            lambda uow: reviewing.make_statement(
                uow, self.order, what_happened="charged_more", text=text, claimed_energy_wh=claimed_energy_wh
            )
        )

    def correct(self, cost: int) -> correcting.Correction:
        self.site.advance_s(1)
        return self.site.world.commit(
            lambda uow: correcting.reduce_cost(uow, self.session, cost=euro(cost), reason="Goodwill", by=BY)
        )

    def check_books(self) -> None:
        """The chain of CDRs is whole, and says what the session and the ledger say."""
        session, cdr = self.session, self.cdr
        taken_back = {each.credit_reference_id for each in self.cdrs}
        assert [each.cdr_id for each in self.cdrs if not each.is_credit and each.cdr_id not in taken_back] == [
            cdr.cdr_id
        ]
        assert sum(each.captured.amount for each in self.cdrs) == cdr.captured.amount == session.captured
        assert sum(each.total_cost.amount for each in self.cdrs) == cdr.total_cost.amount == session.cost
        assert sum(each.uncollected.amount for each in self.cdrs) == cdr.uncollected.amount
        assert sum(each.energy_wh for each in self.cdrs) == cdr.energy_wh == session.energy_wh
        assert cdr.captured + cdr.uncollected == cdr.total_cost
        assert sum(line["amount"]["amount"] for line in cdr.lines) == cdr.total_cost.amount
        assert self.site.income() == cdr.captured.amount
        assert self.site.available() >= 0
        assert proving.prove_ledger(self.site.world.ctx).fault_count == 0


def lost(site: Site, *, seen_wh: int = 1000, id_token: str = CARD) -> Episode:
    outcome = site.start(id_token, meter_wh=0)
    site.advance(10)
    if seen_wh:
        site.meter(outcome.transaction_id, seen_wh)
    [session] = [session for session in site.sessions() if session.is_open]
    site.advance(10)
    site.world.commit(lambda uow: service.give_up_session(uow, session.session_id, "stop_missing"))
    return Episode(site, session.session_id, outcome.transaction_id)


def stop_late(episode: Episode, meter_wh: int | None, at: datetime | None = None) -> None:
    site = episode.site
    site.stop(episode.transaction_id, meter_wh, at=at)


def euro(amount: int) -> Money:
    return Money(amount, "EUR")
