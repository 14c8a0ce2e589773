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
TOO_LONG: Final = "(too long to keep)"
MAX_RECORDED_BYTES: Final = 16_384
"""Of one side of a change: of the members that do not fit, the longest first, only the names are kept."""
MAX_RECORDED_MEMBERS: Final = 100
MAX_NAME_CHARACTERS: Final = 60
_SECRETS: Final = frozenset(
    {
        "accesstoken",
        "apikey",
        "authorizationkey",
        "code",
        "content",
        "refreshtoken",
        "totpcode",
        "totpuri",
        "otpauthuri",
        "recoverycodes",
    }
)
_SECRET_ENDINGS: Final = ("password", "passwordhash", "secret", "secrethash", "codehash", "privatekey", "pin")


@dataclass(frozen=True)
class Change:
    """One object that a request changes. `owner_id` None: the actor's own organisation. `before` None: it is new;
    `after` None: it is gone. `for_owner_only`: the log of the actor's organisation has it in another change."""

    object_type: str
    object_id: str
    owner_id: str | None
    before: Any = None
    after: Any = None
    for_owner_only: bool = False

    def difference(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What differs, masked: members of `before`, members of `after`."""
        before, after = _members(self.before), _members(self.after)
        if self.before is not None and self.after is not None:
            names = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
            before = {name: before[name] for name in sorted(names) if name in before}
            after = {name: after[name] for name in sorted(names) if name in after}
        return _bounded(masked(before)), _bounded(masked(after))


def masked(value: Any) -> Any:
    """The value with every member that is a secret by its name replaced by MASK, and the `value` beside a `name` or
    `key` that is one."""
    if isinstance(value, Mapping):
        names_secret = any(is_secret(said) for said in (value.get("name"), value.get("key")) if isinstance(said, str))
        return {
            str(name): MASK
            if member is not None and (is_secret(str(name)) or (names_secret and name == "value"))
            else masked(member)
            for name, member in value.items()
        }
    if isinstance(value, list | tuple):
        return [masked(member) for member in value]
    return value


def is_secret(name: str) -> bool:
    """By what a member is called: in any case, with or without what stands between its words."""
    letters = "".join(letter for letter in name.lower() if letter.isalnum())
    return letters in _SECRETS or letters.endswith(_SECRET_ENDINGS)


def _members(side: Any) -> dict[str, Any]:
    if side is None:
        return {}
    members = msgspec.to_builtins(side, str_keys=True)
    return members if isinstance(members, dict) else {"value": members}


def _bounded(members: dict[str, Any]) -> dict[str, Any]:
    """At most MAX_RECORDED_BYTES as JSON, and a little for what is left out."""
    kept = {name[:MAX_NAME_CHARACTERS]: members[name] for name in sorted(members)[:MAX_RECORDED_MEMBERS]}
    sizes = {name: len(msgspec.json.encode(member)) for name, member in kept.items()}
    whole = len(msgspec.json.encode(kept))
    for name in sorted(sizes, key=lambda name: sizes[name], reverse=True):
        if whole <= MAX_RECORDED_BYTES:
            break
        kept[name] = TOO_LONG
        whole -= sizes[name] - len(TOO_LONG) - 2
    return kept
