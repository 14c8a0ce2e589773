"""What the endpoints of files share."""

from __future__ import annotations

from typing import Annotated

import msgspec

from chalicelib.files.model import FileFormat
from chalicelib.files.tabular import MEDIA_TYPES
from chalicelib.kernel.actor import Actor
from chalicelib.kernel.http import Answer, Api, Shape

api = Api("files", "operator")

KindText = Annotated[str, msgspec.Meta(min_length=1, max_length=50)]


class FormatQuery(Shape):
    format: FileFormat = "csv"


class Failure(Shape):
    """Why it failed as a whole."""

    code: str
    detail: str


def failure(code: str | None, detail: str | None) -> Failure | None:
    return None if code is None else Failure(code=code, detail=detail or "")


def file_answer(content: bytes, file_format: FileFormat, name: str) -> Answer:
    """`name` without the ending, in ASCII."""
    headers = {
        "content-type": MEDIA_TYPES[file_format],
        "content-disposition": f'attachment; filename="{name}.{file_format}"',
        "x-content-type-options": "nosniff",
    }
    return Answer(content, 200, headers)


def is_confined(actor: Actor) -> bool:
    """Sees only some of what is the organisation's: so also only what they asked for themselves."""
    return actor.organization_kind == "agency" or actor.is_narrowed
