"""Charging while nobody can be asked: the card is on the charger's list, the charge is told later, the wallet pays.

Stories at the wire, in 1.6 and 2.x: what was delivered offline is owed, once, at the price of when it began.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.charging import lookup
from chalicelib.charging import service as charging
from chalicelib.charging.model import Cdr, ChargingSession
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.money import Money
from chalicelib.maintenance import jobs
from chalicelib.tariffs import service as tariffs
from chalicelib.tariffs.model import PriceComponent, TariffElement
from tests.contract.ocpp import people
from tests.contract.ocpp.wire import Wire, place
from tests.world import Operator, World

CARD = "04A2B3C4D5E6F7"
BEGIN_WH, END_WH, COST = 1000, 11_000, 350
"""10 kWh at 0.35."""
HOUR_S = 3600


@dataclass
class Offline:
    """A charger of either version that charges with CARD while it is away, and tells it when it is back."""

    world: World
    wire: Wire
    operator: Operator
    driver: Driver

    @property
    def is_1_6(self) -> bool:
        return self.wire.protocol == "ocpp1.6"

    def listed(self) -> list[str]:
        """The cards of the list that the charger gets within the next minutes. It accepts."""
        self.world.run_events()
        self.world.advance(61)
        self.world.run_job(jobs.begin_local_lists)
        self.world.run_events()
        found = []
        for command in self.wire.commands():
            if command[2] == "SendLocalList":
                entries = command[3].get("localAuthorizationList", [])
                found += [entry["idTag"] if self.is_1_6 else entry["idToken"]["idToken"] for entry in entries]
                self.wire.reply(command, {"status": "Accepted"})
        return found

    def charge_away(self) -> Any:
        """One hour at EVSE 1 while the socket is closed. Gives what the charger will tell."""
        self.wire.close()
        began = self.world.clock.now()
        self.world.advance(HOUR_S)
        return began, self.world.clock.now()

    def tell(self, began: datetime, ended: datetime, *, card: str = CARD) -> Any:
        """The charger is back and tells the charge as it happened; the answer to its begin."""
        self.wire.connect()
        return self._tell_1_6(began, ended, card) if self.is_1_6 else self._tell_2(began, ended, card)

    def _tell_1_6(self, began: datetime, ended: datetime, card: str) -> Any:
        start = {"connectorId": 1, "idTag": card, "meterStart": BEGIN_WH, "timestamp": to_rfc3339(began)}
        answer = self.wire.call("StartTransaction", start)
        stop = {"transactionId": answer["transactionId"], "meterStop": END_WH, "timestamp": to_rfc3339(ended)}
        self.wire.call("StopTransaction", {**stop, "idTag": card, "reason": "Local"})
        return answer["idTagInfo"]

    def _tell_2(self, began: datetime, ended: datetime, card: str) -> Any:
        def event(kind: str, seq_no: int, at: datetime, wh: int, context: str, **more: Any) -> Any:
            value = {"value": wh, "context": context}
            payload = {
                "eventType": kind,
                "timestamp": to_rfc3339(at),
                "triggerReason": "Authorized" if kind == "Started" else "StopAuthorized",
                "seqNo": seq_no,
                "offline": True,
                "transactionInfo": {"transactionId": f"tx-{to_rfc3339(began)}"[:36], **more},
                "evse": {"id": 1, "connectorId": 1},
                "idToken": {"idToken": card, "type": "ISO14443"},
                "meterValue": [{"timestamp": to_rfc3339(at), "sampledValue": [value]}],
            }
            return self.wire.call("TransactionEvent", payload)

        answer = event("Started", 0, began, BEGIN_WH, "Transaction.Begin", chargingState="Charging")
        event("Ended", 1, ended, END_WH, "Transaction.End", stoppedReason="Local")
        return answer["idTokenInfo"]

    def sessions(self) -> list[ChargingSession]:
        page = lookup.list_sessions(self.world.ctx, operator_id=self.operator.operator_id, limit=100, cursor=None)
        return page.data

    def cdr(self) -> Cdr:
        [session] = self.sessions()
        cdr = lookup.find_cdr(self.world.ctx, session.session_id)
        assert cdr is not None
        return cdr

    @property
    def cents(self) -> int:
        return people.cents_of(self.world, self.driver)


@pytest.fixture(params=["ocpp1.6", "ocpp2.0.1", "ocpp2.1"])
def offline(world: World, request: pytest.FixtureRequest) -> Offline:
    return make(world, request.param, cents=2000)


def make(world: World, protocol: str, *, cents: int) -> Offline:
    operator = world.operator()
    people.price(world, operator)
    driver = people.driver(world, operator, cents=cents, card=CARD)
    place(world, operator, "WIRE-9")
    wire = Wire(world, "WIRE-9", protocol=protocol)
    assert wire.connect()[0] == 200
    assert wire.boot()["status"] == "Accepted"
    return Offline(world, wire, operator, driver)


# -- the charge ---------------------------------------------------------------------------------------------------


def test_the_card_is_on_the_list_and_the_wallet_pays_when_the_charge_is_told(offline: Offline) -> None:
    assert offline.listed() == [CARD]
    began, ended = offline.charge_away()
    assert offline.tell(began, ended)["status"] == "Accepted"
    cdr = offline.cdr()
    assert (cdr.total_cost, cdr.captured, cdr.uncollected.amount) == (Money(COST, "EUR"), Money(COST, "EUR"), 0)
    assert (cdr.started_at, cdr.ended_at, cdr.driver_id) == (began, ended, offline.driver.driver_id)
    assert offline.cents == 2000 - COST
    offline.world.run_events()
    card = drivers.require_card(offline.world.ctx, CARD)
    assert card.last_used_at == began


def test_told_again_it_is_paid_once(offline: Offline) -> None:
    """The answers were lost, the charger sends its memory again, twice."""
    began, ended = offline.charge_away()
    for _ in range(3):
        offline.tell(began, ended)
    assert len(offline.sessions()) == 1
    assert offline.cents == 2000 - COST


def test_a_drivers_own_card_works_offline_where_he_or_she_charged_before(offline: Offline) -> None:
    """Typed in the app, on the list of every operator where its driver has been."""
    offline.tell(*offline.charge_away())
    assert offline.listed() == [CARD]
    known = drivers.require_driver(offline.world.ctx, offline.driver.driver_id)
    offline.world.commit(lambda uow: drivers.claim_card(uow, known, "04:11:22:33"))
    assert offline.listed() == ["04112233"]
    offline.tell(*offline.charge_away(), card="04112233")
    assert offline.cents == 2000 - 2 * COST


def test_the_price_is_that_of_when_it_began(offline: Offline) -> None:
    began, ended = offline.charge_away()
    [current] = tariffs.list_tariffs(offline.world.ctx, offline.operator.operator_id, limit=9, cursor=None).data
    for price in ("0.50", "0.70"):
        offline.world.advance(60)
        elements = (TariffElement((PriceComponent("ENERGY", Decimal(price)),)),)
        current = offline.world.commit(
            lambda uow, elements=elements, current=current: tariffs.replace_tariff(
                uow, current, name="Flat", tax_included=True, elements=elements
            )
        )
    offline.tell(began, ended)
    assert offline.cdr().total_cost.amount == COST
    offline.world.advance(60)
    offline.tell(*offline.charge_away())
    assert offline.cents == 2000 - COST - 700


def test_a_clock_that_is_years_behind_buys_nothing_cheaper(offline: Offline) -> None:
    [current] = tariffs.list_tariffs(offline.world.ctx, offline.operator.operator_id, limit=9, cursor=None).data
    elements = (TariffElement((PriceComponent("ENERGY", Decimal("0.70")),)),)
    offline.world.commit(
        lambda uow: tariffs.replace_tariff(uow, current, name="Flat", tax_included=True, elements=elements)
    )
    now = offline.world.clock.now()
    offline.tell(now.replace(year=now.year - 3), now.replace(year=now.year - 3, hour=now.hour + 1))
    assert offline.cdr().total_cost.amount == 700


@pytest.mark.parametrize("protocol", ["ocpp1.6", "ocpp2.0.1"])
def test_a_wallet_with_too_little_pays_what_is_there(world: World, protocol: str) -> None:
    offline = make(world, protocol, cents=100)
    offline.tell(*offline.charge_away())
    cdr = offline.cdr()
    assert (cdr.total_cost.amount, cdr.captured.amount, cdr.uncollected.amount) == (COST, 100, 250)
    assert offline.cents == 0


def test_a_card_that_was_blocked_meanwhile_owes_what_it_took(offline: Offline) -> None:
    began, ended = offline.charge_away()
    card = drivers.require_card(offline.world.ctx, CARD)
    offline.world.commit(lambda uow: drivers.change_card(uow, card, {"status": "blocked"}))
    assert offline.tell(began, ended)["status"] == "Blocked"
    assert offline.cdr().captured.amount == COST
    assert offline.cents == 2000 - COST


def test_so_does_one_that_has_expired(offline: Offline) -> None:
    card = drivers.require_card(offline.world.ctx, CARD)
    until = offline.world.clock.now()
    offline.world.advance(1)
    offline.world.commit(lambda uow: drivers.change_card(uow, card, {"expires_at": until}))
    assert offline.tell(*offline.charge_away())["status"] == "Expired"
    assert offline.cents == 2000 - COST


def take_back(offline: Offline) -> None:
    card = drivers.require_card(offline.world.ctx, CARD)
    offline.world.commit(lambda uow: drivers.unbind_card(uow, card))


def test_who_gives_the_card_back_before_the_charger_is_back_pays(offline: Offline) -> None:
    began, ended = offline.charge_away()
    take_back(offline)
    assert offline.tell(began, ended)["status"] == "Blocked"
    assert offline.cdr().captured.amount == COST
    assert offline.cents == 2000 - COST


def test_but_not_for_what_was_charged_afterwards(offline: Offline) -> None:
    take_back(offline)
    offline.world.advance(1)
    assert offline.tell(*offline.charge_away())["status"] in ("Invalid", "Unknown")
    assert (offline.cdr().driver_id, offline.cents) == (None, 2000)


def test_nor_for_ever(offline: Offline) -> None:
    began, ended = offline.charge_away()
    take_back(offline)
    offline.world.advance(15 * 24 * HOUR_S)
    offline.tell(began, ended)
    assert offline.cents == 2000


# -- one driver, many tokens --------------------------------------------------------------------------------------


def group_of(offline: Offline, info: Any) -> str | None:
    if offline.is_1_6:
        return info.get("parentIdTag")
    return info.get("groupIdToken", {}).get("idToken")


def authorize(offline: Offline, number: str) -> Any:
    if offline.is_1_6:
        return offline.wire.call("Authorize", {"idTag": number})["idTagInfo"]
    token = {"idToken": number, "type": "ISO14443"}
    return offline.wire.call("Authorize", {"idToken": token})["idTokenInfo"]


def started_from_app(offline: Offline, cents: int) -> Any:
    """The driver asks by phone; the answer to the charger's begin."""
    world, wire = offline.world, offline.wire
    world.commit(
        lambda uow: charging.request_session(
            uow,
            session_id=world.ctx.new_id("ses"),
            driver_id=offline.driver.driver_id,
            charger_id=wire.charger_id,
            evse_no=1,
            amount=Money(cents, "EUR"),
        )
    )
    commands = {command[2]: command for command in wire.commands()}
    at = to_rfc3339(world.clock.now())
    if offline.is_1_6:
        asked = commands["RemoteStartTransaction"]
        wire.reply(asked, {"status": "Accepted"})
        start = {"connectorId": 1, "idTag": asked[3]["idTag"], "meterStart": BEGIN_WH, "timestamp": at}
        return wire.call("StartTransaction", start)["idTagInfo"]
    asked = commands["RequestStartTransaction"]
    wire.reply(asked, {"status": "Accepted"})
    payload = {
        "eventType": "Started",
        "timestamp": at,
        "triggerReason": "RemoteStart",
        "seqNo": 0,
        "transactionInfo": {
            "transactionId": "tx-1",
            "chargingState": "Charging",
            "remoteStartId": asked[3]["remoteStartId"],
        },
        "evse": {"id": 1, "connectorId": 1},
        "idToken": asked[3]["idToken"],
    }
    return wire.call("TransactionEvent", payload)["idTokenInfo"]


