"""An enterprise of the site's operator whose member the site's driver is, and what tests ask of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.charging.model import ChargingSession
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver, Enterprise, Member
from chalicelib.ledger import proving
from chalicelib.ledger.model import account_class
from chalicelib.ledger.store import LINES
from chalicelib.settlement import jobs
from tests.site import Site
from tests.world import Reply


@dataclass
class Fleet:
    """`ask` speaks REST as the operator's administrator, with a fresh sign-in each time: months pass here."""

    site: Site
    enterprise_id: str

    def ask(self, method: str, path: str, json: Any = None, **options: Any) -> Reply:
        token = self.site.world.access_token(self.site.operator.user.email)
        return self.site.world.rest.request(method, path, json, token=token, **options)

    @property
    def path(self) -> str:
        return f"/v1/enterprises/{self.enterprise_id}"

    @property
    def enterprise(self) -> Enterprise:
        return drivers.require_enterprise(self.site.world.ctx, self.enterprise_id)

    def free(self) -> int:
        return drivers.free_credit(self.site.world.ctx, self.enterprise).amount

    def used(self) -> int:
        return self.enterprise.credit_limit - self.free()

    def used_by_member(self, driver: Driver | None = None) -> int:
        reply = self.ask("GET", f"{self.path}/members")
        chosen = (driver or self.site.driver).driver_id
        return next(m["used_this_month"]["amount"] for m in reply.body["data"] if m["driver_id"] == chosen)

    def set_member(self, driver: Driver | None = None, **limits: Any) -> Member:
        """Through REST, so that the limits are told as people tell them."""
        chosen = driver or self.site.driver
        body = {name: euro(value) if name.endswith("limit") else value for name, value in limits.items()}
        reply = self.ask("PUT", f"{self.path}/members/{chosen.driver_id}", body)
        assert reply.status == 200, reply.body
        return drivers.require_member(self.site.world.ctx, self.enterprise_id, chosen.driver_id)

    def pay(self, invoice_id: str, amount: int, key: str = "payment-1") -> Reply:
        body = {"amount": euro(amount), "reference": "IBAN 1", "paid_at": self.site.world.ctx.now().isoformat()}
        return self.ask("POST", f"/v1/invoices/{invoice_id}/payments", body, key=key)

    def invoices(self, **query: Any) -> list[dict[str, Any]]:
        data: list[dict[str, Any]] = self.ask("GET", "/v1/invoices", query=query).body["data"]
        return data

    def draw_up(self) -> dict[str, int]:
        answer: dict[str, int] = self.site.world.run_job(jobs.draw_up_invoices)
        self.site.world.run_events()
        return answer


def found_fleet(site: Site, limit: int = 10_000, **member: Any) -> Fleet:
    """An enterprise with a credit of 100.00, of which the site's driver is a member."""
    world = site.world
    world.commit(lambda uow: drivers.link_operator(uow, site.operator.operator_id, site.driver.driver_id))
    fleet = Fleet(site, "")
    body = {"name": "Flotte GmbH", "email": "pay@fleet.example", "credit_limit": euro(limit), "tax_number": "DE1"}
    reply = fleet.ask("POST", "/v1/enterprises", body)
    assert reply.status == 201, reply.body
    fleet.enterprise_id = reply.body["enterprise_id"]
    fleet.set_member(**member)
    return fleet


def euro(amount: int | None) -> dict[str, Any] | None:
    return None if amount is None else {"amount": amount, "currency": "EUR"}


def advance_to(site: Site, moment: str) -> None:
    """RFC 3339."""
    site.advance_s((datetime.fromisoformat(moment) - site.world.clock.now()).total_seconds())


def charge(site: Site, wh: int, *, id_token: str = "", number: int = 0) -> ChargingSession:
    """A whole charge by card at 0.35 EUR/kWh."""
    options = {"id_token": id_token} if id_token else {}
    outcome = site.start(meter_wh=1000, message_id=f"start-{number}-{site.world.clock.now()}", **options)
    site.stop(outcome.transaction_id, 1000 + wh)
    site.world.run_events()
    return site.sessions()[-1]


def balances_by_class(site: Site) -> dict[str, int]:
    """What is in all accounts of a class together, from every entry there is."""
    totals: dict[str, int] = {}
    for line in LINES.scan_all(site.world.ctx):
        for posting in line.postings:
            name = account_class(posting.account_id)
            totals[name] = totals.get(name, 0) + posting.amount
    return totals


def prove(site: Site) -> None:
    proof = proving.prove_ledger(site.world.ctx)
    assert proof.faults == []
