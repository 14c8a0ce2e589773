"""Logos: pictures by their bytes, shown to everybody, changed by their own organisation."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.world import Reply, World

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
JPEG = b"\xff\xd8\xff\xe0" + bytes(100)
WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 " + bytes(100)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


def body(picture: bytes, media_type: str = "image/png") -> dict[str, str]:
    return {"media_type": media_type, "content": base64.b64encode(picture).decode()}


def put(world: World, organization_id: str, token: str, sent: dict[str, Any]) -> Reply:
    return world.rest.put(f"/v1/organizations/{organization_id}/logo", sent, token=token)


def shown(world: World, organization_id: str, **headers: str) -> Reply:
    sent = {"Accept": "image/avif,image/webp,image/*,*/*;q=0.8", **headers}
    return world.rest.get(f"/v1/organizations/{organization_id}/logo", headers=sent)


@pytest.mark.parametrize(
    ("picture", "media_type"), [(PNG, "image/png"), (JPEG, "image/jpeg"), (WEBP, "image/webp")]
)  # fmt: skip
def test_a_logo_is_shown_to_everybody_byte_by_byte(world: World, picture: bytes, media_type: str) -> None:
    operator = world.operator()
    assert shown(world, operator.operator_id).status == 404
    view = put(world, operator.operator_id, operator.access_token, body(picture, media_type)).body
    assert f"/v1/organizations/{operator.operator_id}/logo?v=" in view["logo_url"]
    reply = shown(world, operator.operator_id)
    assert reply.status == 200
    assert reply.headers["content-type"] == media_type
    assert reply.body == picture
    assert "public" in reply.headers["cache-control"]
    assert reply.headers["x-content-type-options"] == "nosniff"
    unchanged = shown(world, operator.operator_id, **{"If-None-Match": reply.headers["etag"]})
    assert (unchanged.status, bool(unchanged.body)) == (304, False)


def test_another_picture_has_another_address_and_none_has_none(world: World) -> None:
    operator = world.operator()
    first = put(world, operator.operator_id, operator.access_token, body(PNG)).body["logo_url"]
    assert put(world, operator.operator_id, operator.access_token, body(PNG)).body["logo_url"] == first
    assert put(world, operator.operator_id, operator.access_token, body(JPEG, "image/jpeg")).body["logo_url"] != first
    path = f"/v1/organizations/{operator.operator_id}"
    assert world.rest.delete(f"{path}/logo", token=operator.access_token).status == 204
    assert world.rest.delete(f"{path}/logo", token=operator.access_token).status == 204
    assert world.rest.get(path, token=operator.access_token).body["logo_url"] is None
    assert shown(world, operator.operator_id).status == 404


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (body(SVG), "logo.media_type"),
        (body(JPEG, "image/png"), "logo.media_type"),
        (body(b"RIFF\x10\x00\x00\x00WAVEfmt ", "image/webp"), "logo.media_type"),
        (body(PNG + bytes(100 * 1024 - 264 + 1)), "logo.too_large"),
        (body(PNG + bytes(200 * 1024)), "value.invalid"),
        ({"media_type": "image/png", "content": "not base64!"}, "logo.encoding"),
        ({"media_type": "image/png", "content": "===="}, "logo.encoding"),
        ({"media_type": "image/svg+xml", "content": "PHN2Zz4="}, "value.invalid"),
        ({"media_type": "image/png", "content": ""}, "value.invalid"),
    ],
)
def test_what_is_no_small_picture_is_refused(world: World, sent: dict[str, str], code: str) -> None:
    operator = world.operator()
    reply = put(world, operator.operator_id, operator.access_token, sent)
    assert (reply.status, reply.body["errors"][0]["code"]) == (422, code)
    assert shown(world, operator.operator_id).status == 404


def test_nobody_else_puts_it_but_those_above(world: World) -> None:
    mine, other = world.operator(), world.operator()
    assert put(world, mine.operator_id, other.access_token, body(PNG)).status == 404
    assert world.rest.delete(f"/v1/organizations/{mine.operator_id}/logo", token=other.access_token).status == 404
    assert put(world, mine.operator_id, world.platform_admin(), body(PNG)).status == 200
