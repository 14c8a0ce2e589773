"""A charger and its driver on a whole platform in memory: frames in, what was posted and booked out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.chargers import service as chargers
from chalicelib.kernel import context
from chalicelib.kernel.clock import to_rfc3339
from tests.contract.ocpp.wire import Wire
from tests.site import CARD, Site
from tests.world import SECRETS, World, WorldContext

CHARGER_PASSWORD = "a-good-password-of-20"


@dataclass
class Street:
    site: Site
    wire: Wire

    @property
    def world(self) -> World:
        return self.site.world

    def reconnect(self) -> Wire:
        """A new socket; the old one is not told. What was known of the old one is returned."""
        old = Wire(self.world, self.wire.charger_id, connection_id=self.wire.connection_id)
        assert self.wire.connect(password=CHARGER_PASSWORD)[0] == 200
        return old

    def restart_platform(self) -> None:
        """Another process takes over: nothing that was kept in memory is there."""
        fresh = WorldContext(self.world.ctx.settings, self.world.clock, SECRETS)
        self.world.ctx = fresh
        context.install(fresh)
        self.reconnect()

    def call(self, action: str, payload: Any, message_id: str | None = None) -> Any:
        """A CALL a second later: what happens in one millisecond has no order."""
        self.world.advance(1)
        return self.wire.call(action, payload, message_id)

    def start_frame(self, id_tag: str = CARD, meter_wh: int = 1000, **fields: Any) -> dict[str, Any]:
        at = fields.pop("at", self.world.clock.now())
        payload = {"connectorId": 1, "idTag": id_tag, "meterStart": meter_wh, "timestamp": to_rfc3339(at)}
        return payload | fields

    def stop_frame(self, transaction_id: int, meter_wh: int, at: datetime | None = None) -> dict[str, Any]:
        stopped_at = to_rfc3339(at or self.world.clock.now())
        return {"transactionId": transaction_id, "meterStop": meter_wh, "timestamp": stopped_at, "reason": "Local"}

    def meter_frame(self, transaction_id: int, energy_wh: int, connector_id: int = 1) -> dict[str, Any]:
        sampled = [{"value": str(energy_wh), "unit": "Wh", "measurand": "Energy.Active.Import.Register"}]
        value = {"timestamp": to_rfc3339(self.world.clock.now()), "sampledValue": sampled}
        return {"connectorId": connector_id, "transactionId": transaction_id, "meterValue": [value]}

    def states(self) -> list[str]:
        return [session.state for session in self.site.sessions()]

    def link_connection(self) -> str | None:
        link = chargers.get_link(self.world.ctx, self.wire.charger_id)
        assert link is not None
        return link.connection_id


def open_street(site: Site) -> Street:
    street = Street(site, Wire(site.world, site.charger.charger_id))
    assert street.wire.connect(password=CHARGER_PASSWORD)[0] == 200
    assert street.wire.boot()["status"] == "Accepted"
    street.wire.commands()
    return street
