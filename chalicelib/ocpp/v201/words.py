"""What several 2.x messages say alike: a reason in people's words, whether more parts of a report follow. Pure."""

from __future__ import annotations

from chalicelib.ocpp.frames import Payload


def reason_text(payload: Payload, name: str = "statusInfo") -> str:
    """A StatusInfoType of this name on one line; empty where there is none."""
    info = payload.get(name, {})
    return " ".join(str(info[part]) for part in ("reasonCode", "additionalInfo") if info.get(part))


def is_last(payload: Payload) -> bool:
    """Whether this part of a report is the last one (`tbc`: to be continued)."""
    return not payload.get("tbc", False)
