"""What a simulated charger keeps without power: in a file, written whole or not at all; with no path, nowhere."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.local.simulators.evse import Evse, Interrupted


@dataclass
class Flash:
    """`read` once at power-on, `write` whenever something of it changed."""

    path: Path | None
    password: bytes | None = None
    changed: dict[str, str] = field(default_factory=dict)
    """Variables that were written, by their 2.x name."""
    list_version: int = 0
    listed: set[str] = field(default_factory=set)
    """The id tokens of the local list."""

    def read(self, evses: dict[int, Evse]) -> None:
        """Fills in what was kept; a delivery that ran is `interrupted` now."""
        if self.path is None or not self.path.exists():
            return
        state: dict[str, Any] = json.loads(self.path.read_text())
        kept_password = state.get("password")
        self.password = None if kept_password is None else bytes.fromhex(kept_password)
        self.changed = state.get("changed", {})
        self.list_version = state.get("list_version", 0)
        self.listed = set(state.get("listed", ()))
        for evse_no, evse in evses.items():
            kept = state.get("evses", {}).get(str(evse_no))
            if kept is not None:
                evse.register_wh = kept["register_wh"]
                evse.is_operative = kept["is_operative"]
                if kept["transaction_id"] is not None:
                    evse.interrupted = Interrupted(kept["transaction_id"], kept["seq_no"])

    def write(self, evses: dict[int, Evse]) -> None:
        if self.path is None:
            return
        state = {
            "evses": {str(evse_no): _kept(evse) for evse_no, evse in evses.items()},
            "password": None if self.password is None else self.password.hex(),
            "changed": self.changed,
            "list_version": self.list_version,
            "listed": sorted(self.listed),
        }
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps(state))
        draft.replace(self.path)


def _kept(evse: Evse) -> dict[str, Any]:
    delivery, running = evse.delivery, evse.interrupted
    if delivery is not None and delivery.transaction_id is not None:
        running = Interrupted(delivery.transaction_id, delivery.seq_no)
    return {
        "register_wh": evse.register_wh,
        "is_operative": evse.is_operative,
        "transaction_id": None if running is None else running.transaction_id,
        "seq_no": 0 if running is None else running.seq_no,
    }
