"""Every permission there is, which kinds of organisation may hold it, and the built-in groups. Pure.

A permission is `resource:action`. An endpoint that names one which is not in this table fails
tests/architecture/test_openapi.py, so that nothing can be asked for that no group could grant. What a user may do is
what the groups tick, within what the kind of the organisation may hold: nobody can tick more than that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from chalicelib.kernel.errors import DomainError, Kind, invalid

_ALL = ("platform", "manufacturer", "dealer", "operator", "agency")
_OPERATOR = ("platform", "operator")
_NETWORK = ("platform", "manufacturer", "dealer", "operator")
_ABOVE = ("platform", "manufacturer", "dealer")


@dataclass(frozen=True)
class Permission:
    """`section` groups the ticks on the screen; those of `system` are off unless somebody means them."""

    name: str
    section: str
    title: str
    kinds: tuple[str, ...]


PERMISSIONS: Final = {
    permission.name: permission
    for permission in (
        Permission("locations:read", "network", "See locations, their map and labels", _ALL),
        Permission("locations:write", "network", "Add and change locations", _OPERATOR),
        Permission("chargers:read", "network", "See chargers, groups and connection attempts", _ALL),
        Permission("chargers:write", "network", "Register, place and change chargers and groups", _NETWORK),
        Permission("chargers:move", "network", "Give chargers to organisations below, and take them back", _ABOVE),
        Permission("chargers:command", "network", "Send commands to chargers", _NETWORK),
        Permission("monitoring:read", "network", "See offline chargers", _ALL),
        Permission("monitoring:write", "network", "Set who is told of offline chargers", _OPERATOR),
        Permission("sessions:read", "charging", "See charging sessions and reservations", _ALL),
        Permission("sessions:write", "charging", "Stop sessions, make and cancel reservations", _OPERATOR),
        Permission("cdrs:read", "charging", "See billing records", _ALL),
        Permission("tariffs:read", "prices", "See tariffs and where they apply", _OPERATOR),
        Permission("tariffs:write", "prices", "Change tariffs and where they apply", _OPERATOR),
        Permission("drivers:read", "customers", "See drivers", ("platform", "operator", "agency")),
        Permission("drivers:write", "customers", "Change, deactivate and restore drivers", _OPERATOR),
        Permission("id_tokens:read", "customers", "See cards", ("platform", "operator", "agency")),
        Permission("id_tokens:write", "customers", "Configure, bind and block cards", _OPERATOR),
        Permission("feedback:read", "customers", "Read feedback", ("platform", "operator", "agency")),
        Permission("feedback:write", "customers", "Answer feedback", _OPERATOR),
        Permission("enterprises:read", "customers", "See enterprises, members and invoices", _OPERATOR),
        Permission(
            "enterprises:write", "customers", "Change enterprises, members and limits, record payments", _OPERATOR
        ),
        Permission("orders:resolve", "charging", "Resolve abnormal orders, correct billed sessions", _OPERATOR),
        Permission("wallets:read", "money", "See balances and transactions", _OPERATOR),
        Permission("wallets:write", "money", "Adjust balances", _OPERATOR),
        Permission("topup_packages:read", "money", "See top-up packages", _OPERATOR),
        Permission("topup_packages:write", "money", "Change top-up packages", _OPERATOR),
        Permission("vouchers:read", "money", "See vouchers and what became of them", _OPERATOR),
        Permission("vouchers:write", "money", "Make vouchers and see their codes, hand out and block them", _OPERATOR),
        Permission("payments:read", "money", "See payments", _OPERATOR),
        Permission("payments:refund", "money", "Pay back payments", _OPERATOR),
        Permission("settlements:read", "money", "See settlements, statements and income", _ALL),
        Permission("contracts:read", "money", "See contracts on commissions and shares", _ALL),
        Permission("contracts:write", "money", "Change contracts on commissions and shares", _NETWORK),
        Permission("withdrawals:read", "money", "See withdrawals", _ALL),
        Permission("withdrawals:write", "money", "Ask for withdrawals, say where they are paid to", _ALL),
        Permission("withdrawals:approve", "money", "Approve withdrawals and mark them as paid", ("platform",)),
        Permission("ledger:read", "money", "See the ledger", _OPERATOR),
        Permission("vending_points:read", "vending", "See vending points", _OPERATOR),
        Permission("vending_points:write", "vending", "Change vending points", _OPERATOR),
        Permission("imports:write", "files", "Import files", _NETWORK),
        Permission("exports:write", "files", "Export lists as files", _ALL),
        Permission("organizations:read", "system", "See the own organisation and those below", _ALL),
        Permission("organizations:write", "system", "Change the own organisation and those below", _ALL),
        Permission("organizations:create", "system", "Open organisations below", _NETWORK),
        Permission("settings:read", "system", "See settings", _ALL),
        Permission("settings:write", "system", "Change settings", _ALL),
        Permission("users:read", "system", "See users", _ALL),
        Permission("users:write", "system", "Add and change users", _ALL),
        Permission("user_groups:read", "system", "See groups and what they may do", _ALL),
        Permission("user_groups:write", "system", "Change groups and what they may do", _ALL),
        Permission("regions:read", "system", "See regions", _OPERATOR),
        Permission("regions:write", "system", "Change regions", _OPERATOR),
        Permission("api_keys:read", "system", "See API keys", _ALL),
        Permission("api_keys:write", "system", "Make and revoke API keys", _ALL),
        Permission("webhook_endpoints:read", "system", "See webhook endpoints and what was sent to them", _ALL),
        Permission("webhook_endpoints:write", "system", "Change webhook endpoints, send again", _ALL),
        Permission("audit:read", "system", "Read the audit log", _ALL),
    )
}

ALL_PERMISSIONS: Final = frozenset(PERMISSIONS)
KEYS_OF_THE_HOUSE: Final = frozenset({"users:read", "users:write", "user_groups:read", "user_groups:write"})
"""What the administrators' group of an organisation never loses: with these, everything else can be given back."""


