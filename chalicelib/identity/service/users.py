"""Users of organisations: added by those who look after them, and bounded by what these may do themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

from pynamodb.expressions.condition import Condition

from chalicelib.identity.model import (
    Organization,
    User,
    check_email,
    check_password,
    shown_name,
    with_shown_names,
)
from chalicelib.identity.model.users import (
    UserName,
    check_narrowing,
    check_not_oneself,
    check_user_name,
    user_name_key,
)
from chalicelib.identity.permissions import ADMIN_GROUPS, check_beyond, giveable
from chalicelib.identity.service.editing import set_named
from chalicelib.identity.service.groups import check_groups, reach
from chalicelib.identity.service.guessing import count_attempt, refuse_after
from chalicelib.identity.service.logins import attach_user, find_login
from chalicelib.identity.service.regions import region_lineage, require_region
from chalicelib.identity.service.rights import forget_rights, granted
from chalicelib.identity.service.settings import check_language, mail_sender
from chalicelib.identity.service.vending_points import get_vending_point
from chalicelib.identity.store import (
    USER_NAMES,
    USERS,
    UserNameRow,
    UserRow,
    user_key,
    user_name_row_key,
    walk_users,
)
from chalicelib.kernel import outbox
from chalicelib.kernel.actor import Actor
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, conflict, invalid, not_found
from chalicelib.kernel.pages import Page, page_of
from chalicelib.kernel.searching import has_words
from chalicelib.kernel.unit_of_work import UnitOfWork

MAX_KNOWN_ADDRESSES: Final = 30
"""Addresses that already sign in, which an organisation may name within the window of the last one."""
KNOWN_ADDRESSES_WINDOW: Final = timedelta(hours=24)
USER_CHANGES = frozenset(
    {"full_name", "phone", "groups", "language", "state", "user_name", "region_ids", "vending_point_ids"}
)


@dataclass(frozen=True)
class NewUser:
    """`groups` empty means the administrators' group of the organisation; without a password they get a mail."""

    email: str
    full_name: str
    password: str | None = None
    groups: list[str] = field(default_factory=list)
    language: str | None = None
    user_name: str | None = None
    phone: str | None = None
    region_ids: list[str] = field(default_factory=list)
    vending_point_ids: list[str] = field(default_factory=list)


def get_user(ctx: Context, user_id: str) -> User:
    """Raises user.not_found."""
    user = USERS.get(ctx, *user_key(user_id))
    if user is None:
        raise not_found("user", user_id)
    return user


def find_user_by_name(ctx: Context, user_name: str) -> User | None:
    """The user who signs in with a name, however it is cased."""
    pointer = USER_NAMES.get(ctx, *user_name_row_key(user_name))
    return None if pointer is None else USERS.get(ctx, *user_key(pointer.user_id))


def names_of_users(ctx: Context, user_ids: Iterable[str]) -> dict[str, str]:
    """What those that exist are called, by id: for a page of a list."""
    found = USERS.batch_get(ctx, [user_key(user_id) for user_id in dict.fromkeys(user_ids)])
    return {user.user_id: user.full_name for user in found}


def list_users(
    ctx: Context,
    organization_id: str,
    *,
    limit: int,
    cursor: str | None,
    state: str | None = None,
    group_id: str | None = None,
    words: str = "",
) -> Page[User]:
    """The users of an organisation, oldest first. `words` all occur in name, address, user name or phone."""

    def keep(user: User) -> bool:
        return (
            state in (None, user.state)
            and (group_id is None or group_id in user.groups)
            and has_words(words, user.full_name, user.email, user.user_name, user.phone)
        )

    steps = walk_users(ctx, organization_id, cursor)
    return page_of(steps, limit, keep)


