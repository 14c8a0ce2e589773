"""An operator that puts money into wallets and takes back what it earned, and what the platform trusts it with."""

from __future__ import annotations

from typing import Any

from chalicelib.charging.model import ChargingSession
from chalicelib.drivers import service as drivers
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import payable_account
from chalicelib.settlement import jobs as settlement
from chalicelib.settlement import service as settlements
from chalicelib.wallets.store import EXPOSURES, exposure_key
from tests.site import Site
from tests.world import Reply


def euro(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


def put_limit(site: Site, limit: int | None, token: str = "") -> Reply:
    """By the platform, unless by somebody else."""
    query = {"organization_id": site.operator.operator_id}
    chosen = token or site.world.platform_admin()
    return site.world.rest.put("/v1/settings/credit", {"limit": limit}, token=chosen, query=query)


def trust_with(site: Site, limit: int) -> None:
    site.world.commit(lambda uow: drivers.link_operator(uow, site.operator.operator_id, site.driver.driver_id))
    reply = put_limit(site, limit)
    assert reply.status == 200, reply.body


def ask(site: Site, path: str, body: dict[str, Any], key: str = "") -> Reply:
    """As the operator's administrator, with a fresh sign-in: days pass here."""
    site.advance_s(1)
    token = site.world.access_token(site.operator.user.email)
    return site.world.rest.post(path, body, token=token, key=key or f"at-{site.world.clock.now()}")


def take_cash(site: Site, amount: int, key: str = "", direction: str = "top_up", currency: str = "EUR") -> Reply:
    body = {"direction": direction, "amount": {"amount": amount, "currency": currency}, "reason": "cash"}
    return ask(site, f"/v1/wallets/{site.driver.driver_id}/adjustments", body, key)


def correct(site: Site, session: ChargingSession, cost: int) -> Reply:
    body = {"amount": euro(cost), "reason": "A friend"}
    return ask(site, f"/v1/sessions/{session.session_id}/corrections", body)


def resolve(site: Site, session_id: str, kind: str, **wish: Any) -> Reply:
    return ask(site, f"/v1/sessions/{session_id}/resolution", {"kind": kind, "reason": "A friend", **wish})


def withdraw(site: Site, amount: int) -> Reply:
    account = {"bank_account": {"holder": "Operator", "number": "DE89370400440532013000"}}
    token = site.world.access_token(site.operator.user.email)
    site.world.rest.patch(f"/v1/organizations/{site.operator.operator_id}", account, token=token)
    return ask(site, "/v1/withdrawals", {"amount": euro(amount)})


def settle_night(site: Site) -> None:
    event = {"operator_id": site.operator.operator_id, "business_day": site.world.clock.now().date().isoformat()}
    site.advance(24 * 60)
    site.world.run_job(settlement.open_settlements)
    settlement.settlement_compute(event, None)
    settlement.settlement_post(event, None)
    run = settlements.require_run(site.world.ctx, site.operator.operator_id, event["business_day"])
    assert (run.state, run.difference) == ("posted", None)


def owed(site: Site) -> int:
    """To the operator, of what is settled."""
    return ledger.balance(site.world.ctx, payable_account(site.operator.operator_id, "EUR")).amount


def unsettled(site: Site) -> int:
    exposure = EXPOSURES.get(site.world.ctx, *exposure_key(site.operator.operator_id, "EUR"))
    return 0 if exposure is None else exposure.unsettled
