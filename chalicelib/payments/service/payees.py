"""Accounts of organisations at a provider, to be paid through it.

Called by the endpoints, the webhook, and by whoever asks for a payout. Calls to a provider stand between two commits.
Invariant: an organisation has one account at a provider, whoever asks for it and however often.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.identity.model import Organization
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, invalid
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.payments import model
from chalicelib.payments.model import PayeeName, PayoutAccount
from chalicelib.payments.providers.port import PaymentProvider
from chalicelib.payments.store import (
    PAYEE_NAMES,
    PAYOUT_ACCOUNTS,
    PayoutAccountRow,
    payee_name_pk,
    payout_account_pk,
)


def find_payout_account(ctx: Context, organization_id: str) -> PayoutAccount | None:
    """At the provider that the platform pays through now."""
    return PAYOUT_ACCOUNTS.get(ctx, payout_account_pk(organization_id), ctx.settings.payment_provider)


def find_payee_of(ctx: Context, organization_id: str) -> PayoutAccount | None:
    """The account to which an organisation is paid; None before the provider has one."""
    account = find_payout_account(ctx, organization_id)
    return account if account is not None and account.payee_ref is not None else None


def check_payee(ctx: Context, organization_id: str) -> PayoutAccount:
    """Returns the account through which an organisation can be paid. Raises payout.no_payee, payout.payee_not_ready
    (409)."""
    account = find_payout_account(ctx, organization_id)
    if account is None or account.payee_ref is None:
        raise model.no_payee()
    if not account.payouts_enabled:
        raise model.payee_not_ready()
    return account


def find_organization_of(ctx: Context, provider: str, payee_ref: str) -> str | None:
    name = PAYEE_NAMES.get(ctx, payee_name_pk(provider, payee_ref), "payee")
    return None if name is None else name.organization_id


def begin_payout_account(uow: UnitOfWork, organization: Organization) -> PayoutAccount:
    """Writes down that an organisation wants an account: the first of two commits. `open_payout_account` follows.

    Raises payout_account.no_country (422).
    """
    known = find_payout_account(uow.ctx, organization.organization_id)
    if known is not None:
        return known
    if organization.country is None:
        detail = "The organisation has no country: PATCH /v1/organizations/{organization_id} with country."
        raise invalid("payout_account.no_country", detail)
    now = uow.ctx.now()
    account = PayoutAccount(
        organization_id=organization.organization_id,
        provider=uow.ctx.settings.payment_provider,
        email=organization.email,
        country=organization.country,
        name=organization.name,
        requested_at=now,
        changed_at=now,
    )
    uow.create(PAYOUT_ACCOUNTS, account, on_conflict=StaleRead("The payout account"))
    return account


def open_payout_account(uow: UnitOfWork, provider: PaymentProvider, account: PayoutAccount) -> PayoutAccount:
    """Brings the account to how the provider says it stands; one that it does not have yet is made.

    Raises ProviderUnavailable, ProviderRefused: nothing is known then, nothing changed.
    """
    if account.payee_ref is not None:
        return _save(uow, account, model.with_payee(account, provider.find_payee(account.payee_ref), uow.ctx.now()))
    made = model.with_payee(account, provider.create_payee(model.payee_request(account)), uow.ctx.now())
    if made.payee_ref is not None:
        uow.put(PAYEE_NAMES, PayeeName(account.provider, made.payee_ref, account.organization_id))
    return _save(uow, account, made)


def _save(uow: UnitOfWork, before: PayoutAccount, after: PayoutAccount) -> PayoutAccount:
    if after is before:
        return before
    after = replace(after, revision=before.revision + 1)
    uow.put(
        PAYOUT_ACCOUNTS,
        after,
        condition=PayoutAccountRow.revision == before.revision,
        on_conflict=StaleRead("The payout account"),
    )
    return after
