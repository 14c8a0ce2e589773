"""What people call things is kept without blanks around it and is never blanks alone, wherever it is given."""

from __future__ import annotations

from typing import Any

import pytest

from tests.world import World

BLANKS = " \u3000\n"
UNSEEN = "\u200b\u202e \ufeff"
PLACE = {"name": "North", "address": "Nordweg 1", "city": "Kiel", "country": "DE", "time_zone": "Europe/Berlin"}
PRICED = {"currency": "EUR", "elements": [{"price_components": [{"type": "ENERGY", "price": "0.35"}]}]}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/locations", PLACE, "name"),
        ("/v1/locations", PLACE, "address"),
        ("/v1/locations", PLACE, "city"),
        ("/v1/charger-groups", {}, "name"),
        ("/v1/tariffs", PRICED, "name"),
        ("/v1/users", {"email": "new@operator.example"}, "full_name"),
        ("/v1/api-keys", {"permissions": ["locations:read"]}, "name"),
    ],
)
def test_a_new_thing_has_a_name_to_read(world: World, path: str, body: dict[str, Any], field: str) -> None:
    token = world.operator().access_token
    for name in (BLANKS, UNSEEN):
        refused = world.rest.post(path, {**body, field: name}, token=token)
        assert (refused.status, refused.body["code"]) == (422, "name.empty")
        assert refused.body["errors"][0]["pointer"] == f"/{field}"
    made = world.rest.post(path, {**body, field: "  Two \n words "}, token=token)
    assert (made.status, made.body[field]) == (201, "Two words")


def test_a_changed_name_is_one_to_read(world: World) -> None:
    token = world.operator().access_token
    location = world.rest.post("/v1/locations", PLACE, token=token).body["location_id"]
    group = world.rest.post("/v1/charger-groups", {"name": "Yard"}, token=token).body["charger_group_id"]
    for path, field in (
        (f"/v1/locations/{location}", "city"),
        (f"/v1/charger-groups/{group}", "name"),
        ("/v1/me", "full_name"),
    ):
        assert world.rest.patch(path, {field: BLANKS}, token=token).body["code"] == "name.empty"
        assert world.rest.patch(path, {field: " Two  words"}, token=token).body[field] == "Two words"


def test_what_is_blank_of_a_charger_is_not_there(world: World) -> None:
    token = world.operator().access_token
    told = {"charger_id": "CP-1", "name": " ", "serial_number": " SN  1 ", "uid": BLANKS}
    made = world.rest.post("/v1/chargers", told, token=token).body
    assert (made["name"], made["serial_number"], made["uid"]) == (None, "SN 1", None)
    patched = world.rest.patch("/v1/chargers/CP-1", {"name": " A ", "serial_number": " "}, token=token).body
    assert (patched["name"], patched["serial_number"], patched["uid"]) == ("A", None, None)
