"""An organisation's account at the payment provider, through which it is paid out.

The provider asks the organisation itself who it is and where its bank is, on a page of its own: we never see it.
"""

from __future__ import annotations

from datetime import datetime

from chalicelib.identity import service as identity
from chalicelib.identity.scope import check_works_everywhere
from chalicelib.kernel.errors import DomainError, Kind
from chalicelib.kernel.http import Request, Shape
from chalicelib.kernel.log import logger
from chalicelib.payments import service
from chalicelib.payments.api_operator.common import api
from chalicelib.payments.model import PayoutAccount, PayoutAccountState
from chalicelib.payments.providers import payment_provider


class PayoutAccountView(Shape):
    """`state`: none (nobody asked for it), requested (the provider has not answered: ask again), incomplete (somebody
    has to finish on the provider's page), ready."""

    state: PayoutAccountState
    provider: str | None
    payee_ref: str | None
    email: str | None
    requested_at: datetime | None
    changed_at: datetime | None


class PayoutAccountLink(Shape):
    """The provider's page, for one visit within minutes."""

    url: str


@api.get("/v1/payout-account", permission="withdrawals:read")
def get_payout_account(req: Request) -> PayoutAccountView:
    """The account as the provider says it stands; as we last knew it where the provider does not answer."""
    check_works_everywhere(req)
    account = service.find_payout_account(req.ctx, req.organization_id)
    return _view(None if account is None else _asked(req, account))


@api.put("/v1/payout-account", permission="withdrawals:write")
def put_payout_account(req: Request) -> PayoutAccountView:
    """Opens the account at the provider, with the organisation's name, e-mail and country. Then ask for the link."""
    check_works_everywhere(req)
    organization = identity.get_organization(req.ctx, req.organization_id)
    known = service.find_payout_account(req.ctx, req.organization_id)
    begun = service.begin_payout_account(req.uow, organization)
    req.audit("payout_account", req.organization_id, before=_view(known), after=_view(begun))
    req.commit_first()
    opened = _asked(req, begun)
    if opened != begun:
        req.audit("payout_account", req.organization_id, before=_view(begun), after=_view(opened))
    return _view(opened)


@api.post("/v1/payout-account/links", permission="withdrawals:write", audited=False)
def create_payout_account_link(req: Request) -> PayoutAccountLink:
    """A link to the provider's page, where who is to be paid says who they are and where their bank is."""
    check_works_everywhere(req)
    account = service.find_payee_of(req.ctx, req.organization_id)
    if account is None or account.payee_ref is None:
        detail = "There is no account at the payment provider yet: PUT /v1/payout-account."
        raise DomainError("payout_account.not_found", detail, Kind.NOT_FOUND)
    back = f"{req.ctx.settings.public_url}/v1/payout-accounts/return"
    provider = payment_provider(req.ctx, account.provider)
    return PayoutAccountLink(url=provider.payee_link(account.payee_ref, back, f"{back}?outcome=expired"))


def _asked(req: Request, account: PayoutAccount) -> PayoutAccount:
    try:
        return service.open_payout_account(req.uow, payment_provider(req.ctx, account.provider), account)
    except DomainError as error:
        if error.kind is not Kind.UNAVAILABLE:
            raise
        logger.warning("payout account not asked about", extra={"organization_id": account.organization_id})
        return account


def _view(account: PayoutAccount | None) -> PayoutAccountView:
    if account is None:
        return PayoutAccountView(
            state="none", provider=None, payee_ref=None, email=None, requested_at=None, changed_at=None
        )
    return PayoutAccountView(**{name: getattr(account, name) for name in PayoutAccountView.__struct_fields__})
