"""What is in the way of a start is told, and the first start is still the first one after it."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path

from tests.e2e.stack import ROOT, STOP_WAIT_S


async def test_a_taken_port_leaves_nothing_behind(tmp_path: Path) -> None:
    """The administrator's password is made once and shown once: by the start that succeeds."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "infra.local"),
            cwd=ROOT,
            env={**os.environ, "PORT": str(port), "DATA_DIR": str(tmp_path)},
            stderr=asyncio.subprocess.PIPE,
        )
        _, complaint = await asyncio.wait_for(process.communicate(), STOP_WAIT_S)
    assert (process.returncode, complaint.decode().count("\n")) == (1, 1)
    assert f"Port {port} cannot be opened" in complaint.decode()
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]
