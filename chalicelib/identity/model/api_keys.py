"""API keys: how machines sign in for an organisation. Pure.

A key belongs to the organisation, not to who made it: it goes on when that person leaves, until somebody revokes it.
Nobody hands out more than they may do themselves (`check_may_hand_out`), at making and at every new secret. What makes
people or keys, or says what they may do, no key may do at all: else one that leaked would outlive its revocation. Nor
what takes a second person: else one pair of eyes would be four.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from chalicelib.identity.permissions import grantable
from chalicelib.kernel.actor import Actor
from chalicelib.kernel.errors import DomainError, conflict, forbidden, invalid, unauthenticated

MARK: Final = "wfk"
"""What every key begins with, so that a scanner for leaked secrets knows one."""
MAX_KEYS: Final = 100
"""Active ones per organisation."""
MAX_ALLOWED_IPS: Final = 20
GRACE: Final = timedelta(hours=24)
LONGEST_GRACE: Final = timedelta(days=7)
NEVER_HELD: Final = frozenset(
    {"users:write", "user_groups:write", "api_keys:write", "organizations:create", "withdrawals:approve"}
)

ApiKeyState = Literal["active", "expired", "revoked"]


@dataclass(frozen=True)
class ApiKey:
    """`region_ids` and `vending_point_ids` are those of its maker at the time; empty is everywhere.

    `secret_hash` is a keyed hash. After a rotation the secret before is good until `previous_until`.
    """

    api_key_id: str
    organization_id: str
    name: str
    permissions: list[str]
    secret_hash: str
    created_at: datetime
    created_by: str
    region_ids: list[str] = field(default_factory=list)
    vending_point_ids: list[str] = field(default_factory=list)
    allowed_ips: list[str] = field(default_factory=list)
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    rotated_at: datetime | None = None
    previous_hash: str | None = None
    previous_until: datetime | None = None
    revoked_at: datetime | None = None

    def state(self, now: datetime) -> ApiKeyState:
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"

    @property
    def prefix(self) -> str:
        """The public part of the bearer's text, by which people find the key that some machine uses."""
        return f"{MARK}_{self.api_key_id.partition('_')[2]}"

    def good_hashes(self, now: datetime) -> list[str]:
        former = self.previous_hash if self.previous_until is not None and now < self.previous_until else None
        return [self.secret_hash] if former is None else [self.secret_hash, former]

    def allows_from(self, source_ip: str) -> bool:
        if not self.allowed_ips:
            return True
        try:
            address = ipaddress.ip_address(source_ip)
        except ValueError:
            return False
        return any(address in ipaddress.ip_network(network) for network in self.allowed_ips)

    def tells_use(self, now: datetime) -> bool:
        """Whether the use of now is written down: once an hour is enough to see that a key is in use."""
        return self.last_used_at is None or _hour(now) > self.last_used_at

    def used(self, now: datetime) -> ApiKey:
        return replace(self, last_used_at=_hour(now))

    def rotated(self, secret_hash: str, grace: timedelta, now: datetime) -> ApiKey:
        """With a new secret; the one before stays good for `grace`, those before it are over."""
        return replace(
            self,
            secret_hash=secret_hash,
            previous_hash=self.secret_hash if grace else None,
            previous_until=now + grace if grace else None,
            rotated_at=now,
        )


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)


def bearer_text(api_key: ApiKey, secret: str) -> str:
    return f"{api_key.prefix}_{secret}"


def is_bearer_text(text: str) -> bool:
    return text.startswith(f"{MARK}_")


def parse_bearer_text(text: str) -> tuple[str, str] | None:
    """`(api key id, secret)`; None for what we cannot have made."""
    mark, _, rest = text.partition("_")
    number, _, secret = rest.partition("_")
    if mark != MARK or not (number.isascii() and number.isalnum() and secret.isascii() and secret.isalnum()):
        return None
    return f"key_{number}", secret


def check_permissions(names: Iterable[str], actor: Actor) -> list[str]:
    """Sorted, each once. Raises api_key.permissions_missing, permission.unknown, permission.not_for_keys (422), and
    forbidden (403) for what the maker may not do."""
    wanted = list(names)
    if not wanted:
        raise invalid("api_key.permissions_missing", "A key that may do nothing is of no use.", "/permissions")
    known = grantable(actor.organization_kind or "")
    for position, name in enumerate(wanted):
        if name not in known:
            raise invalid("permission.unknown", f"There is no permission {name!r} here.", f"/permissions/{position}")
        if name in NEVER_HELD:
            raise invalid("permission.not_for_keys", f"No API key may hold {name}.", f"/permissions/{position}")
    for name in wanted:
        actor.require(name)
    return sorted(set(wanted))


def check_may_hand_out(api_key: ApiKey, actor: Actor) -> None:
    """Raises forbidden (403) when the key may do more, or elsewhere, than who asks for a secret of it."""
    for name in api_key.permissions:
        actor.require(name)
    for own, keys in ((actor.region_ids, api_key.region_ids), (actor.vending_point_ids, api_key.vending_point_ids)):
        if own is not None and not (keys and own.issuperset(keys)):
            raise forbidden("This key works where you do not.")


def check_allowed_ips(texts: Iterable[str]) -> list[str]:
    """Addresses and networks (CIDR), as they are written properly. Raises api_key.address (422)."""
    checked = []
    for position, text in enumerate(texts):
        try:
            checked.append(str(ipaddress.ip_network(text.strip(), strict=False)))
        except ValueError:
            detail = f"{text!r} is neither an IP address nor a network."
            raise invalid("api_key.address", detail, f"/allowed_ips/{position}") from None
    return sorted(set(checked))


def check_end(expires_at: datetime | None, now: datetime) -> datetime | None:
    """Raises api_key.expires_at (422) for a moment that is over."""
    if expires_at is not None and expires_at <= now:
        raise invalid("api_key.expires_at", "This moment is over.", "/expires_at")
    return expires_at


def api_key_invalid() -> DomainError:
    """One error for unknown, wrong, expired and revoked keys."""
    return unauthenticated("auth.api_key_invalid", "This API key is unknown, expired or revoked.")


def not_active() -> DomainError:
    return conflict("api_key.not_active", "This API key is expired or revoked.")


def too_many() -> DomainError:
    return conflict("api_key.too_many", f"An organisation has at most {MAX_KEYS} API keys; revoke one first.")
