"""Names that nobody else in a list may have: compared as people read them, not as they are typed. Pure."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.kernel.errors import invalid


@dataclass(frozen=True)
class TakenName:
    """`holder_id` has this name among the things of one `scope` of an organisation: the regions below one, its vending
    points. Two who give the same name at the same moment meet here."""

    organization_id: str
    scope: str
    key: str
    holder_id: str


def shown_name(name: str, pointer: str = "/name") -> str:
    """The name without blanks around it and with single ones inside. Raises name.empty (422), also for one of signs
    that nobody sees (Unicode's categories C and Z: joiners, marks of direction, blanks)."""
    shown = shown_line(name)
    if shown is None:
        raise invalid("name.empty", "A name has at least one letter.", pointer)
    return shown


def shown_line(text: str | None) -> str | None:
    """The same of a text that may be missing: one that nobody sees is none."""
    shown = " ".join(unicodedata.normalize("NFC", text or "").split())
    return None if all(unicodedata.category(sign)[0] in "CZ" for sign in shown) else shown


def with_shown_names(changes: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The changes of a patch, those of these fields that it has as `shown_name` says. Raises name.empty (422)."""
    return {**changes, **{name: shown_name(changes[name], f"/{name}") for name in names if name in changes}}


def name_key(name: str) -> str:
    """The same for names that read the same: without regard to case, width and composition. A hash: names of any
    script make keys of one length."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", shown_name(name)).casefold())
    return hashlib.sha256(folded.encode()).hexdigest()
