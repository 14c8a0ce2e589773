"""A post office of the site's operator, and its receiver in place of HTTP."""

from __future__ import annotations

import pytest

from chalicelib.webhooks.sending import SENDERS
from tests.site import Site
from tests.unit.webhooks.post_office import PostOffice, Receiver


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Receiver:
    made = Receiver()
    monkeypatch.setitem(SENDERS, "http", lambda ctx: made)
    return made


@pytest.fixture
def office(site: Site, receiver: Receiver) -> PostOffice:
    return PostOffice(site.world, site.operator.user.email, receiver)
