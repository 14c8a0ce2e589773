"""One charge, told by a charger of each OCPP version: the same session, the same ledger entries, the same CDR."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import pytest

from chalicelib.charging import lookup
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import income_account, wallet_account
from tests import world as worlds
from tests.contract.ocpp.wire import Wire
from tests.site import CARD, Site, build_site

PASSWORD = "a-good-password-of-20"
BEGIN_WH, METERED_WH, END_WH = 1000, 1100, 1200


@dataclass
class Charger:
    """A charger with one word for each thing that happens, whatever version it speaks."""

    site: Site
    protocol: str
    wire: Wire = field(init=False)
    transaction_id: int | str = "9a6f7c1e-0b6a-4a55-8a2b-6d3b3f0d6a11"
    seq_no: int = 0

    def __post_init__(self) -> None:
        self.wire = Wire(self.site.world, self.site.charger.charger_id, protocol=self.protocol)
        assert self.wire.connect(password=PASSWORD)[0] == 200
        assert self.wire.boot()["status"] == "Accepted"
        self.wire.commands()

    @property
    def is_16(self) -> bool:
        return self.protocol == "ocpp1.6"

    def now(self) -> str:
        return to_rfc3339(self.site.world.clock.now())

    def accept(self, action: str, version_2_action: str) -> dict[str, Any]:
        """The one command that is due, accepted; its payload."""
        [command] = self.wire.commands()
        assert command[2] == (action if self.is_16 else version_2_action)
        self.wire.reply(command, {"status": "Accepted"})
        payload: dict[str, Any] = command[3]
        return payload

    def start(self, id_token: str, remote_start_id: int | None = None) -> str:
        """What the charger is told of the id token."""
        self.site.world.advance(60)
        if self.is_16:
            payload = {"connectorId": 1, "idTag": id_token, "meterStart": BEGIN_WH, "timestamp": self.now()}
            answer = self.wire.call("StartTransaction", payload)
            self.transaction_id = answer["transactionId"]
            return str(answer["idTagInfo"]["status"])
        info: dict[str, Any] = {"chargingState": "Charging"}
        if remote_start_id is not None:
            info["remoteStartId"] = remote_start_id
        token = {"idToken": id_token, "type": "ISO14443" if remote_start_id is None else "Central"}
        answer = self._event("Started", BEGIN_WH, "Transaction.Begin", info, idToken=token)
        return str(answer["idTokenInfo"]["status"])

    def meter(self) -> None:
        self.site.world.advance(600)
        if self.is_16:
            values = [{"timestamp": self.now(), "sampledValue": [{"value": str(METERED_WH), "unit": "Wh"}]}]
            payload = {"connectorId": 1, "transactionId": self.transaction_id, "meterValue": values}
            self.wire.call("MeterValues", payload)
        else:
            self._event("Updated", METERED_WH, "Sample.Periodic", {"chargingState": "Charging"})

    def stop(self, reason: str = "Local") -> None:
        self.site.world.advance(600)
        if self.is_16:
            payload = {"transactionId": self.transaction_id, "meterStop": END_WH, "timestamp": self.now()}
            self.wire.call("StopTransaction", payload | {"reason": reason})
        else:
            self._event("Ended", END_WH, "Transaction.End", {"stoppedReason": reason})

    def _event(self, kind: str, register_wh: int, context: str, info: dict[str, Any], **more: Any) -> Any:
        sampled = {"value": register_wh, "context": context, "measurand": "Energy.Active.Import.Register"}
        payload = {
            "eventType": kind,
            "timestamp": self.now(),
            "triggerReason": "MeterValuePeriodic",
            "seqNo": self.seq_no,
            "transactionInfo": {"transactionId": self.transaction_id, **info},
            "evse": {"id": 1, "connectorId": 1},
            "meterValue": [{"timestamp": self.now(), "sampledValue": [sampled]}],
        }
        self.seq_no += 1
        return self.wire.call("TransactionEvent", payload | more)


def with_a_card(charger: Charger) -> None:
    assert charger.start(CARD) == "Accepted"
    charger.meter()
    charger.stop()


def from_the_app(charger: Charger) -> None:
    charger.site.request(500)
    command = charger.accept("RemoteStartTransaction", "RequestStartTransaction")
    token = command["idTag"] if charger.is_16 else command["idToken"]["idToken"]
    assert charger.start(token, command.get("remoteStartId")) == "Accepted"
    charger.meter()
    charger.stop("Remote")


def until_the_money_is_spent(charger: Charger) -> None:
    charger.site.request(3)
    command = charger.accept("RemoteStartTransaction", "RequestStartTransaction")
    token = command["idTag"] if charger.is_16 else command["idToken"]["idToken"]
    charger.start(token, command.get("remoteStartId"))
    charger.meter()
    charger.accept("RemoteStopTransaction", "RequestStopTransaction")
    charger.stop("Remote")


def by_a_stranger(charger: Charger) -> None:
    assert charger.start("0BADCAFE01") in ("Invalid", "Unknown")  # 1.6 and 2.x have their own words
    charger.meter()
    charger.accept("RemoteStopTransaction", "RequestStopTransaction")
    charger.stop("DeAuthorized")


def told(story: Callable[[Charger], None], protocol: str) -> dict[str, Any]:
    """What remains of the story in the books, without the names that differ from one telling to the other."""
    world = worlds.build()
    try:
        site = build_site(world)
        story(Charger(site, protocol))
        [session] = site.sessions()
        cdr = lookup.find_cdr(world.ctx, session.session_id)
        assert cdr is not None
        day = world.clock.now().date().isoformat()
        accounts = [
            wallet_account(site.driver.driver_id, "EUR"),
            income_account(site.charger.operator_id, "EUR"),
        ]
        entries = [
            (entry.kind, sorted(posting.amount for posting in entry.postings))
            for account in accounts
            for entry in ledger.entries_of_period(world.ctx, account, day)
        ]
        views = {"session": asdict(session), "cdr": asdict(cdr)}
        return {
            **{what: {name: kept(value) for name, value in view.items()} for what, view in views.items()},
            "entries": entries,
            "lines": site.lines(),
            "available": site.available(),
            "income": site.income(),
        }
    finally:
        world.close()


def kept(value: Any) -> Any:
    """Ids are made anew in each world; that there is one, or none, must be the same."""
    is_name = isinstance(value, str) and (value[3:4] == "_" or value.startswith("APP"))
    return bool(value) if is_name else value


@pytest.mark.parametrize("protocol", ["ocpp2.0.1", "ocpp2.1"])
@pytest.mark.parametrize("story", [with_a_card, from_the_app, until_the_money_is_spent, by_a_stranger])
def test_every_version_gives_the_same(story: Callable[[Charger], None], protocol: str) -> None:
    first, other = told(story, "ocpp1.6"), told(story, protocol)
    for record in (first, other):
        transaction_id = record["session"].pop("transaction_id")
        assert transaction_id is not None
        assert isinstance(record["session"]["stopped_at"], datetime)
    assert other == first
    assert first["session"]["energy_wh"] == 200