def create_user(
    uow: UnitOfWork, organization: Organization, new: NewUser, *, by: Actor | None = None, pointer: str = ""
) -> User:
    """A user and the login that opens it. Without a password the user is mailed how to choose one.

    `by`: who gives the rights; None for the first administrator, whom opening an organisation brings with it.
    Raises email.invalid, password.too_short, group.unknown, user.user_name, region.unknown, user.not_narrowable (422),
    permission.beyond_own, forbidden (403), user.email_taken, user.password_not_settable, user.user_name_taken (409).
    """
    ctx = uow.ctx
    email = check_email(new.email, f"{pointer}/email")
    if new.password is not None:
        check_password(new.password, f"{pointer}/password")
    user = User(
        user_id=ctx.new_id("usr"),
        organization_id=organization.organization_id,
        email=email,
        full_name=shown_name(new.full_name, f"{pointer}/full_name"),
        groups=check_groups(ctx, organization, new.groups or [ADMIN_GROUPS[organization.kind]]),
        language=check_language(ctx, organization.organization_id, new.language or organization.language, pointer),
        created_at=ctx.now(),
        phone=new.phone,
        region_ids=sorted(set(new.region_ids)),
        vending_point_ids=sorted(set(new.vending_point_ids)),
    )
    _check_places_exist(ctx, user)
    if by is not None:
        check_may_look_after(ctx, by, organization, user)
    elif user.region_ids or user.vending_point_ids:
        check_narrowing(organization.kind, _lineages(ctx, user), user.vending_point_ids, (None, None))
    if new.user_name is not None:
        _take_user_name(uow, check_user_name(new.user_name, f"{pointer}/user_name"), user.user_id, pointer)
        user = replace(user, user_name=new.user_name)
    uow.create(USERS, user)
    _count_known_address(ctx, organization, new, by)
    attach_user(uow, email=email, password=new.password, user_id=user.user_id, pointer=f"{pointer}/email")
    if new.password is None:
        _invite(uow, user, organization)
    return user


def _count_known_address(ctx: Context, organization: Organization, new: NewUser, by: Actor | None) -> None:
    """An address that is refused tells that it is known: an organisation may find out a few, not try out a list.

    Raises auth.too_many_attempts (429), then for every address."""
    asking = organization.parent_id if by is None else by.organization_id
    subject = f"known_addresses#{asking or organization.organization_id}"
    refuse_after(ctx, subject, MAX_KNOWN_ADDRESSES)
    login = find_login(ctx, new.email)
    if login is not None and (login.user_id is not None or new.password is not None):
        count_attempt(ctx, subject, MAX_KNOWN_ADDRESSES, KNOWN_ADDRESSES_WINDOW)


def update_user(
    uow: UnitOfWork,
    user: User,
    organization: Organization,
    changes: Mapping[str, Any],
    by: str,
    actor: Actor | None = None,
) -> User:
    """Sets only the named attributes (USER_CHANGES); the user as it is then. Nobody (`by`: a user id) takes their own
    rights away. `actor`: who changes somebody else, and so needs to hold what that user may do, before and after.

    Raises user.own_rights (409) besides the errors of `create_user`.
    """
    if unknown := changes.keys() - USER_CHANGES:
        raise ValueError(f"{unknown} of a user cannot be changed")
    ctx = uow.ctx
    check_not_oneself(user, by, changes)
    changes = _normalized(ctx, user, organization, changes)
    changed = replace(user, **changes)
    if actor is not None and by != user.user_id:
        check_may_look_after(ctx, actor, organization, user)
        check_may_look_after(ctx, actor, organization, changed)
    if changed == user:
        return user
    # What was decided from what the user may do and where holds only for that.
    condition = (
        (UserRow.groups == user.groups)
        & (UserRow.region_ids == user.region_ids)
        & (UserRow.vending_point_ids == user.vending_point_ids)
    )
    if "user_name" in changes:
        _change_user_name(uow, user, changes["user_name"])
        condition = condition & _unchanged_name(user)
    set_named(uow, USERS, user_key(user.user_id), changes, condition)
    uow.then(lambda: forget_rights(ctx, user.user_id))
    return changed


