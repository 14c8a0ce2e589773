"""A file of as many rows as one may have finishes, in turns of bounded work, and comes out again as it went in."""

from __future__ import annotations

import base64
import csv
import io
from typing import Any

from chalicelib.drivers import service as drivers
from chalicelib.files.model.cells import MAX_ROWS
from tests.world import Operator, World

LISTENERS_APART = {"import.queued", "export.queued"}


def begin(world: World, operator: Operator, content: str, key: str, **options: Any) -> str:
    encoded = base64.b64encode(content.encode()).decode()
    body = {"kind": "id_tokens", "file_name": "cards.csv", "content": encoded, **options}
    reply = world.rest.post("/v1/imports", body, token=operator.access_token, key=key)
    assert reply.status == 202, reply.body
    return str(reply.body["import_id"])


def work_off(world: World) -> int:
    """Delivers until nothing is left; the number of deliveries of imports and exports."""
    delivered = world.run_events()
    return sum(event.type in LISTENERS_APART for event in delivered)


def cards(rows: int) -> str:
    lines = (f"{number:08},Card {number},{'' if number % 2 else '2030-12-31'}\r\n" for number in range(rows))
    return "id_token,note,expires_at\r\n" + "".join(lines)


def test_ten_thousand_cards_go_in_and_come_out(world: World) -> None:
    """Some seconds on the in-memory store: forty deliveries of three commits."""
    operator = world.operator()
    import_id = begin(world, operator, cards(MAX_ROWS), "k1", mode="best_effort")
    deliveries = work_off(world)
    assert 30 <= deliveries <= 45
    job = world.rest.get(f"/v1/imports/{import_id}", token=operator.access_token).body
    assert (job["state"], job["rows_ok"], job["rows_failed"], job["created"]) == ("done", MAX_ROWS, 0, MAX_ROWS)
    assert drivers.require_card(world.ctx, "00009999").note == "Card 9999"
    reply = world.rest.post("/v1/exports", {"kind": "id_tokens"}, token=operator.access_token, key="k2")
    work_off(world)
    export = world.rest.get(reply.headers["location"], token=operator.access_token).body
    assert (export["state"], export["rows"]) == ("done", MAX_ROWS)
    rows: list[dict[str, str]] = []
    for part in export["parts"]:
        path = f"/v1/exports/{export['export_id']}/file?part={part['part']}"
        text = world.rest.get(path, token=operator.access_token).body
        rows += csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    assert [row["id_token"] for row in rows] == [f"{number:08}" for number in range(MAX_ROWS)]


def test_ten_thousand_rows_are_looked_at_and_nothing_is_written(world: World) -> None:
    operator = world.operator()
    content = cards(MAX_ROWS - 1) + "no good,,\r\n"
    import_id = begin(world, operator, content, "k1", dry_run=True)
    work_off(world)
    job = world.rest.get(f"/v1/imports/{import_id}", token=operator.access_token).body
    assert (job["state"], job["rows_ok"], job["rows_failed"], job["created"]) == ("done", MAX_ROWS - 1, 1, 0)
    assert [(error["row"], error["code"]) for error in job["errors"]] == [(MAX_ROWS + 1, "id_token.invalid")]
    listed = drivers.list_operator_cards(world.ctx, operator.operator_id, limit=1, cursor=None)
    assert listed.data == []
