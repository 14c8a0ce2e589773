"""How long each Lambda entry point takes to import in a fresh interpreter, by `python -X importtime`: best of a few.

The tracing itself costs about a tenth; what counts is the comparison, and what a new import adds.
"""

from __future__ import annotations

import os
import subprocess
import sys

ENTRY_POINTS = ("ws_handlers.message", "ws_handlers.connect", "ws_handlers.disconnect", "chalicelib.relay", "app")
ROUNDS = 5
_ENVIRONMENT = {"AWS_DEFAULT_REGION": "eu-west-1", "PYTHONDONTWRITEBYTECODE": ""}


def import_ms(module: str) -> float:
    """Milliseconds of importing `module` and all that it imports. CalledProcessError if it cannot be imported."""
    return min(_traced_ms(module) for _ in range(ROUNDS))


def _traced_ms(module: str) -> float:
    command = [sys.executable, "-X", "importtime", "-c", f"import {module}"]
    trace = subprocess.run(command, env=os.environ | _ENVIRONMENT, capture_output=True, text=True, check=True).stderr
    # "import time:  self [us] |  cumulative | imported package": a package's parent may come as a line of its own.
    wanted = {module, module.partition(".")[0]}
    found = 0.0
    for line in trace.splitlines():
        columns = line.removeprefix("import time:").split("|")
        if len(columns) == 3 and columns[2].strip() in wanted and not columns[2].startswith("  "):
            found += int(columns[1]) / 1000
    return found
