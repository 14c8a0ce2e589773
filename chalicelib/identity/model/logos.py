"""The logo of an organisation: a small picture that anybody may see. Pure.

Pictures are told by their first bytes, never by what the sender says of them. No SVG: it is a document with scripts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Final, Literal

from chalicelib.kernel.errors import invalid

LogoType = Literal["image/png", "image/jpeg", "image/webp"]
MAX_LOGO_BYTES: Final = 100 * 1024
MAX_LOGO_TEXT: Final = MAX_LOGO_BYTES * 4 // 3 + 4


@dataclass(frozen=True)
class Logo:
    """`content` is base64; `digest` names this very picture, so that whoever has it need not fetch it again."""

    organization_id: str
    media_type: str
    content: str
    digest: str

    @property
    def picture(self) -> bytes:
        return base64.b64decode(self.content)


def check_logo(organization_id: str, media_type: LogoType, content: str) -> Logo:
    """Raises logo.encoding, logo.empty, logo.too_large, logo.media_type (422)."""
    try:
        picture = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise invalid("logo.encoding", "The content is not base64.", "/content") from None
    if not picture:
        raise invalid("logo.empty", "The content is empty.", "/content")
    if len(picture) > MAX_LOGO_BYTES:
        raise invalid("logo.too_large", f"A logo has at most {MAX_LOGO_BYTES // 1024} KiB.", "/content")
    if told_type(picture) != media_type:
        raise invalid("logo.media_type", f"The content is not {media_type}.", "/content")
    digest = hashlib.sha256(picture).hexdigest()[:32]
    return Logo(organization_id, media_type, base64.b64encode(picture).decode(), digest)


def told_type(picture: bytes) -> str | None:
    """What the first bytes say that it is."""
    if picture.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if picture.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if picture.startswith(b"RIFF") and picture[8:12] == b"WEBP":
        return "image/webp"
    return None
