"""What a request changes, said for the audit log: objects before and after, as REST shows them.

An endpoint that changes something says so with `req.audit(...)`; one that forgot is recorded with what was sent, so
that nothing a person changes goes unrecorded. Secrets are masked here, whoever forgets to leave them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

MASK: Final = "***"
MAX_RECORDED_BYTES: Final = 16_384
"""Of one side of a change: beyond it only the names of its members are kept."""
_SECRETS: Final = frozenset({"code", "secret", "content", "api_key", "access_token", "refresh_token", "totp_code"})


@dataclass(frozen=True)
class Change:
    """One object that a request changes. `owner_id` None: the actor's own organisation. `before` None: it is new;
    `after` None: it is gone."""

    object_type: str
    object_id: str
    owner_id: str | None
    before: Any = None
    after: Any = None

    def difference(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What differs, masked: members of `before`, members of `after`."""
        before, after = _members(self.before), _members(self.after)
        if self.before is not None and self.after is not None:
            names = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
            before = {name: before[name] for name in sorted(names) if name in before}
            after = {name: after[name] for name in sorted(names) if name in after}
        return _bounded(masked(before)), _bounded(masked(after))


def masked(value: Any) -> Any:
    """The value with every member that is a secret by its name replaced by MASK."""
    if isinstance(value, Mapping):
        return {
            str(name): MASK if member is not None and _is_secret(str(name)) else masked(member)
            for name, member in value.items()
        }
    if isinstance(value, list | tuple):
        return [masked(member) for member in value]
    return value


def _is_secret(name: str) -> bool:
    return name in _SECRETS or name.endswith(("password", "password_hash", "_secret"))


def _members(side: Any) -> dict[str, Any]:
    if side is None:
        return {}
    members = msgspec.to_builtins(side, str_keys=True)
    return members if isinstance(members, dict) else {"value": members}


def _bounded(members: dict[str, Any]) -> dict[str, Any]:
    if len(msgspec.json.encode(members)) <= MAX_RECORDED_BYTES:
        return members
    return dict.fromkeys(sorted(members)[:200], "(too long to keep)")
