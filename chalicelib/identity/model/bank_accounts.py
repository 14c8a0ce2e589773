"""Where an organisation is paid to. Pure.

The whole number is for those who keep the settings; everybody else sees its end. `changed_at` makes every change of an
account show in the audit log, also one between two numbers that end alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from chalicelib.kernel.errors import invalid

_IBAN_LIKE: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_NUMBER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./-]{2,38}[A-Za-z0-9]")
_BIC: Final = re.compile(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?")
_SHOWN_END: Final = 4


@dataclass(frozen=True)
class BankAccount:
    """`number` is an IBAN without blanks, or what banks of a country without IBAN number their accounts by."""

    holder: str
    number: str
    changed_at: datetime
    bic: str | None = None
    bank_name: str | None = None

    @property
    def masked_number(self) -> str:
        return "•" * (len(self.number) - _SHOWN_END) + self.number[-_SHOWN_END:]


def check_account_number(number: str, pointer: str = "/bank_account/number") -> str:
    """The number as it is stored. What looks like an IBAN must have an IBAN's check digits (ISO 13616, ISO 7064
    MOD 97-10). Raises bank_account.number, bank_account.iban (422)."""
    compact = re.sub(r"\s", "", number).upper()
    if _IBAN_LIKE.fullmatch(compact):
        if _remainder(compact) != 1:
            raise invalid("bank_account.iban", "The check digits of this IBAN do not match.", pointer)
        return compact
    trimmed = " ".join(number.split())
    if not _NUMBER.fullmatch(trimmed):
        raise invalid(
            "bank_account.number", "An account number has 4 to 40 letters, digits, blanks, dots, dashes.", pointer
        )
    return trimmed


def check_bic(bic: str, pointer: str = "/bank_account/bic") -> str:
    """Raises bank_account.bic (422) unless it has the form of ISO 9362."""
    compact = bic.strip().upper()
    if not _BIC.fullmatch(compact):
        raise invalid("bank_account.bic", "A BIC has 8 or 11 letters and digits.", pointer)
    return compact


def _remainder(iban: str) -> int:
    return int("".join(str(int(letter, 36)) for letter in iban[4:] + iban[:4])) % 97
