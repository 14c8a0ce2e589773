"""Who may speak for a charger, at the wire: certificates, TLS, passwords that change, and what is written down."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger
from chalicelib.kernel import context
from chalicelib.ocpp import jobs
from tests.contract.ocpp.wire import PASSWORD, Wire, place
from tests.world import SECRETS, Operator, World, WorldContext

ORIGIN = "s3cret-of-the-cdn"
NEW = "a-new-password-of-20"
CERTIFIED = {"X-Origin-Verify": ORIGIN, "X-Viewer-Certificate-Subject": "CN=SEC-1,O=Wattfare"}
PLAIN = {"X-Origin-Verify": ORIGIN, "X-Viewer-Scheme": "http"}
TLS = {"X-Origin-Verify": ORIGIN}


@pytest.fixture
def behind_cdn(world: World) -> Iterator[None]:
    context.install(WorldContext(world.ctx.settings, world.clock, {**SECRETS, "origin-verify": ORIGIN}))
    yield
    context.install(world.ctx)


def charger(world: World) -> Charger:
    return chargers.require_charger(world.ctx, "SEC-1")


def attempts(world: World, operator: Operator) -> list[tuple[int, str]]:
    page = chargers.list_attempts(world.ctx, operator.operator_id, charger_id=None, limit=50, cursor=None)
    return [(attempt.status, attempt.reason) for attempt in page.data]


@pytest.mark.usefixtures("behind_cdn")
def test_a_certificate_is_believed_from_the_cdn_alone(world: World, operator: Operator) -> None:
    place(world, operator, "SEC-1", security_profile=3)
    wire = Wire(world, "SEC-1")
    assert wire.connect(password=None, headers=CERTIFIED)[0] == 200
    assert wire.connect(headers=TLS)[0] == 401
    forged = {**CERTIFIED, "X-Origin-Verify": "guess"}
    assert wire.connect(password=None, headers=forged)[0] == 403
    assert attempts(world, operator) == [(401, "certificate_missing")]
    page = chargers.list_attempts(world.ctx, None, charger_id="SEC-1", limit=5, cursor=None)
    assert [attempt.reason for attempt in page.data] == ["around_cdn"]


def test_without_a_cdn_no_header_makes_a_certificate(world: World, operator: Operator) -> None:
    place(world, operator, "SEC-1", security_profile=3)
    assert Wire(world, "SEC-1").connect(headers={"X-Viewer-Certificate-Subject": "CN=SEC-1"})[0] == 401


@pytest.mark.usefixtures("behind_cdn")
def test_a_charger_is_not_let_back_to_a_lower_profile(world: World, operator: Operator) -> None:
    place(world, operator, "SEC-1", security_profile=1)
    wire = Wire(world, "SEC-1")
    assert wire.connect(headers=PLAIN)[0] == 200
    world.commit(lambda uow: chargers.expect_security_profile(uow, "SEC-1", 2))
    assert wire.connect(headers=PLAIN)[0] == 200, "it was told, and has not done it yet"
    assert wire.connect(headers=TLS)[0] == 200
    assert (charger(world).security_profile, charger(world).next_security_profile) == (2, None)
    assert wire.connect(headers=PLAIN)[0] == 401
    assert attempts(world, operator) == [(401, "tls_missing")]


def test_a_profile_below_the_present_one_is_never_expected(world: World, operator: Operator) -> None:
    place(world, operator, "SEC-1", security_profile=2)
    world.commit(lambda uow: chargers.expect_security_profile(uow, "SEC-1", 1))
    assert charger(world).next_security_profile is None


def test_no_password_is_asked_of_profile_0(world: World, operator: Operator) -> None:
    place(world, operator, "SEC-1", security_profile=0)
    wire = Wire(world, "SEC-1")
    assert wire.connect(password=None)[0] == 200
    assert wire.connect(password="not-the-password-at-all")[0] == 200
    assert attempts(world, operator) == [(101, "password_wrong")]


def rotate(world: World, wire: Wire) -> None:
    """An operator has the charger told a new password."""
    charger_row = chargers.require_charger(world.ctx, wire.charger_id)
    world.commit(lambda uow: chargers.rotate_password_by_command(uow, charger_row, NEW, "usr_test"))


def test_both_passwords_open_until_the_new_one_was_seen(world: World, operator: Operator) -> None:
    place(world, operator, "SEC-1")
    wire = Wire(world, "SEC-1")
    wire.connect()
    rotate(world, wire)
    [command] = wire.commands()
    assert wire.connect()[0] == 200, "the answer was lost, or it has not changed yet"
    wire.reply(command, {"status": "Accepted"})
    assert wire.connect(password=NEW)[0] == 200
    assert charger(world).new_password_hash is None
    world.advance(1)
    assert wire.connect(password=PASSWORD)[0] == 401
    assert attempts(world, operator) == [(401, "password_wrong"), (101, "old_password")]


def test_a_charger_that_refuses_keeps_the_old_password_alone(world: World, operator: Operator) -> None:
    place(world, operator, "SEC-1")
    wire = Wire(world, "SEC-1")
    wire.connect()
    rotate(world, wire)
    [command] = wire.commands()
    wire.reply(command, {"status": "Rejected"})
    assert wire.connect(password=NEW)[0] == 401
    assert wire.connect()[0] == 200


def test_a_charger_that_was_silent_may_have_either(world: World, operator: Operator) -> None:
    place(world, operator, "SEC-1")
    wire = Wire(world, "SEC-1")
    wire.connect()
    rotate(world, wire)
    assert len(wire.commands()) == 1
    world.advance(60)
    world.run_job(jobs.expire_commands)
    assert wire.connect()[0] == 200
    assert wire.connect(password=NEW)[0] == 200


def test_the_password_does_not_outlive_its_command(world: World, operator: Operator) -> None:
    place(world, operator, "SEC-1")
    wire = Wire(world, "SEC-1")
    wire.connect()
    rotate(world, wire)
    [sent] = wire.commands()
    queued = world.rest.get(f"/v1/commands/{sent[1]}", token=operator.access_token).body
    assert queued["payload"] == {}
    wire.reply(sent, {"status": "Accepted"})
    kept = chargers.get_command(world.ctx, sent[1])
    assert kept is not None
    assert (kept.state, kept.payload, kept.ocpp_payload) == ("accepted", {}, {})


def test_a_raw_command_that_sets_the_password_is_a_rotation_too(world: World, operator: Operator) -> None:
    place(world, operator, "SEC-1")
    wire = Wire(world, "SEC-1")
    wire.connect()
    body = {"action": "ChangeConfiguration", "payload": {"key": "AuthorizationKey", "value": "00112233" * 5}}
    answer = world.rest.post("/v1/chargers/SEC-1/commands", body, token=operator.access_token)
    assert (answer.status, answer.body["payload"]) == (202, {})
    [sent] = wire.commands()
    assert sent[2:] == ["ChangeConfiguration", {"key": "AuthorizationKey", "value": "00112233" * 5}]
    wire.reply(sent, {"status": "Accepted"})
    assert wire.connect(password="00112233" * 5)[0] == 200
    assert wire.connect()[0] == 401


def test_a_network_profile_may_carry_a_password(world: World, operator: Operator) -> None:
    """OCPP 2.1, B09: it is let in with it from now on; the command's row forgets it."""
    place(world, operator, "SEC-1")
    wire = Wire(world, "SEC-1", protocol="ocpp2.1")
    wire.connect()
    profile = {
        "ocppInterface": "Any",
        "ocppTransport": "JSON",
        "messageTimeout": 30,
        "ocppCsmsUrl": "wss://csms.example/ocpp",
        "securityProfile": 2,
        "basicAuthPassword": NEW,
    }
    body = {"action": "SetNetworkProfile", "payload": {"configurationSlot": 1, "connectionData": profile}}
    answer = world.rest.post("/v1/chargers/SEC-1/commands", body, token=operator.access_token)
    assert answer.status == 202
    assert NEW not in str(answer.body)
    [sent] = wire.commands()
    assert sent[3]["connectionData"] == profile
    wire.reply(sent, {"status": "Accepted"})
    kept = chargers.get_command(world.ctx, sent[1])
    assert kept is not None
    assert NEW not in str(kept)
    assert wire.connect(password=NEW)[0] == 200
    assert wire.connect()[0] == 401
