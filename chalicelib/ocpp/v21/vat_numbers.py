"""VAT identification numbers of the European Union, by their form. Pure.

The form alone: whether a number is registered, and to whom, only the tax offices know. Northern Ireland (XI) trades
goods as a part of the union and is served; it is not the United Kingdom's GB.
"""

from __future__ import annotations

import re
from typing import Final

_NATIONAL: Final = {
    "AT": r"U\d{8}",
    "BE": r"[01]\d{9}",
    "BG": r"\d{9,10}",
    "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}",
    "DE": r"\d{9}",
    "DK": r"\d{8}",
    "EE": r"\d{9}",
    "EL": r"\d{9}",
    "ES": r"[A-Z]\d{7}[A-Z0-9]|\d{8}[A-Z]",
    "FI": r"\d{8}",
    "FR": r"[A-HJ-NP-Z0-9]{2}\d{9}",
    "HR": r"\d{11}",
    "HU": r"\d{8}",
    "IE": r"\d{7}[A-W][A-I]?|\d[A-Z+*]\d{5}[A-W]",
    "IT": r"\d{11}",
    "LT": r"\d{9}|\d{12}",
    "LU": r"\d{8}",
    "LV": r"\d{11}",
    "MT": r"\d{8}",
    "NL": r"[A-Z0-9+*]{9}B\d{2}",
    "PL": r"\d{10}",
    "PT": r"\d{9}",
    "RO": r"[1-9]\d{1,9}",
    "SE": r"\d{10}01",
    "SI": r"[1-9]\d{7}",
    "SK": r"\d{10}",
    "XI": r"\d{9}|\d{12}|(?:GD|HA)\d{3}",
}
_FORMS: Final = {country: re.compile(form, re.ASCII) for country, form in _NATIONAL.items()}
_SEPARATORS: Final = re.compile(r"[\s.\-/]")


def is_vat_number(text: str) -> bool:
    """Whether `text` (blanks, dots and dashes aside, in whatever case) has the form of its country's numbers."""
    number = _SEPARATORS.sub("", text).upper()
    form = _FORMS.get(number[:2])
    return form is not None and form.fullmatch(number[2:]) is not None
