"""Feedback: given by drivers, answered by operators. Whose session or charger it is about, the caller knows.

Its row is the truth; an operator's and a driver's list are entries that name it, by the moment in its id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from chalicelib.drivers.model import Driver
from chalicelib.drivers.model import feedback as model
from chalicelib.drivers.model.feedback import (
    Feedback,
    FeedbackCategory,
    FeedbackCount,
    FeedbackEntry,
    FeedbackSubject,
)
from chalicelib.drivers.service.profiles import get_driver
from chalicelib.drivers.store import (
    FEEDBACK,
    FEEDBACK_COUNTS,
    FEEDBACK_ENTRIES,
    FeedbackCountRow,
    FeedbackEntryRow,
    FeedbackRow,
    feedback_count_key,
    feedback_key,
    feedback_list_pk,
    feedback_sk,
)
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, not_found
from chalicelib.kernel.pages import Page, follow, page_of
from chalicelib.kernel.spans import Span, id_span
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.notifications import service as notifications


def give_feedback(
    uow: UnitOfWork,
    driver_id: str,
    subject: FeedbackSubject,
    text: str,
    *,
    rating: int | None = None,
    category: FeedbackCategory | None = None,
) -> Feedback:
    """Writes down what a driver tells: four writes. The very text that the driver sent last on this day, about the same
    thing, is a second click, as long as nobody has dealt with it.

    Raises feedback.text_blank, feedback.text_long (422), feedback.too_many (429).
    """
    now = uow.ctx.now()
    given = model.new_feedback(uow.ctx.new_id("fbk"), driver_id, subject, text, now, rating=rating, category=category)
    mark = model.fingerprint("new", subject, given.last.text, rating, category)
    known = FEEDBACK_COUNTS.get(uow.ctx, *feedback_count_key(driver_id))
    if known is not None and known.fingerprint == mark and known.day == now.date().isoformat():
        clicked = require_feedback(uow.ctx, known.feedback_id)
        if clicked.state == "open" and len(clicked.messages) == 1:
            return clicked
    _count(uow, known, driver_id, mark, given.feedback_id)
    uow.create(FEEDBACK, given)
    for owner in (given.operator_id, driver_id):
        uow.create(FEEDBACK_ENTRIES, FeedbackEntry(owner, given.feedback_id))
    return given


def ask_again(uow: UnitOfWork, feedback: Feedback, text: str) -> Feedback:
    """The driver goes on; a closed talk is open again. Two writes.

    Raises feedback.full (409), feedback.text_blank, feedback.text_long (422), feedback.too_many (429).
    """
    after = model.with_question(feedback, text, uow.ctx.now())
    if after == feedback:
        return feedback
    mark = model.fingerprint("again", feedback.feedback_id, len(after.messages), after.last.text)
    known = FEEDBACK_COUNTS.get(uow.ctx, *feedback_count_key(feedback.driver_id))
    _count(uow, known, feedback.driver_id, mark, feedback.feedback_id)
    return _save(uow, feedback, after)


def answer_feedback(uow: UnitOfWork, feedback: Feedback, text: str, *, by: str, operator_name: str) -> Feedback:
    """The operator's answer, mailed to the driver in the driver's language. The same answer again is no second mail.

    Raises feedback.illegal_transition (409: closed), feedback.full (409), feedback.text_blank, feedback.text_long.
    """
    after = model.with_answer(feedback, text, by, uow.ctx.now())
    if after == feedback:
        return feedback
    driver = get_driver(uow.ctx, feedback.driver_id)
    if driver is not None and driver.email:
        _queue_answer(uow, driver, after, operator_name)
    return _save(uow, feedback, after)


def close_feedback(uow: UnitOfWork, feedback: Feedback) -> Feedback:
    return _save(uow, feedback, model.closed(feedback, uow.ctx.now()))


def reopen_feedback(uow: UnitOfWork, feedback: Feedback) -> Feedback:
    return _save(uow, feedback, model.reopened(feedback, uow.ctx.now()))


def find_feedback(ctx: Context, feedback_id: str) -> Feedback | None:
    return FEEDBACK.get(ctx, *feedback_key(feedback_id))


def require_feedback(ctx: Context, feedback_id: str) -> Feedback:
    """Raises feedback.not_found."""
    feedback = find_feedback(ctx, feedback_id)
    if feedback is None:
        raise not_found("feedback", feedback_id)
    return feedback


def list_feedback(
    ctx: Context,
    owner: str,
    *,
    span: Span = (None, None),
    keep: Callable[[Feedback], bool] | None = None,
    limit: int,
    cursor: str | None,
) -> Page[Feedback]:
    """What was told to an operator, or by a driver, within a stretch of time, the newest first."""
    ids = id_span("fbk", span)
    if ids is None:
        return Page([])
    between = FeedbackEntryRow.sk.between(*(feedback_sk(feedback_id) for feedback_id in ids))
    entries = FEEDBACK_ENTRIES.walk(ctx, feedback_list_pk(owner), between, newest_first=True, cursor=cursor)
    return page_of(follow(ctx, entries, FEEDBACK, lambda entry: feedback_key(entry.feedback_id)), limit, keep)


def _count(uow: UnitOfWork, known: FeedbackCount | None, driver_id: str, mark: str, feedback_id: str) -> None:
    """Counts a text of the driver's; whoever counted at the same moment decides again. Raises feedback.too_many."""
    counted = model.after_text(known, driver_id, uow.ctx.now(), mark, feedback_id)
    unchanged = FeedbackCountRow.pk.does_not_exist()
    if known is not None:
        unchanged = (FeedbackCountRow.day == known.day) & (FeedbackCountRow.sent == known.sent)
    uow.put(FEEDBACK_COUNTS, counted, condition=unchanged, on_conflict=StaleRead("The feedback"))


def _save(uow: UnitOfWork, before: Feedback, after: Feedback) -> Feedback:
    if after == before:
        return before
    saved = replace(after, revision=before.revision + 1)
    uow.put(FEEDBACK, saved, condition=FeedbackRow.revision == before.revision, on_conflict=StaleRead("The feedback"))
    return saved


def _queue_answer(uow: UnitOfWork, driver: Driver, feedback: Feedback, operator_name: str) -> None:
    if driver.deleted_at is not None:
        return
    asked = next(message for message in reversed(feedback.messages) if message.author == "driver")
    notifications.queue_mail(
        uow,
        dedupe_key=f"feedback#{feedback.feedback_id}#{len(feedback.messages)}",
        to=driver.email,
        template="feedback_answered",
        data={
            "full_name": driver.full_name,
            "operator_name": operator_name,
            "text": asked.text,
            "answer": feedback.last.text,
        },
        language=driver.language,
    )
