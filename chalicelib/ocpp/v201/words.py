"""What several 2.x messages say alike: a reason in people's words, whether more parts of a report follow. Pure."""

from __future__ import annotations

from chalicelib.ocpp.frames import Payload


def reason_text(payload: Payload) -> str:
    """`statusInfo` on one line; empty where there is none."""
    info = payload.get("statusInfo", {})
    return " ".join(str(info[name]) for name in ("reasonCode", "additionalInfo") if info.get(name))


def is_last(payload: Payload) -> bool:
    """Whether this part of a report is the last one (`tbc`: to be continued)."""
    return not payload.get("tbc", False)