def grantable(organization_kind: str) -> frozenset[str]:
    """What users of an organisation of this kind may hold at all."""
    return frozenset(name for name, permission in PERMISSIONS.items() if organization_kind in permission.kinds)


def _in(*sections: str) -> frozenset[str]:
    return frozenset(name for name, permission in PERMISSIONS.items() if permission.section in sections)


def _reading(*sections: str) -> frozenset[str]:
    return frozenset(name for name in _in(*sections) if name.endswith(":read"))


@dataclass(frozen=True)
class Group:
    """A built-in group; an organisation may replace its own copy (`UserGroup` of the same id)."""

    group_id: str
    name: str
    description: str
    kinds: tuple[str, ...]
    permissions: frozenset[str]

    def granted_to(self, organization_kind: str) -> frozenset[str]:
        return self.permissions & grantable(organization_kind)


_ADMIN = "Everything, the people and their rights included"
_SEE = _reading("network", "charging", "prices", "customers")

GROUPS: Final = {
    group.group_id: group
    for group in (
        Group("platform_admin", "Platform administrator", _ADMIN, ("platform",), ALL_PERMISSIONS),
        Group("manufacturer_admin", "Manufacturer administrator", _ADMIN, ("manufacturer",), ALL_PERMISSIONS),
        Group("dealer_admin", "Dealer administrator", _ADMIN, ("dealer",), ALL_PERMISSIONS),
        Group("operator_admin", "Operator administrator", _ADMIN, ("operator",), ALL_PERMISSIONS),
        Group("agency", "Agency", _ADMIN, ("agency",), ALL_PERMISSIONS),
        Group(
            "finance",
            "Finance",
            "Prices, money and invoices",
            ("platform", "operator"),
            _in("prices", "money", "files") | _reading("charging", "customers") | {"enterprises:write"},
        ),
        Group(
            "support",
            "Support",
            "Helps drivers: sessions, cards, feedback",
            ("platform", "operator"),
            (_SEE | _in("charging", "customers") | {"wallets:read", "payments:read", "exports:write"})
            - {"enterprises:write"},  # who gives credit and takes payments is finance
        ),
        Group(
            "om_engineer",
            "O&M engineer",
            "Keeps chargers running",
            ("platform", "manufacturer", "dealer", "operator"),
            _in("network") | _reading("charging") | {"regions:read"},
        ),
        Group(
            "vendor",
            "Vendor",
            "Sells at vending points",
            ("operator",),
            frozenset({"vending_points:read"}),
        ),
        Group(
            "sts_engineer",
            "STS engineer",
            "Engineering of prepaid meters",
            ("operator",),
            frozenset({"vending_points:read", "vending_points:write", "regions:read"}),
        ),
        Group(
            "auditor",
            "Auditor",
            "Reads everything, changes nothing",
            _ALL,
            frozenset(name for name in PERMISSIONS if name.endswith(":read")) | {"exports:write"},
        ),
    )
}

