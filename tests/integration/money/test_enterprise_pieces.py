"""OCPP 2.x: any two pieces of a transaction, decided at once by two processes; the enterprise pays, and pays once."""

from __future__ import annotations

from itertools import product

import pytest

from chalicelib.charging import service as charging
from chalicelib.charging.model import TransactionEvent
from chalicelib.kernel.errors import StaleRead
from chalicelib.kernel.unit_of_work import UnitOfWork
from tests.integration.money.paying import found_fleet, prove
from tests.site import Site
from tests.unit.charging.teller import Teller

PIECES = ("started", "updated", "ended")


@pytest.mark.parametrize("told_before", [None, *PIECES])
@pytest.mark.parametrize(("first", "second"), list(product(PIECES, PIECES)))
def test_two_pieces_at_once(site: Site, told_before: str | None, first: str, second: str) -> None:
    fleet = found_fleet(site, monthly_limit=2500)
    teller = Teller(site)
    pieces = {"started": teller.started(), "updated": teller.updated(1100), "ended": teller.ended()}
    if told_before is not None:
        teller.tell(pieces[told_before])

    def record(uow: UnitOfWork, event: TransactionEvent) -> None:
        charging.record_transaction_event(uow, charger=site.charger, event=event)

    works = [(pieces[name], UnitOfWork(site.world.ctx)) for name in (first, second)]
    for event, uow in works:
        record(uow, event)
    for event, uow in reversed(works):
        try:
            uow.commit()
        except StaleRead:
            site.world.commit(lambda again, event=event: record(again, event))
    teller.tell(*pieces.values())
    session = teller.session()
    assert (session.enterprise_id, session.captured) == (fleet.enterprise_id, 7)
    assert (fleet.used(), fleet.used_by_member(), site.available(), site.income()) == (7, 7, 2000, 7)
    prove(site)
