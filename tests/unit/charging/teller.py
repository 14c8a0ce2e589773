"""A 2.x charger that tells its transactions in pieces."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from chalicelib.chargers import service as chargers
from chalicelib.charging import lookup, service
from chalicelib.charging.model import (
    ChargingSession,
    EventOutcome,
    MeterSample,
    OrphanStop,
    TransactionEvent,
)
from chalicelib.kernel.unit_of_work import UnitOfWork
from tests.site import CARD, Site

OTHER_CARD = "0BADCAFE01"
CHARGED_SEVEN = [("top_up", 2000), ("consumption", -2000), ("refund", 1993)]


@dataclass
class Teller:
    """A 2.x charger that tells transactions. Each event is a minute later than the one before, unless `at` says."""

    site: Site
    transaction_id: str = "TX-1"
    began: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.site.world.clock.now()

    def event(self, kind: Any, seq_no: int, register_wh: int | None = None, **more: Any) -> TransactionEvent:
        at = more.pop("at", self.began + timedelta(minutes=seq_no))
        samples = [] if register_wh is None else [MeterSample(at, energy_wh=register_wh, power_w=7000)]
        values: dict[str, Any] = {
            "kind": kind,
            "transaction_id": self.transaction_id,
            "seq_no": seq_no,
            "at": at,
            "message_id": f"m{seq_no}",
            "evse_no": 1,
            "samples": samples,
        }
        return TransactionEvent(**(values | more))

    def started(self, register_wh: int | None = 1000, seq_no: int = 0, **more: Any) -> TransactionEvent:
        values = {"id_token": CARD, "id_token_kind": "ISO14443", "trigger": "Authorized", "begin_wh": register_wh}
        return self.event("started", seq_no, register_wh, **(values | more))

    def updated(self, register_wh: int | None, seq_no: int = 1, **more: Any) -> TransactionEvent:
        values = {"charging_state": "Charging", "trigger": "MeterValuePeriodic"}
        return self.event("updated", seq_no, register_wh, **(values | more))

    def ended(self, register_wh: int | None = 1200, seq_no: int = 2, **more: Any) -> TransactionEvent:
        values = {"stop_reason": "Local", "trigger": "StopAuthorized", "end_wh": register_wh}
        return self.event("ended", seq_no, register_wh, **(values | more))

    def tell(self, *events: TransactionEvent) -> EventOutcome:
        """Tells them one by one and gives the last outcome."""
        outcome = EventOutcome()
        for event in events:
            self.site.advance_s(1)
            outcome = self.site.world.commit(partial(self.record, event=event))
        return outcome

    def record(self, uow: UnitOfWork, event: TransactionEvent) -> EventOutcome:
        return service.record_transaction_event(uow, charger=self.site.charger, event=event)

    def session(self) -> ChargingSession:
        [session] = self.site.sessions()
        return session

    def orphans(self) -> list[OrphanStop]:
        operator_id = self.site.charger.operator_id
        return lookup.list_orphan_stops(self.site.world.ctx, operator_id, limit=10, cursor=None).data


def ends_right(teller: Teller) -> None:
    session = teller.session()
    assert (session.state, session.energy_wh, session.captured) == ("settled", 200, 7)
    assert (session.meter_start_wh, session.meter_stop_wh, session.evse_no) == (1000, 1200, 1)
    assert (session.started_at, session.stopped_at) == (teller.began, teller.began + timedelta(minutes=2))
    assert session.abnormal_cause is None
    assert teller.site.lines() == CHARGED_SEVEN
    assert teller.orphans() == []


def commands(teller: Teller) -> list[dict[str, Any]]:
    """The payloads of what was asked of the charger, oldest first."""
    page = chargers.list_commands(teller.site.world.ctx, teller.site.charger.charger_id, limit=20, cursor=None)
    return [command.payload for command in page.data[::-1]]
