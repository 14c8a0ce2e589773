"""Organisations: one's own, and those below it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from chalicelib.identity import service
from chalicelib.identity.api_operator.common import AddressText, State, api, named_or_own, visible
from chalicelib.identity.api_public import PasswordText
from chalicelib.identity.model import Organization
from chalicelib.identity.model.bank_accounts import BankAccount
from chalicelib.kernel.errors import forbidden
from chalicelib.kernel.http import UNSET, PageQuery, PageView, Request, Shape, Unset, changes_of, page_view
from chalicelib.kernel.texts import CountryText, CurrencyText, EmailText, LanguageText, NameText, PhoneText, ZoneText

UserNameText = Annotated[
    str, msgspec.Meta(min_length=3, max_length=40, description="Letters, digits, dots, dashes, underscores.")
]


class AdminCreate(Shape):
    email: EmailText
    full_name: NameText
    user_name: UserNameText | None = None
    password: PasswordText | None = None


class BankAccountCreate(Shape):
    """`number`: an IBAN, or how banks of the country number their accounts."""

    holder: NameText
    number: Annotated[str, msgspec.Meta(min_length=4, max_length=60)]
    bic: Annotated[str, msgspec.Meta(max_length=20)] | None = None
    bank_name: NameText | None = None


class BankAccountView(Shape):
    """`number` shows its last four characters only, unless one may change the settings."""

    holder: str
    number: str
    bic: str | None
    bank_name: str | None
    changed_at: datetime


class OrganizationCreate(Shape):
    """`parent_id`: one's own organisation, or one below it. `kind`: what there may be below that; left out, what is
    opened there first. An agency counts in its operator's currency and zone."""

    name: NameText
    email: EmailText
    admin: AdminCreate
    currency: CurrencyText | None = None
    time_zone: ZoneText | None = None
    kind: Literal["manufacturer", "dealer", "operator", "agency"] | None = None
    parent_id: str | None = None
    language: LanguageText | None = None
    country: CountryText | None = None
    phone: PhoneText | None = None
    address: AddressText | None = None
    bank_account: BankAccountCreate | None = None


class OrganizationPatch(Shape):
    name: NameText | Unset = UNSET
    email: EmailText | Unset = UNSET
    time_zone: ZoneText | Unset = UNSET
    language: LanguageText | Unset = UNSET
    country: CountryText | Unset | None = UNSET
    phone: PhoneText | Unset | None = UNSET
    address: AddressText | Unset | None = UNSET
    bank_account: BankAccountCreate | Unset | None = UNSET
    state: State | Unset = UNSET


class OrganizationView(Shape):
    organization_id: str
    kind: str
    parent_id: str | None
    name: str
    email: str
    currency: str
    time_zone: str
    language: str
    country: str | None
    phone: str | None
    address: str | None
    bank_account: BankAccountView | None
    logo_url: str | None
    state: str
    created_at: datetime


class OrganizationCreatedView(OrganizationView):
    admin_user_id: str


class OrganizationQuery(PageQuery):
    """`parent_id`: whose level is listed, one's own by default. `q`: words in name, e-mail, phone or id."""

    parent_id: str | None = None
    kind: Literal["manufacturer", "dealer", "operator", "agency"] | None = None
    state: State | None = None
    q: Annotated[str, msgspec.Meta(max_length=100)] = ""


def organization_view(req: Request, organization: Organization, *, recorded: bool = False) -> OrganizationView:
    """`recorded`: for the audit log, which keeps no account numbers."""
    account = organization.bank_account
    is_theirs = _is_own(req, organization) or req.actor.is_platform
    whole = is_theirs and req.actor.may("settings:write") and not recorded
    return OrganizationView(
        organization_id=organization.organization_id,
        kind=organization.kind,
        parent_id=organization.parent_id,
        name=organization.name,
        email=organization.email,
        currency=organization.currency,
        time_zone=organization.time_zone,
        language=organization.language,
        country=organization.country,
        phone=organization.phone,
        address=organization.address,
        bank_account=None if account is None else _bank_account_view(account, whole),
        logo_url=logo_url(req, organization),
        state=organization.state,
        created_at=organization.created_at,
    )


def _bank_account_view(account: BankAccount, whole: bool) -> BankAccountView:
    return BankAccountView(
        holder=account.holder,
        number=account.number if whole else account.masked_number,
        bic=account.bic,
        bank_name=account.bank_name,
        changed_at=account.changed_at,
    )


def logo_url(req: Request, organization: Organization) -> str | None:
    """A new picture has a new address, so that nobody is shown the old one."""
    if organization.logo_digest is None:
        return None
    path = f"/v1/organizations/{organization.organization_id}/logo?v={organization.logo_digest[:8]}"
    return f"{req.ctx.settings.public_url}{path}"


