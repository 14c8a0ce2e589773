"""The message log of a charger: to look at, and to take away as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote, urlencode

import msgspec

from chalicelib.chargers.model import Charger
from chalicelib.chargers.scope import owned_charger
from chalicelib.identity.scope import may_see
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.http import Answer, Moment, PageQuery, PageView, Request, Shape, check_order, page_view
from chalicelib.kernel.pages import AttributeMap, Step, encode_cursor
from chalicelib.ocpp import message_log
from chalicelib.ocpp.api_operator.common import api
from chalicelib.ocpp.message_log import Filter
from chalicelib.ocpp.model import Direction, Message, Outcome

MAX_EXPORT_BYTES: Final = 5_000_000
"""A Lambda may answer 6 MB, our text inside of JSON included."""
MAX_EXPORT_ROWS: Final = 20_000
"""Read, not only found: about a month of a busy charger, within the time of a request."""
_CSV_COLUMNS: Final = ("at", "direction", "action", "outcome", "message_id", "protocol", "request", "answer")
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_TYPES: Final = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}

Format = Literal["ndjson", "csv"]

ActionName = Annotated[str, msgspec.Meta(max_length=64, description="An OCPP action; empty for unreadable messages.")]


class MessageQuery(PageQuery):
    """`date_from` is inclusive, `date_to` exclusive, both by when the CALL was received or sent."""

    action: ActionName | None = None
    direction: Direction | None = None
    outcome: Outcome | None = None
    date_from: Moment | None = None
    date_to: Moment | None = None


class ExportQuery(Shape):
    """As for the list, and the file's `format`."""

    format: Format = "ndjson"
    action: ActionName | None = None
    direction: Direction | None = None
    outcome: Outcome | None = None
    date_from: Moment | None = None
    date_to: Moment | None = None
    cursor: str | None = None


class MessageView(Shape):
    """`request` and `answer` as they went over the wire: the OCPP-J array, or the text where it is not JSON (also where
    it was cut: 32 768 characters are kept). Passwords are masked.

    `outcome` is `result` (a CALLRESULT), `error` (a CALLERROR), `silence` (none was due), `timed_out` (the charger gave
    none) or `undelivered` (the socket was closed).
    """

    message_id: str
    charger_id: str
    direction: Direction
    protocol: str
    action: str
    outcome: Outcome
    at: datetime
    request: Any
    answer: Any


def message_view(message: Message) -> MessageView:
    request, answer = message_log.texts_of(message)
    return MessageView(
        message_id=message.about.message_id,
        charger_id=message.about.charger_id,
        direction=message.about.direction,
        protocol=message.about.protocol,
        action=message.about.action,
        outcome=message.about.outcome,
        at=message.at,
        request=_json_or_text(request),
        answer=None if answer is None else _json_or_text(answer),
    )


@api.get("/v1/chargers/{charger_id}/messages", "chargers:read")
def list_messages(req: Request, charger_id: str, query: MessageQuery) -> PageView[MessageView]:
    """The messages of the last 30 days between a charger and the platform, newest first, each CALL with its answer.

    Messages appear a moment after they were answered; what the log could not store in time is missing. A filter
    examines 2 000 messages per page: one with few hits may give short or empty pages with a cursor.
    """
    charger = owned_charger(req, charger_id)
    page = message_log.list_messages(
        req.ctx,
        charger.charger_id,
        _filter(query),
        may_see=lambda message: may_see(req, message.about.operator_id),
        limit=query.limit,
        cursor=query.cursor,
    )
    return page_view(page, message_view)


@api.get("/v1/chargers/{charger_id}/messages/export", "chargers:read")
def export_messages(req: Request, charger_id: str, query: ExportQuery) -> Answer:
    """The messages of the last 30 days as a file, newest first: NDJSON (a MessageView per line) or CSV (request and
    answer as text).

    A file has 5 MB at most, the size of an answer being limited, and is made from 20 000 messages at most. Where there
    are more, the header `Link` (rel="next") names the address of the next file.
    """
    charger = owned_charger(req, charger_id)
    wanted = _filter(query)
    text, rest = _file(
        message_log.walk_messages(req.ctx, charger.charger_id, wanted, cursor=query.cursor),
        lambda message: wanted.keeps(message) and may_see(req, message.about.operator_id),
        query.format,
    )
    headers = {
        "content-type": _TYPES[query.format],
        "content-disposition": f'attachment; filename="messages.{query.format}"',
    }
    if rest is not None:
        headers["link"] = f'<{_address(charger, query, rest)}>; rel="next"'
    return Answer(text, headers=headers)


def _filter(query: MessageQuery | ExportQuery) -> Filter:
    return Filter(query.action, query.direction, query.outcome, *check_order(query.date_from, query.date_to))


def _file(
    steps: Iterable[Step[Message]], keep: Callable[[Message], bool], file_format: Format
) -> tuple[str, AttributeMap | None]:
    """The text of a file, and the place after which the next one begins."""
    line = _csv_line if file_format == "csv" else _ndjson_line
    parts = [_csv_text(_CSV_COLUMNS)] if file_format == "csv" else []
    size_bytes, last = 0, None
    for examined, (message, place) in enumerate(steps, 1):
        if keep(message):
            text = line(message)
            size_bytes += len(msgspec.json.encode(text))  # as it travels: quotes within quotes
            if size_bytes > MAX_EXPORT_BYTES and last is not None:
                return "".join(parts), last
            parts.append(text)
        last = place
        if examined == MAX_EXPORT_ROWS:
            return "".join(parts), last
    return "".join(parts), None


def _address(charger: Charger, query: ExportQuery, place: AttributeMap) -> str:
    values = {
        "format": query.format,
        "action": query.action,
        "direction": query.direction,
        "outcome": query.outcome,
        "date_from": None if query.date_from is None else to_rfc3339(query.date_from),
        "date_to": None if query.date_to is None else to_rfc3339(query.date_to),
        "cursor": encode_cursor(place),
    }
    asked = urlencode({name: value for name, value in values.items() if value is not None})
    return f"/v1/chargers/{quote(charger.charger_id, safe='')}/messages/export?{asked}"


def _ndjson_line(message: Message) -> str:
    return msgspec.json.encode(message_view(message)).decode() + "\n"


def _csv_line(message: Message) -> str:
    request, answer = message_log.texts_of(message)
    return _csv_text(
        (
            to_rfc3339(message.at),
            message.about.direction,
            message.about.action,
            message.about.outcome,
            message.about.message_id,
            message.about.protocol,
            request,
            answer or "",
        )
    )


def _csv_text(values: Sequence[str]) -> str:
    """A row. A charger chooses some of the values: none of them may become a formula of whoever opens the file."""
    row = io.StringIO()
    csv.writer(row).writerow([f"'{value}" if value[:1] in _FORMULA_STARTS else value for value in values])
    return row.getvalue()


def _json_or_text(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return text