def test_begun_by_phone_ended_by_the_drivers_own_card(offline: Offline) -> None:
    """The charger compares groups. Also when all of the wallet is reserved."""
    begun = started_from_app(offline, 2000)
    swiped = authorize(offline, CARD)
    assert begun["status"] == swiped["status"] == "Accepted"
    assert group_of(offline, begun) == group_of(offline, swiped) == drivers.driver_group(offline.driver.driver_id)


def test_a_strangers_card_is_of_another_group(offline: Offline) -> None:
    people.driver(offline.world, offline.operator, cents=100, card="04999999")
    begun = started_from_app(offline, 500)
    assert group_of(offline, authorize(offline, "04999999")) not in (None, group_of(offline, begun))


def test_the_operators_group_goes_before_the_drivers(offline: Offline) -> None:
    card = drivers.require_card(offline.world.ctx, CARD)
    offline.world.commit(lambda uow: drivers.change_card(uow, card, {"group_id": "FLEET"}))
    assert group_of(offline, authorize(offline, CARD)) == "FLEET"


def test_the_group_opens_nothing(offline: Offline) -> None:
    """It is told to chargers, and so may be known: nobody charges with it."""
    group = drivers.driver_group(offline.driver.driver_id)
    assert authorize(offline, group)["status"] in ("Invalid", "Unknown")


def test_the_list_tells_the_group_too(offline: Offline) -> None:
    offline.world.run_events()
    offline.world.advance(61)
    offline.world.run_job(jobs.begin_local_lists)
    offline.world.run_events()
    [sent] = [command for command in offline.wire.commands() if command[2] == "SendLocalList"]
    [entry] = sent[3]["localAuthorizationList"]
    info = entry["idTagInfo"] if offline.is_1_6 else entry["idTokenInfo"]
    assert group_of(offline, info) == drivers.driver_group(offline.driver.driver_id)


def test_a_reservation_by_phone_opens_to_the_drivers_own_card(offline: Offline) -> None:
    world = offline.world
    token = world.driver_token(offline.driver.driver_id)
    until = to_rfc3339(world.clock.now().replace(hour=20))
    body = {"charger_id": "WIRE-9", "evse_no": 1, "expires_at": until}
    assert world.rest.post("/v1/driver/reservations", body, token=token, key="reserve-1").status == 201
    [asked] = [command for command in offline.wire.commands() if command[2] == "ReserveNow"]
    kept_for = asked[3]["parentIdTag"] if offline.is_1_6 else asked[3]["groupIdToken"]["idToken"]
    assert kept_for == group_of(offline, authorize(offline, CARD))
