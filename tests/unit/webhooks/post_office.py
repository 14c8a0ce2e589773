"""Webhooks of one organisation, from outside: its endpoints over REST, and a receiver that answers what it is told."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib.webhooks import jobs
from chalicelib.webhooks.model import Answer
from chalicelib.webhooks.sending import Message
from chalicelib.webhooks.store import TABLE
from tests.world import Reply, World

OK = Answer(200, 12, "thanks")
BROKEN = Answer(500, 34, "oh no")
GONE = Answer(410, 5)
SILENT = Answer(None, 10_000, error="timeout")
URL = "https://hooks.customer.example/wattfare"
MINUTE_S = 60.0


@dataclass
class Receiver:
    """In place of HTTP: keeps what came, answers what it is told, by URL or to all."""

    answer: Answer = OK
    answers: dict[str, Answer] = field(default_factory=dict)
    received: list[Message] = field(default_factory=list)

    def post(self, message: Message) -> Answer:
        self.received.append(message)
        return self.answers.get(message.url, self.answer)

    def bodies(self, event_type: str = "") -> list[dict[str, Any]]:
        found = [json.loads(message.body) for message in self.received]
        return [body for body in found if event_type in ("", body["type"])]

    def ids(self) -> list[str]:
        return [message.headers["webhook-id"] for message in self.received]


@dataclass
class PostOffice:
    """`deliver` does what the stream of the table does: each new delivery is handed over once."""

    world: World
    email: str
    receiver: Receiver
    _cursor: int = 0

    @property
    def token(self) -> str:
        """Access tokens live for minutes, deliveries for days."""
        return self.world.access_token(self.email)

    def endpoint(self, *event_types: str, url: str = URL, token: str | None = None) -> Any:
        body = {"url": url, "event_types": list(event_types)}
        reply = self.world.rest.post("/v1/webhook-endpoints", body, token=token or self.token)
        assert reply.status == 201, reply
        return reply.body

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Reply:
        return self.world.rest.request(method, path, body, **{"token": self.token, **options})

    def show(self, endpoint: Any) -> Any:
        return self.ask("GET", f"/v1/webhook-endpoints/{endpoint['endpoint_id']}").body

    def deliveries(self, **query: str) -> list[Any]:
        reply = self.ask("GET", "/v1/webhook-deliveries", query=query)
        assert reply.status == 200, reply
        return list(reply.body["data"])

    def test(self, endpoint: Any) -> Any:
        reply = self.ask("POST", f"/v1/webhook-endpoints/{endpoint['endpoint_id']}/test")
        assert reply.status == 202, reply
        return reply.body

    def new_records(self) -> list[Any]:
        """What the stream would hand over next, in one batch."""
        records = self.world.engine.read_stream(TABLE, self._cursor, 1000)
        if records:
            self._cursor = int(records[-1]["dynamodb"]["SequenceNumber"])
        return records

    def deliver(self) -> dict[str, int]:
        """Everything that follows from the events so far, and what is sent at once."""
        self.world.run_events()
        sent = dict(jobs.webhook_send({"Records": self.new_records()}, None))
        self.world.run_events()
        return sent

    def retry_due(self, after_s: float = 0) -> dict[str, int]:
        """The job, so much later."""
        self.world.advance(after_s)
        sent = dict(self.world.run_job(jobs.retry_webhooks))
        self.world.run_events()
        return sent

    def until_over(self, limit: int = 60) -> list[float]:
        """Runs the job whenever something is due; seconds from the first run at which it sent something."""
        begun = self.world.clock.now()
        moments: list[float] = []
        for _ in range(limit):
            due = [each["next_attempt_at"] for each in self.deliveries(state="pending")]
            if not due:
                return moments
            next_s = (datetime.fromisoformat(min(due)) - self.world.clock.now()).total_seconds()
            self.retry_due(max(0.0, next_s) + 1)
            moments.append((self.world.clock.now() - begun).total_seconds())
        raise AssertionError("it is never over")
