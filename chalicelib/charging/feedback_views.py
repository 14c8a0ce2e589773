"""How feedback looks over REST: to the driver who gave it, and to the operator."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec

from chalicelib.drivers.model import Driver
from chalicelib.drivers.model.feedback import (
    MAX_TEXT,
    Feedback,
    FeedbackAuthor,
    FeedbackCategory,
    FeedbackState,
)
from chalicelib.kernel.http import Shape

FeedbackText = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)]
Rating = Annotated[int, msgspec.Meta(ge=1, le=5)]


class FeedbackMessageView(Shape):
    """`author`: driver | operator."""

    author: FeedbackAuthor
    text: str
    sent_at: datetime


class FeedbackView(Shape):
    """A talk as its driver sees it. `text` is what it began with, `answer` the operator's latest one."""

    feedback_id: str
    state: FeedbackState
    text: str
    answer: str | None
    rating: int | None
    category: FeedbackCategory | None
    session_id: str | None
    charger_id: str | None
    messages: list[FeedbackMessageView]
    created_at: datetime
    updated_at: datetime


class FeedbackDetail(FeedbackView):
    """The same as the operator sees it. `driver_name` None: the driver is gone."""

    operator_id: str
    driver_id: str
    driver_name: str | None
    location_id: str | None


def feedback_view(feedback: Feedback) -> FeedbackView:
    return FeedbackView(**_shown(feedback))


def feedback_detail(feedback: Feedback, drivers: Mapping[str, Driver]) -> FeedbackDetail:
    """`drivers`: those whom the page names, by id."""
    driver = drivers.get(feedback.driver_id)
    return FeedbackDetail(
        **_shown(feedback),
        operator_id=feedback.operator_id,
        driver_id=feedback.driver_id,
        driver_name=None if driver is None else driver.full_name,
        location_id=feedback.location_id,
    )


def _shown(feedback: Feedback) -> dict[str, Any]:
    answers = [message.text for message in feedback.messages if message.author == "operator"]
    return {
        "feedback_id": feedback.feedback_id,
        "state": feedback.state,
        "text": feedback.messages[0].text,
        "answer": answers[-1] if answers else None,
        "rating": feedback.rating,
        "category": feedback.category,
        "session_id": feedback.session_id,
        "charger_id": feedback.charger_id,
        "messages": [
            FeedbackMessageView(author=message.author, text=message.text, sent_at=message.sent_at)
            for message in feedback.messages
        ],
        "created_at": feedback.created_at,
        "updated_at": feedback.updated_at,
    }
