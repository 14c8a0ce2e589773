"""What the operators' endpoints share: the Api, and how one searches."""

from __future__ import annotations

from typing import Annotated

import msgspec

from chalicelib.kernel.http import Api

api = Api("network", "operator")

SearchText = Annotated[str, msgspec.Meta(min_length=1, max_length=100, description="Words, in any order.")]
