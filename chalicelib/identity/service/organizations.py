"""Organisations and their users: opened by the platform, kept up by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.identity.model import (
    PLATFORM_ID,
    Organization,
    User,
    check_email,
    check_kind_below,
    check_password,
    check_time_zone,
)
from chalicelib.identity.permissions import ADMIN_GROUPS
from chalicelib.identity.service.groups import check_groups
from chalicelib.identity.service.logins import add_login, attach_user, find_login
from chalicelib.identity.store import (
    ORGANIZATIONS,
    USERS,
    ByOrganization,
    OrganizationRow,
    UserRow,
    organization_key,
    user_key,
)
from chalicelib.kernel import outbox
from chalicelib.kernel.clock import from_epoch_ms
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, conflict, invalid, not_found
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.money import check_currency
from chalicelib.kernel.table import Page, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit

ORGANIZATION_CHANGES = frozenset({"name", "email", "phone", "time_zone", "language", "country", "state"})
USER_CHANGES = frozenset({"full_name", "groups", "language", "state"})
_OPERATORS_PER_PAGE = 100


@dataclass(frozen=True)
class NewUser:
    """`groups` empty means the administrators' group of the organisation; without a password they get a mail."""

    email: str
    full_name: str
    password: str | None = None
    groups: list[str] = field(default_factory=list)
    language: str | None = None


@dataclass(frozen=True)
class NewOrganization:
    name: str
    email: str
    currency: str
    time_zone: str
    language: str
    admin: NewUser
    country: str | None = None
    phone: str | None = None
    kind: str = "operator"


def find_organization(ctx: Context, organization_id: str) -> Organization | None:
    return ORGANIZATIONS.get(ctx, *organization_key(organization_id))


def get_organization(ctx: Context, organization_id: str) -> Organization:
    """Raises organization.not_found."""
    organization = find_organization(ctx, organization_id)
    if organization is None:
        raise not_found("organization", organization_id)
    return organization


def list_organizations(ctx: Context, parent_id: str, *, limit: int, cursor: str | None) -> Page[Organization]:
    """The organisations right below `parent_id`, oldest first."""
    steps = ORGANIZATIONS.walk(
        ctx, parent_id, ByOrganization.pk.startswith("org#"), index=OrganizationRow.by_organization, cursor=cursor
    )
    return page_of(steps, limit)


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
    yield from _operators_below(ctx, PLATFORM_ID)


def _operators_below(ctx: Context, parent_id: str) -> Iterator[Organization]:
    cursor: str | None = None
    while True:
        page = list_organizations(ctx, parent_id, limit=_OPERATORS_PER_PAGE, cursor=cursor)
        for organization in page.data:
            if organization.kind == "operator":
                yield organization
            else:
                yield from _operators_below(ctx, organization.organization_id)
        cursor = page.next_cursor
        if cursor is None:
            return


def create_organization(
    uow: UnitOfWork, new: NewOrganization, parent: Organization | None = None
) -> tuple[Organization, User]:
    """An organisation right below `parent` (None: the platform) and its first administrator.

    Raises organization.kind, email.invalid, currency.invalid, time_zone.unknown (422), user.email_taken (409).
    """
    ctx = uow.ctx
    check_kind_below(new.kind, "platform" if parent is None else parent.kind)
    organization = Organization(
        organization_id=ctx.new_id("org"),
        kind=new.kind,
        parent_id=PLATFORM_ID if parent is None else parent.organization_id,
        path=[PLATFORM_ID] if parent is None else list(parent.lineage),
        name=new.name,
        email=check_email(new.email),
        currency=check_currency(new.currency),
        time_zone=check_time_zone(new.time_zone),
        language=new.language,
        country=new.country,
        phone=new.phone,
        created_at=ctx.now(),
    )
    uow.create(ORGANIZATIONS, organization)
    return organization, create_user(uow, organization, new.admin, pointer="/admin")


