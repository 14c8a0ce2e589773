"""Every case of this folder runs against every authority there is; a new one is a line in AUTHORITIES."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from chalicelib.kernel.clock import VirtualClock
from chalicelib.maintenance.pki.port import CertificateAuthority, Standing
from chalicelib.maintenance.pki.self_signed import SelfSignedAuthority, make_bundle
from tests.contract.pki.papers import intermediate_bundle
from tests.world import START


@dataclass
class Rig:
    """An authority, its clock, and the books that tell it what was issued and revoked."""

    authority: CertificateAuthority
    clock: VirtualClock
    books: dict[str, Standing] = field(default_factory=dict)

    def issue(self, serial_number: str, *, kind: str = "contract", valid_until: datetime | None = None) -> None:
        self.books[serial_number] = Standing(kind, valid_until or self.clock.now() + timedelta(days=90))

    def revoke(self, serial_number: str) -> None:
        self.books[serial_number] = replace(self.books[serial_number], revoked_at=self.clock.now())


def _rsa_bundle(now: datetime) -> str:
    return make_bundle(now, key=rsa.generate_private_key(public_exponent=65537, key_size=2048))


AUTHORITIES: dict[str, Callable[[datetime], str]] = {
    "own root, elliptic curve": make_bundle,
    "own root, RSA": _rsa_bundle,
    "own authority below a root": intermediate_bundle,
}


@pytest.fixture(scope="session", params=AUTHORITIES, ids=lambda name: str(name).replace(" ", "-"))
def bundle(request: pytest.FixtureRequest) -> str:
    return AUTHORITIES[request.param](START)


@pytest.fixture
def rig(bundle: str) -> Rig:
    clock = VirtualClock(START)
    books: dict[str, Standing] = {}
    return Rig(SelfSignedAuthority(bundle, now=clock.now, find_standing=books.get), clock, books)
