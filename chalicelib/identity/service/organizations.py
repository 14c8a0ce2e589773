"""Organisations: each opened by one above it with its first administrator, and kept up by itself and those above."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.identity.model import (
    PLATFORM_ID,
    Organization,
    User,
    check_email,
    check_kind_below,
    check_time_zone,
    shown_name,
)
from chalicelib.identity.model.bank_accounts import BankAccount, check_account_number, check_bic
from chalicelib.identity.model.logos import Logo
from chalicelib.identity.model.organizations import OPENS_FIRST, check_currency_below, check_deactivation
from chalicelib.identity.permissions import ADMIN_GROUPS
from chalicelib.identity.service.editing import set_named
from chalicelib.identity.service.logins import add_login, find_login
from chalicelib.identity.service.settings import check_language
from chalicelib.identity.service.users import NewUser, create_user
from chalicelib.identity.store import (
    LOGOS,
    ORGANIZATION_PREFIX,
    ORGANIZATIONS,
    USERS,
    ByOrganization,
    OrganizationRow,
    logo_key,
    organization_key,
)
from chalicelib.kernel.clock import from_epoch_ms
from chalicelib.kernel.context import Context
from chalicelib.kernel.countries import check_country
from chalicelib.kernel.errors import conflict, invalid, not_found
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.money import check_currency
from chalicelib.kernel.pages import Page, page_of
from chalicelib.kernel.searching import has_words
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit

ORGANIZATION_CHANGES = frozenset(
    {"name", "email", "phone", "time_zone", "language", "country", "address", "bank_account", "state"}
)
_OPERATORS_PER_PAGE = 100


@dataclass(frozen=True)
class NewBankAccount:
    """As somebody typed it."""

    holder: str
    number: str
    bic: str | None = None
    bank_name: str | None = None


@dataclass(frozen=True)
class NewOrganization:
    """`kind` None is what is opened there first; an agency's currency and zone None are its operator's; a language
    None is the parent's."""

    name: str
    email: str
    currency: str | None
    time_zone: str | None
    admin: NewUser
    language: str | None = None
    country: str | None = None
    phone: str | None = None
    kind: str | None = None
    address: str | None = None
    bank_account: NewBankAccount | None = None


def find_organization(ctx: Context, organization_id: str) -> Organization | None:
    return ORGANIZATIONS.get(ctx, *organization_key(organization_id))


def get_organization(ctx: Context, organization_id: str) -> Organization:
    """Raises organization.not_found."""
    organization = find_organization(ctx, organization_id)
    if organization is None:
        raise not_found("organization", organization_id)
    return organization


def list_organizations(
    ctx: Context,
    parent_id: str,
    *,
    limit: int,
    cursor: str | None,
    kind: str | None = None,
    state: str | None = None,
    words: str = "",
) -> Page[Organization]:
    """The organisations right below `parent_id`, oldest first. `words` all occur in name, e-mail, phone or id."""

    def keep(found: Organization) -> bool:
        is_such = kind in (None, found.kind) and state in (None, found.state)
        return is_such and has_words(words, found.name, found.email, found.phone, found.organization_id)

    steps = ORGANIZATIONS.walk(
        ctx,
        parent_id,
        ByOrganization.pk.startswith(ORGANIZATION_PREFIX),
        index=OrganizationRow.by_organization,
        cursor=cursor,
    )
    return page_of(steps, limit, keep)


def lineage_of(ctx: Context, organization_id: str) -> tuple[str, ...]:
    """Those above an organisation and itself, the platform first; empty for one that does not exist. Never changes,
    so a warm process asks once."""
    cache = ctx.cache("identity.lineages", size=10_000)

    def load() -> tuple[str, ...] | None:
        organization = find_organization(ctx, organization_id)
        return None if organization is None else organization.lineage

    return cache.get_or_load(organization_id, load) or ()


def is_within(ctx: Context, organization_id: str, root_id: str) -> bool:
    """Is an organisation in the subtree of `root_id` (itself included)?"""
    return organization_id == root_id or root_id in lineage_of(ctx, organization_id)


def list_operators(ctx: Context) -> Iterator[Organization]:
    """Every operator of the platform, streamed: for jobs."""
    yield from operators_below(ctx, PLATFORM_ID)


def operators_below(ctx: Context, parent_id: str) -> Iterator[Organization]:
    """Every operator of a subtree, streamed."""
    cursor: str | None = None
    while True:
        page = list_organizations(ctx, parent_id, limit=_OPERATORS_PER_PAGE, cursor=cursor)
        for organization in page.data:
            if organization.kind == "operator":
                yield organization
            else:
                yield from operators_below(ctx, organization.organization_id)
        cursor = page.next_cursor
        if cursor is None:
            return