def update_organization(uow: UnitOfWork, organization: Organization, changes: Mapping[str, Any]) -> None:
    """Sets only the named attributes (ORGANIZATION_CHANGES), None clears. The currency of an organisation with
    books never changes."""
    if unknown := changes.keys() - ORGANIZATION_CHANGES:
        raise ValueError(f"{unknown} of an organisation cannot be changed")
    if "email" in changes:
        changes = {**changes, "email": check_email(changes["email"])}
    if "time_zone" in changes:
        check_time_zone(changes["time_zone"])
    if changes.get("state") == "inactive" and organization.organization_id == PLATFORM_ID:
        raise invalid("organization.platform_stays", "The platform itself stays active.", "/state")
    _set(uow, ORGANIZATIONS, organization_key(organization.organization_id), OrganizationRow, changes)


def get_user(ctx: Context, user_id: str) -> User:
    """Raises user.not_found."""
    user = USERS.get(ctx, *user_key(user_id))
    if user is None:
        raise not_found("user", user_id)
    return user


def list_users(ctx: Context, organization_id: str, *, limit: int, cursor: str | None) -> Page[User]:
    steps = USERS.walk(
        ctx, organization_id, ByOrganization.pk.startswith("user#"), index=UserRow.by_organization, cursor=cursor
    )
    return page_of(steps, limit)


def create_user(uow: UnitOfWork, organization: Organization, new: NewUser, *, pointer: str = "") -> User:
    """A user and the login that opens it. Without a password the user is mailed how to choose one.

    Raises email.invalid, password.too_short, group.unknown (422), user.email_taken, user.password_not_settable.
    """
    ctx = uow.ctx
    email = check_email(new.email, f"{pointer}/email")
    if new.password is not None:
        check_password(new.password, f"{pointer}/password")
    user = User(
        user_id=ctx.new_id("usr"),
        organization_id=organization.organization_id,
        email=email,
        full_name=new.full_name,
        groups=check_groups(ctx, organization, new.groups or [ADMIN_GROUPS[organization.kind]]),
        language=new.language or organization.language,
        created_at=ctx.now(),
    )
    uow.create(USERS, user)
    attach_user(uow, email=email, password=new.password, user_id=user.user_id)
    if new.password is None:
        payload = {
            "email": email,
            "full_name": user.full_name,
            "organization_name": organization.name,
            "language": user.language,
        }
        outbox.emit(uow, "user.invited", user.user_id, payload)
    return user


def update_user(uow: UnitOfWork, user: User, organization: Organization, changes: Mapping[str, Any], by: str) -> None:
    """Sets only the named attributes (USER_CHANGES). Nobody (`by`: a user id) takes their own rights away, so that
    an organisation always keeps somebody who may give them."""
    if unknown := changes.keys() - USER_CHANGES:
        raise ValueError(f"{unknown} of a user cannot be changed")
    if by == user.user_id and changes.keys() & {"groups", "state"}:
        raise conflict("user.own_rights", "You cannot change your own groups or deactivate yourself.")
    if "groups" in changes:
        changes = {**changes, "groups": check_groups(uow.ctx, organization, changes["groups"])}
    _set(uow, USERS, user_key(user.user_id), UserRow, changes)


def _set(uow: UnitOfWork, table: Any, key: tuple[str, str], row: Any, changes: Mapping[str, Any]) -> None:
    """Only what was named is written: two people who edit different fields do not undo each other."""
    actions = [
        getattr(row, name).remove() if value is None else getattr(row, name).set(value)
        for name, value in changes.items()
    ]
    if actions:
        uow.update(table, key, actions, condition=row.pk.exists(), on_conflict=StaleRead("The row"))


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
        now = ctx.now()
        organization = Organization(
            organization_id=PLATFORM_ID,
            kind="platform",
            name="Platform",
            email=email,
            currency=ctx.settings.default_currency,
            time_zone="UTC",
            language="en",
            created_at=now,
        )
        user_id = derived_id("usr", from_epoch_ms(0), "platform_admin")
        user = User(user_id, PLATFORM_ID, email, "Platform administrator", [ADMIN_GROUPS["platform"]], "en", now)
        uow.create(ORGANIZATIONS, organization)
        uow.create(USERS, user)
        add_login(uow, email, password, user_id=user_id)
        return True

    return decide_and_commit(ctx, decide)
