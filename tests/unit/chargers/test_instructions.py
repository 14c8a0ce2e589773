"""What an installer is told, and that a password leaves once, to whom it was meant for."""

from __future__ import annotations

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import password_hash
from chalicelib.chargers.service.registering import PASSWORD_KEY
from tests.site import CHARGER_ID, Site, build_site
from tests.world import World

PATH = f"/v1/chargers/{CHARGER_ID}/connection-instructions"


@pytest.fixture
def site(world: World) -> Site:
    return build_site(world)


def test_the_instructions_say_all_but_the_password(site: Site) -> None:
    body = site.world.rest.get(PATH, token=site.operator.access_token).body
    assert body["full_url"] == f"{body['url']}/{CHARGER_ID}"
    assert (body["identity"], body["username"], body["security_profile"]) == (CHARGER_ID, CHARGER_ID, 1)
    assert body["subprotocols"] == ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"]
    assert body["full_url"] in body["text"]
    assert "password" not in body


def test_an_installer_is_mailed_a_new_password_that_works(site: Site) -> None:
    world = site.world
    reply = world.rest.post(
        f"{PATH}/mails", {"email": "ines@installer.example", "new_password": True}, token=site.operator.access_token
    )
    assert reply.status == 202
    world.run_events()
    [mail] = world.mails("ines@installer.example")
    [line] = [line for line in mail.text.splitlines() if line.startswith("Password")]
    password = line.rsplit(" ", 1)[1]
    charger = chargers.require_charger(world.ctx, CHARGER_ID)
    assert charger.password_hash == password_hash(password.encode(), world.ctx.secret(PASSWORD_KEY).encode())


def test_without_a_new_password_the_present_one_stays_and_is_not_mailed(site: Site) -> None:
    world = site.world
    before = chargers.require_charger(world.ctx, CHARGER_ID).password_hash
    world.rest.post(f"{PATH}/mails", {"email": "ines@installer.example"}, token=site.operator.access_token)
    world.run_events()
    [mail] = world.mails("ines@installer.example")
    assert "Password" not in mail.text
    assert chargers.require_charger(world.ctx, CHARGER_ID).password_hash == before


def test_an_address_that_is_none_changes_nothing(site: Site) -> None:
    world = site.world
    before = chargers.require_charger(world.ctx, CHARGER_ID).password_hash
    body = {"email": "nobody", "new_password": True}
    reply = world.rest.post(f"{PATH}/mails", body, token=site.operator.access_token)
    assert (reply.status, reply.body["code"]) == (422, "email.invalid")
    assert chargers.require_charger(world.ctx, CHARGER_ID).password_hash == before
