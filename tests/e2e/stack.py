"""The platform as a stranger meets it: a process on a port, spoken to over HTTP and killed at will.

The e2e tests ask for the fixture `stack`. Nothing of the product is imported here: what a test needs to know, it asks
over the wire. Each stack has a port and a data folder of its own, so tests run beside each other.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).resolve().parents[2]
ADMIN_EMAIL = "admin@platform.example"
ADMIN_PASSWORD = "a platform of our own"

START_TRIES = 3
START_WAIT_S = 30.0
STOP_WAIT_S = 20.0
ANSWER_WAIT_S = 60.0
POLL_S = 0.02


@dataclass(frozen=True)
class Reply:
    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> str:
        """The stable code of a problem+json answer."""
        return str(self.body["code"])


class Stack:
    """One platform on one data folder. `kill` is `kill -9`; `start` again finds what was there. `demo`: filled in."""

    def __init__(self, folder: Path, *, demo: bool = False) -> None:
        self.demo = demo
        self.data_dir = folder / "data"
        self.log = folder / "server.log"
        self.port = 0
        self._process: asyncio.subprocess.Process | None = None
        self._http: aiohttp.ClientSession | None = None

    # -- life -------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Starts the process and waits for its health."""
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_WAIT_S))
        for _ in range(START_TRIES):
            self.port = self.port or free_port()
            await self._spawn()
            if await self._becomes_healthy():
                return
            await self.kill()
            self.port = 0  # somebody else may have taken it
            self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_WAIT_S))
        raise RuntimeError(f"the stack does not start:\n{self.log.read_text()}")

    async def kill(self) -> None:
        """`kill -9`: no goodbye, nothing finished."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """Interrupts it as a person would; the exit status."""
        return await self._end(signal.SIGTERM)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def _spawn(self) -> None:
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        environment |= {
            "PORT": str(self.port),
            "DATA_DIR": str(self.data_dir),
            "DEMO": "1" if self.demo else "0",
            "ADMIN_EMAIL": ADMIN_EMAIL,
            "ADMIN_PASSWORD": ADMIN_PASSWORD,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
        }
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "infra.local", cwd=ROOT, env=environment, stdout=log, stderr=log
            )

    async def _becomes_healthy(self) -> bool:
        deadline = asyncio.get_running_loop().time() + START_WAIT_S
        while self.running and asyncio.get_running_loop().time() < deadline:
            try:
                if (await self.call("GET", "/health")).body["status"] == "ok":
                    return True
            except aiohttp.ClientConnectionError:
                await self.pause(POLL_S)
        return False

    async def _end(self, how: signal.Signals) -> int:
        if self._http is not None:
            await self._http.close()
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.returncode is None:
            process.send_signal(how)
        try:
            return await asyncio.wait_for(process.wait(), STOP_WAIT_S)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise

    # -- REST -------------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def charger_url(self, identity: str) -> str:
        return f"ws://127.0.0.1:{self.port}/ocpp/{identity}"

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        key: str | None = None,
        query: dict[str, str] | None = None,
        guest_code: str | None = None,
    ) -> Reply:
        """One request; `token` an access token, `key` an Idempotency-Key, `guest_code` a guest's."""
        if self._http is None:
            raise RuntimeError("the stack does not run")
        headers = {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if key is not None:
            headers["Idempotency-Key"] = key
        if guest_code is not None:
            headers["Guest-Code"] = guest_code
        url = path if path.startswith("http") else self.url + path
        async with self._http.request(method, url, json=body, headers=headers, params=query) as response:
            is_json = response.content_type.endswith(("/json", "+json"))
            content = await response.json(content_type=None) if is_json else await response.text()
            return Reply(response.status, content, {name.lower(): value for name, value in response.headers.items()})

    async def click(self, page_url: str, **form: str) -> Reply:
        """Posts a page's form as a browser does, without following where it sends us."""
        if self._http is None:
            raise RuntimeError("the stack does not run")
        async with self._http.post(page_url, data=form, allow_redirects=False) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Reply(response.status, await response.text(), headers)

    # -- the local stack's own handles ------------------------------------------------------------------------------

    async def local(self, method: str, path: str, body: Any = None) -> Any:
        reply = await self.call(method, f"/_local{path}", body)
        assert reply.status == 200, reply
        return reply.body

    async def now(self) -> datetime:
        return moment((await self.local("GET", "/clock"))["now"])

    async def advance(self, *, s: float = 0, minutes: float = 0) -> datetime:
        """Moves the virtual clock; what falls due on the way has run when this returns."""
        return moment((await self.local("POST", "/clock", {"advance_s": s + 60 * minutes}))["now"])

    async def advance_to(self, target: datetime) -> None:
        await self.advance(s=max(0.0, (target - await self.now()).total_seconds()))

    async def pause(self, seconds: float) -> None:
        """For what lives at its own pace beside us: between two looks, in a bounded number of them."""
        await asyncio.sleep(seconds)

    async def settle(self) -> None:
        """Everything that follows from what happened so far has happened."""
        await self.advance()

    async def mails(self, to: str, subject: str = "") -> list[dict[str, Any]]:
        """The e-mails to an address, newest first, whose subject contains `subject`."""
        reply = await self.call("GET", "/_local/messages", query={"to": to})
        assert reply.status == 200, reply
        return [mail for mail in reply.body["data"] if subject.lower() in mail["subject"].lower()]

    async def execution(self, name: str) -> dict[str, Any]:
        """The workflow execution of this name."""
        found = [each for each in (await self.local("GET", "/executions"))["data"] if each["name"] == name]
        assert len(found) == 1, f"{len(found)} executions are called {name}"
        return dict(found[0])

    async def drop(self, charger_id: str, *, notify: bool) -> None:
        """Cuts a charger's socket as a network does."""
        await self.local("POST", f"/connections/{charger_id}/drop", {"notify": notify})


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def text_of(at: datetime, *, plus_s: float = 0) -> str:
    """As chargers write times."""
    return (at + timedelta(seconds=plus_s)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
