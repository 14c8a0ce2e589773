"""Chargers: serial numbers, placing at once, going out of service, being found."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Refused, serial_key
from chalicelib.kernel.errors import StaleRead
from chalicelib.kernel.unit_of_work import UnitOfWork
from tests.unit.chargers.conftest import basic
from tests.unit.chargers.tree import Party, open_party
from tests.world import World


@pytest.fixture
def operator(world: World) -> Party:
    return open_party(world, "operator", "Ladenetz Süd")


def test_a_serial_number_is_one_chargers_whatever_its_case(world: World, operator: Party) -> None:
    operator.register("CP-1", serial_number="SN-ä 1")
    for written in ("SN-ä 1", "sn-Ä  1", " SN-ä 1"):
        refused = operator.post("/v1/chargers", {"charger_id": "CP-2", "serial_number": written})
        assert (refused.status, refused.body["code"]) == (409, "charger.serial_exists"), written
    assert operator.get("/v1/chargers/CP-2").status == 404
    assert open_party(world, "operator", "Other").register("CP-9", serial_number="SN-ä 1")["serial_number"] == "SN-ä 1"


def test_a_serial_number_is_free_again_when_it_is_changed(operator: Party) -> None:
    operator.register("CP-1", serial_number="SN-1")
    operator.register("CP-2", serial_number="SN-2")
    refused = operator.patch("/v1/chargers/CP-2", {"serial_number": "sn-1", "name": "New"})
    assert (refused.status, refused.body["code"]) == (409, "charger.serial_exists")
    assert operator.get("/v1/chargers/CP-2").body["name"] is None
    # The same number otherwise written is the same charger's still.
    assert operator.patch("/v1/chargers/CP-1", {"serial_number": "sn-1"}).body["serial_number"] == "sn-1"
    assert operator.patch("/v1/chargers/CP-1", {"serial_number": "SN-3"}).status == 200
    assert operator.patch("/v1/chargers/CP-2", {"serial_number": "SN-1"}).status == 200
    assert operator.patch("/v1/chargers/CP-2", {"serial_number": None}).body["serial_number"] is None
    operator.register("CP-4", serial_number="SN-1")


def test_two_who_change_one_serial_number_do_not_both_win(world: World, operator: Party) -> None:
    operator.register("CP-1", serial_number="SN-1")
    charger = chargers.require_charger(world.ctx, "CP-1")
    late = UnitOfWork(world.ctx)
    chargers.change_charger(late, charger, {"serial_number": "SN-2"})
    world.commit(lambda uow: chargers.change_charger(uow, charger, {"serial_number": "SN-3"}))
    with pytest.raises(StaleRead):
        late.commit()
    operator.register("CP-2", serial_number="SN-2")
    assert operator.post("/v1/chargers", {"charger_id": "CP-3", "serial_number": "SN-3"}).status == 409


@given(st.text(max_size=50))
def test_the_key_of_a_serial_number_is_its_own_key_and_fits_a_row(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return  # JSON brings no lone surrogates
    key = serial_key(text)
    assert serial_key(key.upper()) == serial_key(text.upper())
    assert len(key.encode()) <= 2000


def test_a_charger_is_registered_where_it_stands(world: World, operator: Party) -> None:
    location_id = operator.add_location()
    body = operator.register("CP-1", location_id=location_id)
    assert (body["registered"], body["registration_status"]) == (True, "accepted")
    other = open_party(world, "operator", "Other")
    refused = other.post("/v1/chargers", {"charger_id": "CP-2", "location_id": location_id})
    assert refused.status == 404
    refused = operator.post("/v1/chargers", {"charger_id": "claims"})
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/charger_id")


def knock(party: Party, charger_id: str, password: str) -> Any:
    return party.world.commit(
        lambda uow: chargers.check_handshake(
            uow,
            identity=charger_id,
            authorization=basic(charger_id, password),
            offered_protocols=["ocpp1.6"],
            source_ip="192.0.2.1",
        )
    )


def test_a_charger_out_of_service_is_not_let_in_until_it_is_back(operator: Party) -> None:
    password = operator.register("CP-1", serial_number="SN-1")["connection"]["password"]
    for _ in range(2):
        assert operator.delete("/v1/chargers/CP-1").status == 204
    refused = knock(operator, "CP-1", password)
    assert isinstance(refused, Refused)
    assert (refused.status, refused.reason) == (404, "decommissioned")
    attempts = operator.get("/v1/connection-attempts").body["data"]
    assert [attempt["reason"] for attempt in attempts] == ["decommissioned"]
    assert operator.charger_ids() == []
    assert operator.charger_ids(state="inactive") == ["CP-1"]
    # Neither its identity nor its serial number are anybody else's.
    assert operator.post("/v1/chargers", {"charger_id": "CP-1"}).status == 409
    assert operator.post("/v1/chargers", {"charger_id": "CP-2", "serial_number": "SN-1"}).status == 409
    location_id = operator.add_location()
    placed = operator.put("/v1/chargers/CP-1/location", {"location_id": location_id})
    assert (placed.status, placed.body["code"]) == (409, "charger.inactive")
    assert operator.post("/v1/chargers/CP-1/restore").body["state"] == "active"
    assert not isinstance(knock(operator, "CP-1", password), Refused)


def test_a_charger_in_use_is_not_taken_out_of_service(world: World, operator: Party) -> None:
    operator.register("CP-1", location_id=operator.add_location())
    assert operator.delete("/v1/chargers/CP-1").body["code"] == "charger.placed"
    operator.delete("/v1/chargers/CP-1/location")
    charger = chargers.require_charger(world.ctx, "CP-1")
    world.commit(lambda uow: chargers.open_connection(uow, charger, "ws-1", "ocpp1.6"))
    assert operator.delete("/v1/chargers/CP-1").body["code"] == "charger.online"
    world.commit(lambda uow: chargers.close_connection(uow, "ws-1"))
    retiring = UnitOfWork(world.ctx)
    chargers.retire_charger(retiring, charger)
    world.commit(lambda uow: chargers.open_connection(uow, charger, "ws-2", "ocpp1.6"))
    world.advance(1)
    world.commit(lambda uow: chargers.open_connection(uow, charger, "ws-3", "ocpp1.6"))
    with pytest.raises(StaleRead):
        retiring.commit()


def test_chargers_are_found_by_words(operator: Party) -> None:
    operator.register("CP-1", name="Tiefgarage links", serial_number="A-77")
    operator.register("CP-2", name="充电桩")
    assert operator.charger_ids(q="LINKS") == operator.charger_ids(q="a-77") == ["CP-1"]
    assert operator.charger_ids(q="充电") == ["CP-2"]
    assert operator.charger_ids(q="cp-") == ["CP-1", "CP-2"]


def test_the_audit_log_tells_of_a_password_but_not_which(operator: Party) -> None:
    operator.register("CP-1")
    operator.world.advance(1)
    rotated = operator.post("/v1/chargers/CP-1/password", {}).body
    events = operator.get("/v1/audit-events", object_type="charger", object_id="CP-1").body["data"]
    assert [event["action"] for event in events] == ["rotate_charger_password", "create_charger"]
    assert rotated["password"] not in str(events)
    assert events[0]["after"] == {"password": "***"}


def test_what_is_there_already_is_pointed_at(operator: Party) -> None:
    operator.register("CP-1", serial_number="A-77")
    for charger_id, serial_number, pointer in (("cp-1", "B-1", "/charger_id"), ("CP-2", "a-77", "/serial_number")):
        reply = operator.post("/v1/chargers", {"charger_id": charger_id, "serial_number": serial_number})
        assert (reply.status, [error["pointer"] for error in reply.body["errors"]]) == (409, [pointer])


def test_the_evses_are_on_one_page(operator: Party) -> None:
    operator.register("CP-1", evse_count=2)
    body = operator.get("/v1/chargers/CP-1/evses").body
    assert (len(body["data"]), body["has_more"], body["next_cursor"]) == (2, False, None)


def test_a_country_must_exist(operator: Party) -> None:
    operator.register("CP-1", country="DE")
    for reply in (
        operator.post("/v1/chargers", {"charger_id": "CP-2", "country": "ZZ"}),
        operator.patch("/v1/chargers/CP-1", {"country": "QQ"}),
        operator.post("/v1/chargers/claims", {"serial_number": "A", "uid": "B", "country": "ZZ"}),
    ):
        assert (reply.status, reply.body["code"]) == (422, "country.unknown")
        assert reply.body["errors"][0]["pointer"] == "/country"