@api.post("/v1/organizations", permission="organizations:create")
def create_organization(req: Request, body: OrganizationCreate) -> OrganizationCreatedView:
    """Opens an organisation with its first administrator.

    A platform opens manufacturers, dealers and operators below itself, a manufacturer dealers, a dealer operators, an
    operator agencies. Without a password the administrator is mailed how to choose one.
    """
    admin = service.NewUser(
        email=body.admin.email,
        full_name=body.admin.full_name,
        password=body.admin.password,
        user_name=body.admin.user_name,
    )
    new = service.NewOrganization(
        name=body.name,
        email=body.email,
        currency=body.currency,
        time_zone=body.time_zone,
        language=body.language,
        country=body.country,
        phone=body.phone,
        kind=body.kind,
        address=body.address,
        bank_account=_new_bank_account(body.bank_account),
        admin=admin,
    )
    parent = named_or_own(req, body.parent_id)
    organization, user = service.create_organization(req.uow, new, parent)
    _audit(req, None, organization)
    view = msgspec.structs.asdict(organization_view(req, organization))
    return OrganizationCreatedView(**view, admin_user_id=user.user_id)


@api.get("/v1/organizations", permission="organizations:read")
def list_organizations(req: Request, query: OrganizationQuery) -> PageView[OrganizationView]:
    """The organisations right below one, oldest first: one level of the tree.

    A page may be short while matches are rare; go on with its cursor.
    """
    parent = named_or_own(req, query.parent_id)
    page = service.list_organizations(
        req.ctx,
        parent.organization_id,
        kind=query.kind,
        state=query.state,
        words=query.q,
        limit=query.limit,
        cursor=query.cursor,
    )
    return page_view(page, lambda organization: organization_view(req, organization))


@api.get("/v1/organizations/{organization_id}", permission="organizations:read")
def get_organization(req: Request, organization_id: str) -> OrganizationView:
    """One organisation."""
    return organization_view(req, visible(req, organization_id))


@api.patch("/v1/organizations/{organization_id}", permission="organizations:write")
def update_organization(req: Request, organization_id: str, body: OrganizationPatch) -> OrganizationView:
    """Changes an organisation. Its currency never changes, its state only those above it change.

    A bank account is replaced as a whole: a number with another's BIC is no account. Once the organisation is open, it
    is its own and the platform's to change: who pays out to it must be sure that nobody in between moved it.
    """
    organization = visible(req, organization_id)
    changes = changes_of(body)
    if "state" in changes:
        _check_is_above(req, organization)
    if "bank_account" in changes:
        _check_is_own(req, organization)
        changes["bank_account"] = _new_bank_account(changes["bank_account"])
    return _changed(req, organization, changes)


@api.delete("/v1/organizations/{organization_id}", permission="organizations:write")
def deactivate_organization(req: Request, organization_id: str) -> None:
    """Takes all rights from an organisation's people; from those of an operator's agencies too. Nothing is removed.

    Organisations below a manufacturer or dealer go on working.
    """
    organization = visible(req, organization_id)
    _check_is_above(req, organization)
    _changed(req, organization, {"state": "inactive"})


@api.post("/v1/organizations/{organization_id}/restore", permission="organizations:write", status=200)
def restore_organization(req: Request, organization_id: str) -> OrganizationView:
    """Undoes the deactivation."""
    organization = visible(req, organization_id)
    _check_is_above(req, organization)
    return _changed(req, organization, {"state": "active"})


def _check_is_above(req: Request, organization: Organization) -> None:
    if _is_own(req, organization):
        raise forbidden("Only those above an organisation activate and deactivate it.")


def _check_is_own(req: Request, organization: Organization) -> None:
    if not (_is_own(req, organization) or req.actor.is_platform):
        raise forbidden("Its bank account is changed by the organisation itself.")


def _is_own(req: Request, organization: Organization) -> bool:
    return organization.organization_id == req.organization_id


def _changed(req: Request, organization: Organization, changes: dict[str, Any]) -> OrganizationView:
    changed = service.update_organization(req.uow, organization, changes)
    _audit(req, organization, changed)
    return organization_view(req, changed)


def _audit(req: Request, before: Organization | None, after: Organization) -> None:
    organization_id = after.organization_id
    req.audit(
        "organization",
        organization_id,
        owner_id=organization_id,
        before=None if before is None else organization_view(req, before, recorded=True),
        after=organization_view(req, after, recorded=True),
    )


def _new_bank_account(body: BankAccountCreate | None) -> service.NewBankAccount | None:
    if body is None:
        return None
    return service.NewBankAccount(body.holder, body.number, body.bic, body.bank_name)
