"""`/_local`: the evaluator's and the tests' handle on the local stack. Answers this machine alone; never deployed.

Captured messages, the virtual clock, jobs, workflow executions, connections, and a raw OCPP call through the product's
own command path.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from aiohttp import web

from chalicelib.chargers import service as chargers
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.errors import DomainError, Kind
from chalicelib.kernel.problems import PROBLEM_TYPE
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.ocpp import preparing
from infra.local.scheduler.scheduler import JobStatus, UnknownJob

if TYPE_CHECKING:
    from infra.local.platform import Platform

ANSWER_WAIT_S = 28.0
ANSWER_POLL_S = 0.02
MAX_ADVANCE_S = 400 * 24 * 3600
OPEN_COMMAND_STATES = frozenset({"queued", "sent"})


class LocalApi:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def application(self) -> web.Application:
        """The sub-application that is mounted at `/_local`."""
        application = web.Application()
        application.add_routes(
            [
                web.get("/messages", self.list_messages),
                web.get(r"/messages/{message_id}/attachments/{number:\d{1,3}}", self.show_attachment),
                web.get("/clock", self.show_clock),
                web.post("/clock", self.advance_clock),
                web.get("/jobs", self.list_jobs),
                web.post("/jobs/{name}", self.run_job),
                web.get("/executions", self.list_executions),
                web.post("/connections/{charger_id}/drop", self.drop_connection),
                web.post("/ocpp/{charger_id}/{action}", self.call_charger),
            ]
        )
        return application

    async def list_messages(self, request: web.Request) -> web.Response:
        """Captured e-mails and SMS, newest first; `?to=` and `?limit=`."""
        await self._in_thread(self._platform.worker.settle)
        limit = request.query.get("limit", "100")
        if not limit.isdecimal():
            return _problem(422, "limit is a whole number")
        messages = self._platform.messages.list(request.query.get("to"), int(limit))
        return web.json_response({"data": [message.to_json() for message in messages]})

    async def show_attachment(self, request: web.Request) -> web.Response:
        """A file that went with a message, counted from 0."""
        message_id, number = request.match_info["message_id"], int(request.match_info["number"])
        found = self._platform.messages.attachment(message_id, number)
        if found is None:
            return _problem(404, f"there is no attachment {number} of the message {message_id!r}")
        attachment, content = found
        disposition = f"inline; filename*=UTF-8''{quote(attachment.name, safe='')}"
        headers = {"content-type": attachment.media_type, "content-disposition": disposition}
        return web.Response(body=content, headers=headers)

    async def show_clock(self, request: web.Request) -> web.Response:
        return web.json_response({"now": to_rfc3339(self._platform.clock.now())})

    async def advance_clock(self, request: web.Request) -> web.Response:
        """`{"advance_s": 700}`: runs what falls due on the way, in order."""
        body = await _read_json(request)
        seconds = body.get("advance_s")
        if not isinstance(seconds, int | float) or not 0 <= seconds <= MAX_ADVANCE_S:
            return _problem(422, f"advance_s is a number from 0 to {MAX_ADVANCE_S}")
        moment = await self._in_thread(lambda: self._platform.advance(float(seconds)))
        return web.json_response({"now": to_rfc3339(moment)})

    async def list_jobs(self, request: web.Request) -> web.Response:
        return web.json_response({"data": [_job(job) for job in self._platform.scheduler.jobs()]})

    async def run_job(self, request: web.Request) -> web.Response:
        """Runs a scheduled job now, and what follows from it."""

        def run() -> JobStatus:
            status = self._platform.scheduler.run_now(request.match_info["name"])
            self._platform.worker.settle()
            return status

        try:
            return web.json_response(_job(await self._in_thread(run)))
        except UnknownJob:
            return _problem(404, f"there is no job {request.match_info['name']!r}")

    async def list_executions(self, request: web.Request) -> web.Response:
        """Workflow executions, newest first."""
        executions = await self._in_thread(lambda: self._platform.runner.list_executions(limit=100))
        return web.json_response(
            {
                "data": [
                    {
                        "machine": execution.machine,
                        "name": execution.name,
                        "status": str(execution.status),
                        "transitions": execution.transitions,
                        "input": json.loads(execution.input),
                        "output": json.loads(execution.output) if execution.output else None,
                        "error": execution.error,
                    }
                    for execution in executions
                ]
            }
        )

    async def drop_connection(self, request: web.Request) -> web.Response:
        """Cuts a charger's socket; `{"notify": false}` without a disconnect event, as a dead network does.

        `{"away_s": 1800}` has a simulated charger stay away that long; a real one comes back as it likes.
        """
        body = await _read_json(request)
        charger_id = unquote(request.match_info["charger_id"])
        away_s = body.get("away_s", 0)
        if not isinstance(away_s, int | float) or not 0 <= away_s <= MAX_ADVANCE_S:
            return _problem(422, f"away_s is a number from 0 to {MAX_ADVANCE_S}")
        self._platform.fleet.keep_away(charger_id, timedelta(seconds=away_s))
        dropped = self._platform.websocket.drop(charger_id, notify=bool(body.get("notify", True)))
        return web.json_response({"dropped": dropped})

    async def call_charger(self, request: web.Request) -> web.Response:
        """Sends a CALL through the product's command path; answers with the charger's raw answer.

        504 when it does not answer in time, 502 with the error when it answers with a CALLERROR.
        """
        payload = await _read_json(request)
        charger_id, action = unquote(request.match_info["charger_id"]), request.match_info["action"]
        ctx = self._platform.ctx

        def queue(uow: UnitOfWork) -> str:
            charger = chargers.require_charger(ctx, charger_id)
            return preparing.ask(uow, charger, action, payload, requested_by="local").command_id

        try:
            command_id = await self._in_thread(lambda: decide_and_commit(ctx, queue))
        except DomainError as error:
            return _problem(404 if error.kind is Kind.NOT_FOUND else 422, error.detail)
        self._platform.worker.wake()
        deadline = asyncio.get_running_loop().time() + ANSWER_WAIT_S
        while asyncio.get_running_loop().time() < deadline:
            command = chargers.get_command(ctx, command_id)
            if command is not None and command.state not in OPEN_COMMAND_STATES:
                if command.answer is not None:
                    return web.json_response(command.answer)
                return _problem(504 if command.state == "timed_out" else 502, command.error or command.state)
            await asyncio.sleep(ANSWER_POLL_S)
        return _problem(504, f"{charger_id} did not answer {action}")

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(None, work)


def _job(job: JobStatus) -> dict[str, Any]:
    return {
        "name": job.name,
        "expression": job.expression,
        "next_run_at": to_rfc3339(job.next_run_at) if job.next_run_at else None,
        "last_run_at": to_rfc3339(job.last_run_at) if job.last_run_at else None,
        "last_result": job.last_result,
        "last_error": job.last_error,
    }


async def _read_json(request: web.Request) -> dict[str, Any]:
    text = await request.text()
    if not text.strip():
        return {}
    try:
        body = json.loads(text)
    except ValueError:
        raise _bad_request("the body is not JSON") from None
    if not isinstance(body, dict):
        raise _bad_request("the body is not a JSON object")
    return body


def _problem(status: int, detail: str) -> web.Response:
    return web.json_response(_problem_body(status, detail), status=status, content_type=PROBLEM_TYPE)


def _bad_request(detail: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=json.dumps(_problem_body(400, detail)), content_type=PROBLEM_TYPE)


def _problem_body(status: int, detail: str) -> dict[str, Any]:
    return {"type": "about:blank", "status": status, "code": "local", "detail": detail}
