"""What the operators' endpoints share: the Api, the words of their shapes, and what is whose."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from chalicelib.kernel.http import Api

api = Api("network", "operator")

Unset = msgspec.UnsetType
UNSET = msgspec.UNSET

NameText = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
LineText = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
ShortText = Annotated[str, msgspec.Meta(min_length=1, max_length=50)]
CountryText = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}$(?!\n)", description="ISO 3166-1 alpha-2.")]


def changes_of(patch: msgspec.Struct) -> dict[str, Any]:
    """The fields that a merge patch names (RFC 7396): null removes."""
    values = {name: getattr(patch, name) for name in patch.__struct_fields__}
    return {name: value for name, value in values.items() if value is not UNSET}
