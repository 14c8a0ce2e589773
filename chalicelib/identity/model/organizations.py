"""The tree of organisations: platform → manufacturer → dealer → operator → agency. Pure.

An organisation sees its own subtree and nothing else, and opens organisations of the kinds below its own. Where it
stands never changes: `path` names those above it, the platform first, so that whose an object is takes one look.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, get_args

from chalicelib.identity.model.bank_accounts import BankAccount
from chalicelib.kernel.clock import from_epoch_ms
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.ids import derived_id

OrganizationKind = Literal["platform", "manufacturer", "dealer", "operator", "agency"]
OrganizationState = Literal["active", "inactive"]

KINDS: Final[tuple[str, ...]] = get_args(OrganizationKind)
"""From the top of the tree down."""

MAY_OPEN: Final = {
    "platform": ("manufacturer", "dealer", "operator"),
    "manufacturer": ("dealer",),
    "dealer": ("operator",),
    "operator": ("agency",),
    "agency": (),
}
"""Which kinds an organisation of a kind opens right below itself. A platform without manufacturers or dealers opens
operators at once."""

OPENS_FIRST: Final = {
    "platform": "operator",
    "manufacturer": "dealer",
    "dealer": "operator",
    "operator": "agency",
    "agency": "agency",
}
"""What is opened below an organisation of a kind when nobody says which kind."""

PLATFORM_ID = derived_id("org", from_epoch_ms(0), "platform")


@dataclass(frozen=True)
class Organization:
    """A node of the tree. `path` are the ids of those above it, from the platform to its parent. `logo_digest` names
    its logo, if it has one."""

    organization_id: str
    kind: str
    name: str
    email: str
    currency: str
    time_zone: str
    language: str
    created_at: datetime
    parent_id: str | None = None
    path: list[str] = field(default_factory=list)
    country: str | None = None
    phone: str | None = None
    state: OrganizationState = "active"
    address: str | None = None
    bank_account: BankAccount | None = None
    logo_digest: str | None = None

    @property
    def lineage(self) -> tuple[str, ...]:
        """Those above it and itself: everybody within whose subtree it is."""
        return (*self.path, self.organization_id)


def check_kind_below(kind: str, parent_kind: str, pointer: str = "/kind") -> str:
    """Raises organization.kind (422) for a kind that an organisation of `parent_kind` does not open."""
    if kind not in MAY_OPEN.get(parent_kind, ()):
        raise invalid("organization.kind", f"Below {_with_article(parent_kind)} there is no {kind}.", pointer)
    return kind


def check_currency_below(kind: str, currency: str, parent: Organization, pointer: str = "/currency") -> str:
    """Raises organization.currency (422) for an agency that counts in another currency than its operator: what it
    earns is a part of the operator's income."""
    if kind == "agency" and currency != parent.currency:
        raise invalid("organization.currency", f"An agency counts like its operator, in {parent.currency}.", pointer)
    return currency


def check_deactivation(organization: Organization) -> None:
    """Raises organization.platform_stays (422)."""
    if organization.organization_id == PLATFORM_ID:
        raise invalid("organization.platform_stays", "The platform itself stays active.", "/state")


def _with_article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
