"""The texts of requests that mean the same everywhere: how long they may be, and what their form is.

A text that only one noun has stands with that noun. Whether an address or a zone exists is asked by the model.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

NameText = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
LineText = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
ShortText = Annotated[str, msgspec.Meta(min_length=1, max_length=50)]
PhoneText = Annotated[str, msgspec.Meta(min_length=3, max_length=32)]
EmailText = Annotated[str, msgspec.Meta(min_length=3, max_length=254, description="An e-mail address.")]
LanguageText = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2}(-[A-Z]{2})?$(?!\n)", description="BCP 47, e.g. `en`.")]
CountryText = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}$(?!\n)", description="ISO 3166-1 alpha-2.")]
CurrencyText = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$(?!\n)", description="ISO 4217.")]
ZoneText = Annotated[str, msgspec.Meta(min_length=1, max_length=64, description="IANA time zone.")]
