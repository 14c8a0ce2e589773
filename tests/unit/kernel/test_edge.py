"""Who asked: the CDN is believed because of its secret, a client that says the same is not."""

from __future__ import annotations

import pytest

from chalicelib.kernel import edge
from chalicelib.kernel.context import Context, Settings

SECRET = "s" * 40


@pytest.mark.parametrize(
    ("secret", "sent", "believed"),
    [(SECRET, SECRET, True), (SECRET, "guess", False), (SECRET, "", False), ("", "", False), (SECRET, "ü", False)],
)
def test_the_viewers_address_needs_the_secret(secret: str, sent: str, believed: bool) -> None:
    ctx = Context(Settings(), secrets={"origin-verify": secret})
    headers = {"x-origin-verify": sent, "x-viewer-address": "203.0.113.9"}
    assert edge.viewer_address(ctx, headers, "10.0.0.1") == ("203.0.113.9" if believed else "10.0.0.1")


def test_without_the_header_no_secret_is_read() -> None:
    assert edge.viewer_address(Context(Settings()), {}, "10.0.0.1") == "10.0.0.1"
