"""A second payment provider is a module and a line in the map: everything above it stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from chalicelib.payments.providers import PROVIDERS
from tests.contract.payments.second_bank import SIGNATURE_HEADER, SecondBank, sign
from tests.contract.payments.second_provider import SecondProvider
from tests.integration.money.test_topups import balance, reconcile, settle_events, state, top_up
from tests.world import World

SECRET = "shared with the second provider"


async def nobody(body: bytes, headers: Mapping[str, str]) -> int:
    raise ConnectionRefusedError("the tests carry the notifications themselves")


@pytest.fixture
def bank(world: World, monkeypatch: pytest.MonkeyPatch) -> SecondBank:
    """The second provider is the one that new payments use."""
    bank = SecondBank(world.ctx.now, nobody, api_key="key", secret=SECRET)
    monkeypatch.setitem(
        PROVIDERS, "second", lambda ctx: SecondProvider(bank, api_key="key", webhook_secret=SECRET, now=ctx.now)
    )
    world.ctx.settings = replace(world.ctx.settings, payment_provider="second")
    return bank


def carry(world: World, bank: SecondBank, provider: str = "second") -> list[int]:
    """Brings the provider's notifications to our webhook."""
    return [
        world.rest.post(
            f"/v1/provider-events/{provider}",
            raw=notice.body,
            headers={SIGNATURE_HEADER: sign(notice.body, SECRET, world.ctx.now())},
        ).status
        for notice in bank.notices
    ]


def test_from_its_page_to_the_wallet(world: World, bank: SecondBank) -> None:
    driver = world.driver_token("drv_1")
    status, topup = top_up(world, driver)
    assert (status, topup["redirect_url"]) == (201, "https://second.example/1")
    bank.pay(topup["payment_id"])
    for _ in range(2):  # it tells everything twice
        assert carry(world, bank) == [200]
        settle_events(world)
    assert balance(world, driver) == 2000
    assert state(world, driver, topup["topup_id"]) == "credited"


def test_what_it_did_not_tell_is_looked_up(world: World, bank: SecondBank) -> None:
    driver = world.driver_token("drv_1")
    _, topup = top_up(world, driver)
    bank.pay(topup["payment_id"])
    assert reconcile(world)["succeeded"] == 1
    settle_events(world)
    assert balance(world, driver) == 2000


def test_its_word_is_not_taken_at_anothers_door(world: World, bank: SecondBank) -> None:
    driver = world.driver_token("drv_1")
    _, topup = top_up(world, driver)
    bank.pay(topup["payment_id"])
    assert carry(world, bank, provider="stripe") == [400]
    assert carry(world, bank, provider="third") == [404]
    settle_events(world)
    assert balance(world, driver) == 0
