"""What imports and exports have in common: work that goes on after the answer, a file that is kept a while. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

RETENTION: Final = timedelta(days=7)
"""Of files and of what is known of them."""

FileFormat = Literal["csv", "xlsx"]
JobState = Literal["queued", "running", "done", "failed"]

TRANSITIONS: Final[dict[tuple[JobState, str], JobState]] = {
    ("queued", "began"): "running",
    ("running", "began"): "running",
    ("running", "finished"): "done",
    ("running", "gave_up"): "failed",
}
OVER: Final[frozenset[JobState]] = frozenset({"done", "failed"})


@dataclass(frozen=True)
class Acting:
    """Who asked, and what they might then: work that is done later is done with no more than that."""

    kind: Literal["person", "api_key", "system", "anonymous"]
    login_id: str
    organization_id: str | None
    organization_kind: str | None
    user_id: str | None
    api_key_id: str | None
    permissions: list[str]
    region_ids: list[str] | None
    vending_point_ids: list[str] | None
