"""Cases that no test of this folder can play, and why."""

from __future__ import annotations

from typing import Final

_TLS = (
    "TLS ends at the CDN, before any code of ours: its policy is set in infra/template.yaml, and no handshake of its "
)
_NO_OPERATOR = (
    "Needs a mobility operator that makes contract certificates; the platform has none behind it and says so "
)

NOT_DRIVEN: Final[dict[str, str]] = {
    "TC_A_04": _TLS + "can be seen in one process.",
    "TC_A_06": _TLS + "can be seen in one process.",
    "TC_M_26": _NO_OPERATOR + "(Failed).",
    "TC_M_28": _NO_OPERATOR + "(Failed).",
}
