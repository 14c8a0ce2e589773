"""A wallet of which a bank took a payment back, and that has not made it good, begins no charge; what runs goes on."""

from __future__ import annotations

import pytest

from chalicelib.charging import service
from chalicelib.charging.service import authorize_id_token
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import wallet_account
from tests.integration.money.paying import prove
from tests.site import CARD, CHARGER_ID, Site


def block(site: Site, blocks: int = 1) -> None:
    wallet = wallet_account(site.driver.driver_id, "EUR")
    site.world.commit(lambda uow: ledger.block(uow, wallet, blocks))


@pytest.mark.parametrize("amount", [None, 500])
def test_none_from_the_app(site: Site, amount: int | None) -> None:
    block(site)
    session_id = site.world.ctx.new_id("ses")
    request = lambda uow: service.request_session(  # noqa: E731
        uow,
        session_id=session_id,
        driver_id=site.driver.driver_id,
        charger_id=CHARGER_ID,
        evse_no=1,
        amount=None if amount is None else Money(amount, "EUR"),
    )
    with pytest.raises(DomainError, match=r"wallet\.disputed"):
        site.world.commit(request)
    block(site, -1)
    site.world.commit(request)


def test_none_by_card(site: Site) -> None:
    block(site)
    assert authorize_id_token(site.world.ctx, charger=site.charger, id_token=CARD).status == "no_credit"
    outcome = site.start()
    assert outcome.authorization.status == "no_credit"
    [session] = site.sessions()
    assert session.held == 0
    prove(site)


def test_what_runs_goes_on_and_is_paid(site: Site) -> None:
    outcome = site.start(meter_wh=1000)
    assert outcome.authorization.status == "accepted"
    block(site)
    site.stop(outcome.transaction_id, 3000)
    [session] = site.sessions()
    assert (session.cost, session.captured) == (70, 70)
    prove(site)
