"""How the local stack is told to run: the only reader of the environment on this side of the house."""

from __future__ import annotations

import fcntl
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from chalicelib.maintenance.pki.self_signed import make_bundle

SECRET_NAMES = (
    "access-token-key",
    "certificate-authority",
    "charger-password-key",
    "origin-verify",
    "stripe-secret-key",
    "stripe-webhook-secret",
    "voucher-key",
)
DEFAULT_ADMIN_EMAIL = "admin@wattfare.example"
MEMORY = ":memory:"
LAST_PORT = 65535


class CannotStart(Exception):
    """Something is in the way, in words for who starts the platform."""


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
        """PORT, DATA_DIR, EPHEMERAL=1, DEMO=0, ADMIN_EMAIL, ADMIN_PASSWORD; empty is not given. Raises CannotStart."""
        given = {name: value for name, value in environment.items() if value}
        port = given.get("PORT", "8000")
        if not (port.isdecimal() and 0 < int(port) <= LAST_PORT):
            raise CannotStart(f"PORT is a number from 1 to {LAST_PORT}, not {port!r}.")
        ephemeral = given.get("EPHEMERAL", "0") == "1"
        return cls(
            port=int(port),
            data_dir=None if ephemeral else Path(given.get("DATA_DIR", ".data")),
            demo=given.get("DEMO", "1") != "0",
            admin_email=given.get("ADMIN_EMAIL", DEFAULT_ADMIN_EMAIL),
            admin_password=given.get("ADMIN_PASSWORD"),
        )

    def file(self, name: str) -> Path | str:
        """Where a part of the stack keeps its state."""
        return MEMORY if self.data_dir is None else self.data_dir / name

    def prepare(self) -> None:
        """Makes the folder. Raises CannotStart."""
        if self.data_dir is None:
            return
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotStart(f"DATA_DIR {self.data_dir} cannot be made: {error.strerror}.") from error

    @contextmanager
    def occupied(self) -> Iterator[None]:
        """Keeps a second platform out of the folder; the lock ends with the process, however it ends.

        Raises CannotStart.
        """
        if self.data_dir is None:
            yield
            return
        with (self.data_dir / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise CannotStart(f"Another platform runs on DATA_DIR {self.data_dir}.") from error
            yield

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
    made["certificate-authority"] = make_bundle(datetime.now(UTC), name="Wattfare local root")
    made["stripe-secret-key"] = "sk_test_" + secrets.token_hex(16)
    made["stripe-webhook-secret"] = "whsec_" + secrets.token_hex(16)
    return made
