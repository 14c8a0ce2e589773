"""Connect: payees' accounts and their onboarding page, transfers, reversals, payouts.

Used by `fake.py`. A payout is paid on the clock, two days after it was made, or when a test says so.
"""

from __future__ import annotations

from infra.local.payments.engine import Call, Engine
from infra.local.payments.objects import connect
from infra.local.payments.objects.common import StripeObject
from infra.local.payments.parameters import StripeError, require
from infra.local.payments.payers import PayerConflict, UnknownPayment


class Payees:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        engine.on_time("payout", self._arrive)

    def create_account(self, call: Call) -> StripeObject:
        account = connect.new_account(call.params, self._engine.new_id, self._engine.now_s())
        self._engine.save(account)
        return account

    def create_link(self, call: Call) -> StripeObject:
        self._account(require(call.params, "account"), "account")
        link_id = self._engine.new_id("link")
        url = f"{call.page_url('connect', call.params['account'])}?link={link_id}"
        link = connect.new_link(call.params, link_id, url, self._engine.now_s())
        self._engine.save(link)
        return {name: value for name, value in link.items() if name != "id"}

    def page(self, account_id: str, link_id: str) -> tuple[StripeObject, StripeObject]:
        """The account and the link by which its owner comes. LookupError: there is no such page."""
        account = self._engine.store.find("account", account_id)
        link = self._engine.store.find("account_link", link_id)
        if account is None or link is None or link["_account_id"] != account_id:
            raise LookupError(link_id)
        return account, link

    def is_usable(self, link: StripeObject) -> bool:
        usable: bool = not link["_used"] and self._engine.now_s() < link["expires_at"]
        return usable

    def visit(self, account_id: str, link_id: str, *, finished: bool) -> StripeObject:
        """The payee is done with the page, or leaves it for another time. The link is used up."""
        engine = self._engine
        with engine.store.transaction():
            account, link = self.page(account_id, link_id)
            if not self.is_usable(link):
                raise PayerConflict("The link is used up.")
            engine.save(link | {"_used": True})
            if finished and not account["details_submitted"]:
                account = connect.finish_onboarding(account)
                engine.save(account)
                engine.tell("account.updated", account)
            return link

    def switch_payouts_off(self, account_id: str) -> None:
        """Stripe asks the payee for more; transfers are still taken."""
        engine = self._engine
        with engine.store.transaction():
            account = self._account(account_id, "account") | {"payouts_enabled": False}
            engine.save(account)
            engine.tell("account.updated", account)

    def transfer(self, call: Call) -> StripeObject:
        engine = self._engine
        account = self._account(require(call.params, "destination"), "destination")
        balance = engine.store.balance(None, require(call.params, "currency"))
        changed = connect.transfer(call.params, account, balance, engine.new_id, engine.now_s())
        engine.save(*changed)
        return changed[0]

    def reverse(self, call: Call) -> StripeObject:
        engine = self._engine
        made = engine.find("transfer", call.object_id)
        balance = engine.store.balance(made["destination"], made["currency"])
        changed = connect.reverse(made, call.params, balance, engine.new_id, engine.now_s())
        engine.save(*changed)
        return changed[0]

    def pay_out(self, call: Call) -> StripeObject:
        engine = self._engine
        account = self._account(call.account, "account") if call.account is not None else None
        balance = engine.store.balance(call.account, require(call.params, "currency"))
        changed = connect.payout(call.params, account, balance, engine.new_id, engine.now_s())
        engine.save(*changed)
        return changed[0]

    def act_on_payout(self, payout_id: str, *, succeeds: bool) -> StripeObject:
        """The payee's bank takes the money, or sends it back (also days after it was thought paid)."""
        engine = self._engine
        engine.pass_time()
        with engine.store.transaction():
            known = engine.store.find_by_our_id("payout", payout_id)
            if not known:
                raise UnknownPayment(payout_id)
            payout = known[0]
            if succeeds:
                if payout["status"] == "failed":
                    raise PayerConflict("The payout is failed.")
                return self._pay(payout) if payout["status"] == "pending" else payout
            try:
                changed = connect.fail_payout(payout, engine.new_id, engine.now_s())
            except StripeError as late:
                raise PayerConflict(late.message) from late
            engine.save(*changed)
            engine.tell("payout.failed", changed[0])
            return changed[0]

    def _account(self, account_id: str, param: str) -> StripeObject:
        account = self._engine.store.find("account", account_id)
        if account is None:
            raise StripeError(f"No such {param}: '{account_id}'", code="resource_missing", param=param)
        return account

    def _arrive(self, payout: StripeObject) -> None:
        self._pay(payout)

    def _pay(self, payout: StripeObject) -> StripeObject:
        paid = payout | {"status": "paid"}
        self._engine.save(paid)
        self._engine.tell("payout.paid", paid)
        return paid
