"""A registered charger to start from."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger, Handshake, Link
from tests.world import World


def basic(user: str, password: str | bytes) -> str:
    """An Authorization header."""
    secret = password.encode() if isinstance(password, str) else password
    return "Basic " + base64.b64encode(user.encode() + b":" + secret).decode()


@dataclass
class Site:
    """A world with the charger CP-1 of operator org_1, and the moves that tests make with it."""

    world: World
    charger: Charger
    password: str

    def connect(self, connection_id: str) -> None:
        self.world.commit(lambda uow: chargers.open_connection(uow, self.charger, connection_id, "ocpp1.6"))

    def disconnect(self, connection_id: str) -> Any:
        return self.world.commit(lambda uow: chargers.close_connection(uow, connection_id))

    def knock(self, **changes: Any) -> Handshake:
        values = {
            "identity": "CP-1",
            "authorization": basic("CP-1", self.password),
            "offered_protocols": ["ocpp1.6"],
            "source_ip": "192.0.2.7",
        }
        return self.world.commit(lambda uow: chargers.check_handshake(uow, **(values | changes)))

    @property
    def link(self) -> Link:
        link = chargers.get_link(self.world.ctx, self.charger.charger_id)
        assert link is not None
        return link


@pytest.fixture
def site(world: World) -> Site:
    charger = Charger("CP-1", "org_1", 2, "", world.ctx.now())
    registered, password, _ = world.commit(lambda uow: chargers.register_charger(uow, charger, None))
    return Site(world, registered, password)
