"""Id tokens: what drivers present at a charger. Pure.

An id token belongs to one driver at most; a driver may have many.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from chalicelib.kernel.errors import DomainError, Kind, invalid

IdTokenStatus = Literal["active", "blocked", "retired"]
IdTokenKind = Literal["card", "app"]
Verdict = Literal["accepted", "blocked", "expired", "invalid"]

MAX_CARDS = 40
"""Per driver: all of them change in one transaction when the driver is deactivated."""

MAX_CLAIMS_A_DAY: Final = 20
"""Numbers that one driver may try: nobody finds the cards in an operator's drawer by guessing."""
USED_AGAIN_AFTER: Final = timedelta(hours=1)
"""`last_used_at` is that much behind at most: not each charge pays for a write."""

_ID_TOKEN = re.compile(r"[\x21-\x7e]{1,36}")
_UID: Final = re.compile(r"[0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{16}|[0-9A-F]{20}", re.IGNORECASE)
"""ISO 14443-3 (4, 7 or 10 bytes) and ISO 15693-3 (8 bytes) in hex: what readers tell of most cards."""
_SEPARATORS: Final = re.compile(r"[\s:.\-_]+")
_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_APP, _GROUP, _DIGITS = "APP", "DRV", 16


@dataclass(frozen=True)
class IdToken:
    """What a driver presents. All that Authorize and the price must know is on this one row: `driver_active`,
    `refused_by`, `enterprises` and `driver_groups` are copies from the driver. Without a driver it is a card in the
    drawer; `operator_id` is who configured it.

    `visual_number` is what is printed on the card. A driver may take a `claimable` card from the drawer by its number.
    A `retired` one is out of it for good, or until somebody takes the number again.
    """

    id_token: str
    kind: IdTokenKind
    status: IdTokenStatus
    created_at: datetime
    driver_id: str | None = None
    operator_id: str | None = None
    driver_active: bool = True
    refused_by: list[str] = field(default_factory=list)
    expires_at: datetime | None = None
    group_id: str | None = None
    note: str | None = None
    visual_number: str | None = None
    claimable: bool = True
    last_used_at: datetime | None = None
    enterprises: dict[str, str] = field(default_factory=dict)
    driver_groups: dict[str, str] = field(default_factory=dict)

    @property
    def is_retired(self) -> bool:
        return self.status == "retired"

    @property
    def group(self) -> str | None:
        """What ends each other's charges at a charger: the group that the operator gave, else all that its driver
        has (`driver_group`)."""
        return self.group_id or (None if self.driver_id is None else driver_group(self.driver_id))

    def verdict(self, operator_id: str, now: datetime) -> Verdict:
        """May it charge at this operator's chargers (money aside)? In the words of OCPP 1.6 AuthorizationStatus."""
        if self.driver_id is None:
            return "invalid"
        if self.status != "active" or not self.driver_active or operator_id in self.refused_by:
            return "blocked"
        if self.expires_at is not None and self.expires_at <= now:
            return "expired"
        return "accepted"


def id_token_key(id_token: str) -> str:
    """The form in which id tokens are compared: without case (OCPP 1.6, IdToken is a CiString20)."""
    return id_token.upper()


def check_id_token(id_token: str, pointer: str = "/id_token") -> str:
    """Returns it without blanks around. Raises id_token.invalid for what no charger could send: OCPP 2.x has up to 36
    characters; those of 1.6, up to 20, never present a longer one."""
    id_token = id_token.strip()
    if not _ID_TOKEN.fullmatch(id_token):
        raise invalid("id_token.invalid", "An id token has 1 to 36 printable characters without blanks.", pointer)
    return id_token


def numbers_meant(typed: str) -> list[str]:
    """Which numbers somebody may mean who types what is on a card, the likeliest first.

    As it was typed, with digits of any script and full-width letters as ASCII. If what remains without blanks,
    colons, dots, hyphens and underscores is the UID of a card (hex of 4, 7, 8 or 10 bytes), then also that, in upper
    case, as readers tell it: "04:A2:b3 C4" is 04A2B3C4. Nothing else is changed, and never what a charger tells.
    """
    told = "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in typed)
    plain = unicodedata.normalize("NFKC", told).strip()
    compact = _SEPARATORS.sub("", plain)
    if compact != plain and _UID.fullmatch(compact):
        return [plain, compact.upper()]
    return [plain]


