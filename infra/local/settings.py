"""How the local stack is told to run: the only reader of the environment on this side of the house."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SECRET_NAMES = (
    "access-token-key",
    "charger-password-key",
    "origin-verify",
    "stripe-secret-key",
    "stripe-webhook-secret",
)
DEFAULT_ADMIN_EMAIL = "admin@wattfare.example"
MEMORY = ":memory:"


@dataclass(frozen=True)
class LocalSettings:
    """`data_dir` None keeps nothing. `admin_password` None has one made on the first start, and printed."""

    port: int = 8000
    data_dir: Path | None = Path(".data")
    demo: bool = True
    admin_email: str = DEFAULT_ADMIN_EMAIL
    admin_password: str | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> LocalSettings:
        """PORT, DATA_DIR, EPHEMERAL=1, DEMO=0, ADMIN_EMAIL, ADMIN_PASSWORD. ValueError if PORT is no number."""
        ephemeral = environment.get("EPHEMERAL", "0") == "1"
        return cls(
            port=int(environment.get("PORT", "8000")),
            data_dir=None if ephemeral else Path(environment.get("DATA_DIR", ".data")),
            demo=environment.get("DEMO", "1") != "0",
            admin_email=environment.get("ADMIN_EMAIL", DEFAULT_ADMIN_EMAIL),
            admin_password=environment.get("ADMIN_PASSWORD"),
        )

    def file(self, name: str) -> Path | str:
        """Where a part of the stack keeps its state."""
        return MEMORY if self.data_dir is None else self.data_dir / name

    def prepare(self) -> None:
        if self.data_dir is not None:
            self.data_dir.mkdir(parents=True, exist_ok=True)

    def load_secrets(self) -> dict[str, str]:
        """This installation's secrets: made once, kept beside the data, readable by its owner only."""
        if self.data_dir is None:
            return _new_secrets()
        path = self.data_dir / "secrets.json"
        known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        if not set(SECRET_NAMES) <= known.keys():
            known = _new_secrets() | known
            path.touch(mode=0o600)
            path.write_text(json.dumps(known, indent=1))
        return known


def _new_secrets() -> dict[str, str]:
    made = {name: secrets.token_urlsafe(32) for name in SECRET_NAMES}
    made["stripe-secret-key"] = "sk_test_" + secrets.token_hex(16)
    made["stripe-webhook-secret"] = "whsec_" + secrets.token_hex(16)
    return made
