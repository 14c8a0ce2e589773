"""Cold start of the WebSocket Lambdas: what they load is counted in every charger's first answer."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("chalice", "stripe", "jsonschema", "ocpp", "aws_lambda_powertools", "boto3", "jwt", "argon2", "cryptography")


@pytest.mark.parametrize("handler", ["connect", "message", "disconnect"])
def test_nothing_heavy_is_imported(handler: str) -> None:
    program = f"import sys, ws_handlers.{handler}; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