ADMIN_GROUPS: Final = {
    "platform": "platform_admin",
    "manufacturer": "manufacturer_admin",
    "dealer": "dealer_admin",
    "operator": "operator_admin",
    "agency": "agency",
}
"""The group of an organisation's first user, by the organisation's kind."""


def built_in(organization_kind: str) -> list[Group]:
    """The built-in groups of organisations of a kind."""
    return [group for group in GROUPS.values() if organization_kind in group.kinds]


def within(permissions: Iterable[str], organization_kind: str) -> frozenset[str]:
    """What of `permissions` an organisation of this kind may hold."""
    return frozenset(permissions) & grantable(organization_kind)


def effective(ticked: Iterable[frozenset[str]], organization_kind: str) -> frozenset[str]:
    """What a user of an organisation of this kind may do, who is in groups with these ticks."""
    return within(frozenset().union(*ticked), organization_kind)


def is_default(permission: Permission) -> bool:
    """Whether a new group is offered it ticked: those of `system` are for who means them."""
    return permission.section != "system"


def check_ticks(permissions: Iterable[str], organization_kind: str) -> frozenset[str]:
    """Raises permission.unknown, permission.not_for_kind (422)."""
    ticked = list(permissions)
    for position, name in enumerate(ticked):
        pointer = f"/permissions/{position}"
        if name not in PERMISSIONS:
            raise invalid("permission.unknown", f"There is no permission {name!r}.", pointer)
        if organization_kind not in PERMISSIONS[name].kinds:
            raise invalid(
                "permission.not_for_kind",
                f"No user of this kind of organisation ({organization_kind}) may hold {name}.",
                pointer,
            )
    return frozenset(ticked)


def locked(group_id: str, organization_kind: str) -> frozenset[str]:
    """What a group of an organisation of this kind never loses."""
    return KEYS_OF_THE_HOUSE if group_id == ADMIN_GROUPS[organization_kind] else frozenset()


def check_keys(group_id: str, organization_kind: str, permissions: frozenset[str]) -> None:
    """Raises user_group.keys (422)."""
    if missing := locked(group_id, organization_kind) - permissions:
        names = ", ".join(sorted(missing))
        raise invalid("user_group.keys", f"The administrators keep {names}.", "/permissions")


def giveable(organization_kind: str, permissions: frozenset[str], group_ids: Iterable[str] = ()) -> frozenset[str]:
    """What somebody may give: what they hold. Who is in the administrators' group gives whatever the kind may hold, so
    that a tick which the administrators took from themselves comes back."""
    if ADMIN_GROUPS[organization_kind] in group_ids:
        return grantable(organization_kind)
    return within(permissions, organization_kind)


def beyond(asked: frozenset[str], own: frozenset[str], own_kind: str) -> frozenset[str]:
    """What of `asked` somebody of an organisation of `own_kind`, who may give `own`, must not give: what they may not
    do themselves.

    Below one's own organisation there are permissions that nobody of one's own kind can hold: a dealer's people change
    no prices, yet somebody must set up the administrators of the operators that the dealer opens. That is for those
    who may give all that there is in their own house.
    """
    return frozenset() if own >= grantable(own_kind) else asked - own


def check_beyond(asked: frozenset[str], own: frozenset[str], own_kind: str) -> None:
    """Raises permission.beyond_own (403)."""
    if more := beyond(asked, own, own_kind):
        names = ", ".join(sorted(more))
        raise DomainError("permission.beyond_own", f"You cannot give what you do not hold: {names}.", Kind.FORBIDDEN)
