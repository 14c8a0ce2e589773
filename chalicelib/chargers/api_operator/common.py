"""What the operators' endpoints share: the Api, and how one searches."""

from __future__ import annotations

from typing import Annotated

import msgspec

from chalicelib.kernel.http import Api

api = Api("network", "operator")

SearchText = Annotated[str, msgspec.Meta(min_length=1, max_length=100, description="Part of a name, without case.")]


def matches(q: str | None, *texts: str | None) -> bool:
    """Is `q` (None: everything) part of one of the texts, without case?"""
    return q is None or any(q.casefold() in text.casefold() for text in texts if text)
