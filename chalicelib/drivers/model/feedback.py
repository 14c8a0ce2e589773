"""Feedback: what a driver tells an operator, and the talk about it. Pure.

It goes to the operator at whose charger it happened, or to the platform. Where it happened is written down with it, so
that it stays with the location when the charger moves on.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Final, Literal

from chalicelib.kernel.errors import DomainError, Kind, conflict, invalid
from chalicelib.kernel.lifecycle import Lifecycle

FeedbackState = Literal["open", "answered", "closed"]
FeedbackCategory = Literal["charger", "payment", "location", "app", "other"]
FeedbackAuthor = Literal["driver", "operator"]

MAX_MESSAGES: Final = 20
MAX_TEXT: Final = 2000
"""Characters. A thread of the longest messages is far below what one row holds (400 KB)."""
MAX_A_DAY: Final = 20
"""Texts of one driver in a day (UTC)."""

FEEDBACK_LIFECYCLE: Lifecycle[FeedbackState] = Lifecycle(
    noun="feedback",
    initial="open",
    transitions={
        ("open", "answered"): "answered",
        ("open", "asked_again"): "open",
        ("open", "closed"): "closed",
        ("answered", "answered"): "answered",
        ("answered", "asked_again"): "open",
        ("answered", "closed"): "closed",
        ("answered", "reopened"): "open",
        ("closed", "asked_again"): "open",
        ("closed", "reopened"): "open",
    },
)


@dataclass(frozen=True)
class FeedbackMessage:
    """`by`: who of the operator's people wrote it; None for the driver."""

    author: FeedbackAuthor
    text: str
    sent_at: datetime
    by: str | None = None


@dataclass(frozen=True)
class FeedbackSubject:
    """What it is about, and whose that is. Without a location it is seen by those alone who see all of the operator."""

    operator_id: str
    session_id: str | None = None
    charger_id: str | None = None
    location_id: str | None = None


@dataclass(frozen=True)
class Feedback:
    """`messages` are the talk, the driver's first text at its beginning. `revision` counts writes: who changes the row
    names the one that was read."""

    feedback_id: str
    driver_id: str
    operator_id: str
    state: FeedbackState
    created_at: datetime
    updated_at: datetime
    messages: list[FeedbackMessage] = field(default_factory=list)
    session_id: str | None = None
    charger_id: str | None = None
    location_id: str | None = None
    rating: int | None = None
    category: FeedbackCategory | None = None
    revision: int = 1

    @property
    def last(self) -> FeedbackMessage:
        return self.messages[-1]


@dataclass(frozen=True)
class FeedbackEntry:
    """An entry of a list: of an operator's feedback, or of a driver's."""

    owner: str
    feedback_id: str


@dataclass(frozen=True)
class FeedbackCount:
    """How many texts a driver has sent on `day` (YYYY-MM-DD), and which was the last one. Each new text changes it, so
    that two clicks meet here."""

    driver_id: str
    day: str
    sent: int
    fingerprint: str
    feedback_id: str


def new_feedback(
    feedback_id: str,
    driver_id: str,
    subject: FeedbackSubject,
    text: str,
    now: datetime,
    *,
    rating: int | None = None,
    category: FeedbackCategory | None = None,
) -> Feedback:
    """Raises feedback.text_blank, feedback.text_long (422)."""
    return Feedback(
        feedback_id=feedback_id,
        driver_id=driver_id,
        operator_id=subject.operator_id,
        state=FEEDBACK_LIFECYCLE.initial,
        created_at=now,
        updated_at=now,
        messages=[FeedbackMessage("driver", checked_text(text), now)],
        session_id=subject.session_id,
        charger_id=subject.charger_id,
        location_id=subject.location_id,
        rating=rating,
        category=category,
    )


def with_answer(feedback: Feedback, text: str, by: str, now: datetime) -> Feedback:
    """The thread with the operator's answer. The same answer again (a second click) changes nothing.

    Raises feedback.illegal_transition (409: it is closed), feedback.full (409), feedback.text_blank (422).
    """
    text = checked_text(text)
    if feedback.last.author == "operator" and feedback.last.text == text:
        return feedback
    return _with(feedback, "answered", FeedbackMessage("operator", text, now, by), now)


def with_question(feedback: Feedback, text: str, now: datetime) -> Feedback:
    """The thread with the driver's next text: it is open again, however it stood. The same text again changes nothing.

    Raises feedback.full (409), feedback.text_blank (422).
    """
    text = checked_text(text)
    if feedback.last.author == "driver" and feedback.last.text == text:
        return feedback
    return _with(feedback, "asked_again", FeedbackMessage("driver", text, now), now)


def closed(feedback: Feedback, now: datetime) -> Feedback:
    """The second click changes nothing."""
    if feedback.state == "closed":
        return feedback
    return replace(feedback, state=FEEDBACK_LIFECYCLE.next(feedback.state, "closed"), updated_at=now)


def reopened(feedback: Feedback, now: datetime) -> Feedback:
    """Open again; what is open stays so."""
    if feedback.state == "open":
        return feedback
    return replace(feedback, state=FEEDBACK_LIFECYCLE.next(feedback.state, "reopened"), updated_at=now)


def checked_text(text: str, pointer: str = "/text") -> str:
    """Without blanks around it. Raises feedback.text_blank, feedback.text_long (422)."""
    text = text.strip()
    if not text:
        raise invalid("feedback.text_blank", "Write something.", pointer)
    if len(text) > MAX_TEXT:
        raise invalid("feedback.text_long", f"A text has at most {MAX_TEXT} characters.", pointer)
    return text


def fingerprint(*parts: object) -> str:
    """What makes two texts the same one, sent twice."""
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()


def after_text(
    known: FeedbackCount | None, driver_id: str, now: datetime, mark: str, feedback_id: str
) -> FeedbackCount:
    """The driver's count with one more text. Raises feedback.too_many (429)."""
    day = now.astimezone(UTC).date()
    sent = known.sent if known is not None and known.day == day.isoformat() else 0
    if sent >= MAX_A_DAY:
        midnight = datetime.combine(day, time(), UTC) + timedelta(days=1)
        wait_s = max(1, int((midnight - now).total_seconds()))
        detail = f"You sent {MAX_A_DAY} texts today; write again tomorrow."
        raise DomainError("feedback.too_many", detail, Kind.LIMITED, retry_after_s=wait_s)
    return FeedbackCount(driver_id, day.isoformat(), sent + 1, mark, feedback_id)


def _with(feedback: Feedback, event: str, message: FeedbackMessage, now: datetime) -> Feedback:
    state = FEEDBACK_LIFECYCLE.next(feedback.state, event)
    if len(feedback.messages) >= MAX_MESSAGES:
        raise conflict("feedback.full", f"A talk has at most {MAX_MESSAGES} messages; begin a new one.")
    return replace(feedback, state=state, updated_at=now, messages=[*feedback.messages, message])