def create_organization(
    uow: UnitOfWork, new: NewOrganization, parent: Organization | None = None
) -> tuple[Organization, User]:
    """An organisation right below `parent` (None: the platform) and its first administrator.

    Raises organization.kind, organization.currency, field.missing, name.empty, email.invalid, currency.invalid,
    time_zone.unknown, country.unknown, bank_account.* (422), organization.inactive, user.email_taken (409).
    """
    ctx = uow.ctx
    above = parent or find_organization(ctx, PLATFORM_ID) or _platform(ctx, new.email)
    if above.state != "active":
        raise conflict("organization.inactive", "Nothing is opened below a deactivated organisation.")
    kind = check_kind_below(new.kind or OPENS_FIRST[above.kind], above.kind)
    is_agency = kind == "agency"
    check_country(new.country)
    currency = check_currency(_needed(new.currency, above.currency if is_agency else None, "currency"))
    time_zone = _needed(new.time_zone, above.time_zone if is_agency else None, "time_zone")
    organization = Organization(
        organization_id=ctx.new_id("org"),
        kind=kind,
        parent_id=above.organization_id,
        path=list(above.lineage),
        name=shown_name(new.name),
        email=check_email(new.email),
        currency=check_currency_below(kind, currency, above),
        time_zone=check_time_zone(time_zone),
        language=new.language or above.language,
        country=new.country,
        phone=new.phone,
        address=new.address,
        bank_account=_checked_bank_account(ctx, new.bank_account),
        created_at=ctx.now(),
    )
    uow.create(ORGANIZATIONS, organization)
    return organization, create_user(uow, organization, new.admin, pointer="/admin")


def update_organization(uow: UnitOfWork, organization: Organization, changes: Mapping[str, Any]) -> Organization:
    """Sets only the named attributes (ORGANIZATION_CHANGES), None clears; the organisation as it is then. The currency
    of an organisation with books never changes. `bank_account` is a NewBankAccount: the same one again is no change."""
    if unknown := changes.keys() - ORGANIZATION_CHANGES:
        raise ValueError(f"{unknown} of an organisation cannot be changed")
    changes = dict(changes)
    if "name" in changes:
        changes["name"] = shown_name(changes["name"])
    if "email" in changes:
        changes["email"] = check_email(changes["email"])
    check_country(changes.get("country"))
    if "time_zone" in changes:
        check_time_zone(changes["time_zone"])
    if "language" in changes:
        check_language(uow.ctx, organization.organization_id, changes["language"])
    if changes.get("bank_account") is not None:
        changes["bank_account"] = _checked_bank_account(uow.ctx, changes["bank_account"], organization.bank_account)
    if changes.get("state") == "inactive":
        check_deactivation(organization)
    changed = replace(organization, **changes)
    if changed != organization:
        set_named(uow, ORGANIZATIONS, organization_key(organization.organization_id), changes)
    return changed


def find_logo(ctx: Context, organization_id: str) -> Logo | None:
    return LOGOS.get(ctx, *logo_key(organization_id), consistent=False)


def put_logo(uow: UnitOfWork, organization: Organization, logo: Logo) -> Organization:
    """The picture, and its name on the organisation, in one commit."""
    if organization.logo_digest == logo.digest:
        return organization
    uow.put(LOGOS, logo)
    return _name_logo(uow, organization, logo.digest)


def remove_logo(uow: UnitOfWork, organization: Organization) -> Organization:
    """Nothing for an organisation without one."""
    if organization.logo_digest is None:
        return organization
    uow.delete(LOGOS, logo_key(organization.organization_id))
    return _name_logo(uow, organization, None)


def _name_logo(uow: UnitOfWork, organization: Organization, digest: str | None) -> Organization:
    changes = {"logo_digest": digest}
    set_named(uow, ORGANIZATIONS, organization_key(organization.organization_id), changes)
    return replace(organization, logo_digest=digest)


def _needed(given: str | None, otherwise: str | None, name: str) -> str:
    value = given or otherwise
    if value is None:
        raise invalid("field.missing", f"This needs a {name.replace('_', ' ')}.", f"/{name}")
    return value


def _checked_bank_account(
    ctx: Context, new: NewBankAccount | None, known: BankAccount | None = None
) -> BankAccount | None:
    if new is None:
        return None
    account = BankAccount(
        holder=shown_name(new.holder, "/bank_account/holder"),
        number=check_account_number(new.number),
        bic=None if new.bic is None else check_bic(new.bic),
        bank_name=new.bank_name,
        changed_at=ctx.now(),
    )
    is_same = known is not None and replace(known, changed_at=account.changed_at) == account
    return known if is_same else account


def ensure_platform_admin(ctx: Context, email: str, password: str | None) -> bool:
    """Creates the platform and its first administrator at the first start; True if it did.

    May be called at every start and by two processes at once: the ids are derived, the platform exists once. Address
    and password are the deployer's own and not judged (`root@localhost` is fine).
    """

    def decide(uow: UnitOfWork) -> bool:
        if find_organization(ctx, PLATFORM_ID) is not None:
            return False
        if find_login(ctx, email) is not None:
            raise conflict("user.email_taken", "The administrator's e-mail address already signs in.")
        organization = _platform(ctx, email)
        now = organization.created_at
        user_id = derived_id("usr", from_epoch_ms(0), "platform_admin")
        user = User(user_id, PLATFORM_ID, email, "Platform administrator", [ADMIN_GROUPS["platform"]], "en", now)
        uow.create(ORGANIZATIONS, organization)
        uow.create(USERS, user)
        add_login(uow, email, password, user_id=user_id)
        return True

    return decide_and_commit(ctx, decide)


def _platform(ctx: Context, email: str) -> Organization:
    """The root of the tree, as it begins."""
    return Organization(
        organization_id=PLATFORM_ID,
        kind="platform",
        name="Platform",
        email=email,
        currency=ctx.settings.default_currency,
        time_zone="UTC",
        language="en",
        created_at=ctx.now(),
    )