def written_otherwise(id_token: str) -> list[str]:
    """The other ways in which the UID of a card is written: plain, with colons, with dashes. None if it is no UID."""
    plain = _SEPARATORS.sub("", id_token)
    if not _UID.fullmatch(plain):
        return []
    pairs = [plain[start : start + 2] for start in range(0, len(plain), 2)]
    forms = (plain, ":".join(pairs), "-".join(pairs))
    return [form for form in forms if id_token_key(form) != id_token_key(id_token)]


def is_id_token(text: str) -> bool:
    return _ID_TOKEN.fullmatch(text) is not None


def check_not_reserved(id_token: str, pointer: str = "/id_token") -> None:
    """Raises id_token.reserved (422) for what the platform itself gives out: tokens of apps, groups of drivers."""
    if looks_like_app_token(id_token) or (
        len(id_token) == len(_GROUP) + _DIGITS and id_token.upper().startswith(_GROUP)
    ):
        raise invalid("id_token.reserved", "Numbers of this form are the platform's own.", pointer)


def in_the_drawer(card: IdToken) -> IdToken:
    """The card without its driver, and without what is copied from the driver."""
    return replace(card, driver_id=None, driver_active=True, refused_by=[], enterprises={}, driver_groups={})


def matches_card(card: IdToken, words: str) -> bool:
    """Every word begins the number, or occurs in the note or in the visual number."""
    number = id_token_key(card.id_token).casefold()
    texts = " ".join((card.note or "", card.visual_number or "")).casefold()
    return all(number.startswith(word) or word in texts for word in words.casefold().split())


def looks_like_app_token(id_token: str) -> bool:
    """Whether it can be one at all; whose it is, `app_token` of that driver tells."""
    return len(id_token) == len(_APP) + _DIGITS and id_token.upper().startswith(_APP)


def app_token(driver_id: str) -> str:
    """The id token that stands for the driver's app: what a charger gets in RemoteStartTransaction. 19 characters."""
    return _APP + _derived(driver_id)


def driver_group(driver_id: str) -> str:
    """The group (1.6: parentIdTag, 2.x: groupIdToken) of a driver's app and of those of the driver's cards to which
    no operator gave one: what one of them began, another may end. No id token, nobody can present it. 19 characters."""
    return _GROUP + _derived(f"group:{driver_id}")


def _derived(secret: str) -> str:
    number = int.from_bytes(hashlib.sha256(secret.encode()).digest()[:10], "big")
    return "".join(_BASE32[(number >> (5 * place)) & 31] for place in range(_DIGITS))


@dataclass(frozen=True)
class FormerOwner:
    """Who had a card last, `until` when: who pays for what a charger tells of that time only later."""

    id_token: str
    driver_id: str
    until: datetime


@dataclass(frozen=True)
class ClaimCount:
    """How many numbers a driver has tried since `since`: at most MAX_CLAIMS_A_DAY in the day after it."""

    driver_id: str
    since: datetime
    made: int


def after_claim(known: ClaimCount | None, driver_id: str, now: datetime) -> ClaimCount:
    """The count with one more. Raises id_token.too_many_claims (429)."""
    if known is None or now - known.since >= timedelta(days=1):
        return ClaimCount(driver_id, now, 1)
    if known.made >= MAX_CLAIMS_A_DAY:
        wait_s = max(1, int((known.since + timedelta(days=1) - now).total_seconds()))
        detail = f"{MAX_CLAIMS_A_DAY} card numbers were tried within a day; try again later."
        raise DomainError("id_token.too_many_claims", detail, Kind.LIMITED, retry_after_s=wait_s)
    return ClaimCount(driver_id, known.since, known.made + 1)
