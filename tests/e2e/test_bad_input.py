"""What comes from outside and is wrong: refused with the answer of the standard, and nothing else happens."""

from __future__ import annotations

import pytest

from tests.e2e.people import CHARGER_ID, CHARGER_PASSWORD, Person, Site
from tests.e2e.raw_charger import CallError, connect_raw, handshake_status
from tests.e2e.stack import ADMIN_EMAIL, ADMIN_PASSWORD, Stack

OCPP = ("ocpp1.6",)


async def test_refused_handshakes_are_told_to_the_charger_and_to_its_operator(stack: Stack, site: Site) -> None:
    assert await handshake_status(stack, "CP-UNKNOWN", password=CHARGER_PASSWORD, protocols=OCPP) == 404
    assert await handshake_status(stack, CHARGER_ID, password="wrong-wrong-wrong-wrong", protocols=OCPP) == 401
    assert await handshake_status(stack, CHARGER_ID, password=None, protocols=OCPP) == 401
    assert await handshake_status(stack, CHARGER_ID, password=CHARGER_PASSWORD, protocols=("ocpp0.9",)) == 400
    assert await handshake_status(stack, CHARGER_ID, password=CHARGER_PASSWORD, protocols=()) == 400
    assert await handshake_status(stack, CHARGER_ID, password=CHARGER_PASSWORD, protocols=OCPP) == 101
    attempts = await site.operator.get_all("/v1/connection-attempts")
    assert sorted((attempt["status"], attempt["reason"]) for attempt in attempts) == [
        (400, "subprotocol_missing"),
        (400, "subprotocol_unsupported"),
        (401, "password_missing"),
        (401, "password_wrong"),
    ]
    admin = Person(stack, ADMIN_EMAIL, ADMIN_PASSWORD)
    await admin.sign_in()
    [unknown] = await admin.get_all("/v1/connection-attempts", unknown="true")
    assert (unknown["charger_id"], unknown["status"], unknown["source_ip"]) == ("CP-UNKNOWN", 404, "127.0.0.1")


async def test_a_switch_lets_a_charger_without_subprotocol_in(stack: Stack, site: Site) -> None:
    patched = await site.operator.ask("PATCH", f"/v1/chargers/{CHARGER_ID}", {"accepts_missing_subprotocol": True})
    assert patched.status == 200
    assert await handshake_status(stack, CHARGER_ID, password=CHARGER_PASSWORD, protocols=()) == 101


BAD_FRAMES = [
    ('[2,"bad-1","Heartbeat",{', "bad-1", "FormationViolation"),
    ('[2,"bad-2","MakeCoffee",{}]', "bad-2", "NotImplemented"),
    ('[2,"bad-3","Reset",{"type":"Hard"}]', "bad-3", "NotSupported"),
    ('[2,"bad-4","Authorize",{"idTag":{}}]', "bad-4", "TypeConstraintViolation"),
    ('[2,"bad-5","FirmwareStatusNotification",{"status":"Asleep"}]', "bad-5", "PropertyConstraintViolation"),
    ('[2,"bad-6","Authorize",{}]', "bad-6", "ProtocolError"),
    ('[2,"bad-7","Heartbeat",[]]', "bad-7", "FormationViolation"),
]
SILENTLY_DROPPED = ["hello", "{}", '[3,"never-asked",{"status":"Accepted"}]', '[4,"never-asked","InternalError","",{}]']


async def test_malformed_frames_get_the_callerror_of_the_standard_and_the_connection_stays(
    stack: Stack, site: Site
) -> None:
    async with connect_raw(stack) as charger:
        await charger.boot()
        for text, message_id, code in BAD_FRAMES:
            answer = await charger.exchange(text, message_id)
            assert answer[:3] == [4, message_id, code], text
        for text in SILENTLY_DROPPED:
            await charger.send(text)
        assert (await charger.call("Heartbeat", {}))["currentTime"]
        assert await charger.is_told_nothing()
        assert not charger.closed.is_set()
    assert await site.operator.get_all("/v1/sessions") == []


async def test_an_unplaced_charger_is_pending(stack: Stack, site: Site) -> None:
    await site.operator.add_charger("CP-NEW")
    async with connect_raw(stack, "CP-NEW") as charger:
        assert (await charger.boot())["status"] == "Pending"
        with pytest.raises(CallError) as refused:
            await charger.start()
        assert refused.value.code == "SecurityError"
    assert await site.operator.get_all("/v1/sessions") == []
    assert await site.driver.balance() == 2000


def wish(charger_id: str = CHARGER_ID, evse_no: int = 1, **money: object) -> dict[str, object]:
    amount = {"amount": 500, "currency": "EUR", **money}
    return {"charger_id": charger_id, "evse_no": evse_no, "amount": amount}


async def test_charges_that_cannot_be(stack: Stack, site: Site) -> None:
    refusals = [
        (wish(amount=5.0), 422, "request_body.invalid"),
        (wish(amount=0), 422, "charging_session.amount"),
        (wish(amount=2001), 409, "ledger.insufficient_funds"),
        (wish(currency="USD"), 422, "charging_session.currency"),
        (wish(evse_no=9), 422, "evse.unknown"),
        (wish("CP-NOBODY"), 404, "charger.not_found"),
        (wish() | {"colour": "red"}, 422, "request_body.invalid"),
        ({}, 422, "connector.missing"),
    ]
    async with connect_raw(stack) as charger:
        await charger.boot()
        seen = []
        for number, (body, _, _) in enumerate(refusals):
            refused = await site.driver.ask("POST", "/v1/driver/sessions", body, key=f"bad-{number}")
            assert refused.headers["content-type"].startswith("application/problem+json")
            assert {"title", "status", "code", "detail", "request_id"} <= refused.body.keys()
            seen.append((body, refused.status, refused.code))
        assert seen == refusals
        assert await charger.is_told_nothing()
    away = await site.driver.ask("POST", "/v1/driver/sessions", wish(), key="away")
    assert (away.status, away.code) == (409, "charger.offline")
    assert await site.driver.balance() == 2000
    assert await site.operator.get_all("/v1/sessions") == []