def check_may_look_after(ctx: Context, actor: Actor, organization: Organization, user: User) -> None:
    """May somebody make or change this user? Only one who may do no more than they, and works nowhere else. What the
    administrators may give counts as theirs, also while it is not ticked: they can give it to themselves.

    Raises permission.beyond_own, forbidden (403), user.not_narrowable (422).
    """
    ticked = granted(ctx, organization.organization_id, organization.kind, user.groups)
    held = giveable(organization.kind, ticked, user.groups)
    check_beyond(held, reach(ctx, actor), actor.organization_kind or "")
    check_narrowing(
        organization.kind,
        _lineages(ctx, user),
        user.vending_point_ids,
        (actor.region_ids, actor.vending_point_ids),
    )


def _normalized(ctx: Context, user: User, organization: Organization, changes: Mapping[str, Any]) -> dict[str, Any]:
    changes = with_shown_names(changes, "full_name")
    if "groups" in changes:
        changes["groups"] = check_groups(ctx, organization, changes["groups"])
    if "language" in changes:
        check_language(ctx, organization.organization_id, changes["language"])
    if changes.get("user_name") is not None:
        check_user_name(changes["user_name"])
    for name in ("region_ids", "vending_point_ids"):
        if name in changes:
            changes[name] = sorted(set(changes[name]))
    _check_places_exist(ctx, replace(user, **changes), known=user)
    return changes


def _check_places_exist(ctx: Context, user: User, known: User | None = None) -> None:
    """Where a user already worked (`known`) may be gone by now; only what is new must be there."""
    organization_id = user.organization_id
    for position, region_id in enumerate(user.region_ids):
        if known is None or region_id not in known.region_ids:
            require_region(ctx, organization_id, region_id, f"/region_ids/{position}")
    for position, point_id in enumerate(user.vending_point_ids):
        is_old = known is not None and point_id in known.vending_point_ids
        if not is_old and get_vending_point(ctx, organization_id, point_id) is None:
            pointer = f"/vending_point_ids/{position}"
            raise invalid("vending_point.unknown", f"There is no vending point {point_id!r}.", pointer)


def _lineages(ctx: Context, user: User) -> Sequence[tuple[str, ...]]:
    return [region_lineage(ctx, user.organization_id, region_id) for region_id in user.region_ids]


def _change_user_name(uow: UnitOfWork, user: User, user_name: str | None) -> None:
    """The pointers of the names: the old one goes, the new one comes, in the commit that changes the user."""
    old_key = None if user.user_name is None else user_name_key(user.user_name)
    new_key = None if user_name is None else user_name_key(user_name)
    if old_key == new_key:
        return
    if user_name is not None:
        _take_user_name(uow, user_name, user.user_id)
    if user.user_name is not None:
        uow.delete(
            USER_NAMES,
            user_name_row_key(user.user_name),
            condition=UserNameRow.user_id == user.user_id,
            on_conflict=StaleRead("The user"),
        )


def _unchanged_name(user: User) -> Condition:
    if user.user_name is None:
        return UserRow.user_name.does_not_exist()
    return UserRow.user_name == user.user_name


def _take_user_name(uow: UnitOfWork, user_name: str, user_id: str, pointer: str = "") -> None:
    taken = conflict("user.user_name_taken", f"The user name {user_name!r} is taken.", f"{pointer}/user_name")
    uow.create(USER_NAMES, UserName(user_name, user_id), on_conflict=taken)


def _invite(uow: UnitOfWork, user: User, organization: Organization) -> None:
    payload = {
        "email": user.email,
        "full_name": user.full_name,
        "organization_name": organization.name,
        "language": user.language,
        "sender": mail_sender(uow.ctx, organization),
    }
    outbox.emit(uow, "user.invited", user.user_id, payload)
