"""A driver's feedback: about a charge, a charger, or the service as a whole.

It stands here because it names sessions and chargers, by which it finds the operator that it is for; what becomes of
it is the business of drivers.
"""

from __future__ import annotations

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import charger_key
from chalicelib.charging import lookup
from chalicelib.charging.feedback_views import FeedbackText, FeedbackView, Rating, feedback_view
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model.feedback import Feedback, FeedbackCategory, FeedbackState, FeedbackSubject
from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel.errors import invalid, not_found
from chalicelib.kernel.http import Api, PageQuery, PageView, Request, Shape, page_view

api = Api("feedback", "driver")


class FeedbackRequest(Shape):
    """About one of my charges (`session_id`), a charger, or neither: then the platform reads it."""

    text: FeedbackText
    session_id: str | None = None
    charger_id: str | None = None
    rating: Rating | None = None
    category: FeedbackCategory | None = None


class FeedbackMore(Shape):
    text: FeedbackText


class MyFeedbackQuery(PageQuery):
    state: FeedbackState | None = None


@api.post("/v1/driver/feedback")
def give_feedback(req: Request, body: FeedbackRequest) -> FeedbackView:
    """Tell the operator of a charge or a charger something; the platform, if neither is named.

    At most 20 texts a day. The text that was sent last, sent again, is the same feedback.
    """
    subject = _subject(req, body.session_id, body.charger_id)
    given = drivers.give_feedback(
        req.uow, req.driver_id, subject, body.text, rating=body.rating, category=body.category
    )
    view = feedback_view(given)
    req.audit("feedback", given.feedback_id, owner_id=given.operator_id, after=view)
    return view


@api.get("/v1/driver/feedback")
def list_my_feedback(req: Request, query: MyFeedbackQuery) -> PageView[FeedbackView]:
    """What I told, with the answers, newest first."""
    page = drivers.list_feedback(
        req.ctx,
        req.driver_id,
        keep=lambda feedback: query.state in (None, feedback.state),
        limit=query.limit,
        cursor=query.cursor,
    )
    return page_view(page, feedback_view)


@api.get("/v1/driver/feedback/{feedback_id}")
def get_my_feedback(req: Request, feedback_id: str) -> FeedbackView:
    """One talk of mine."""
    return feedback_view(_mine(req, feedback_id))


@api.post("/v1/driver/feedback/{feedback_id}/messages")
def add_to_my_feedback(req: Request, feedback_id: str, body: FeedbackMore) -> FeedbackView:
    """Go on with a talk; it is open again. At most 20 messages."""
    feedback = _mine(req, feedback_id)
    after = drivers.ask_again(req.uow, feedback, body.text)
    before_view, view = feedback_view(feedback), feedback_view(after)
    req.audit("feedback", feedback_id, owner_id=feedback.operator_id, before=before_view, after=view)
    return view


def _mine(req: Request, feedback_id: str) -> Feedback:
    feedback = drivers.find_feedback(req.ctx, feedback_id)
    if feedback is None or feedback.driver_id != req.driver_id:
        raise not_found("feedback", feedback_id)
    return feedback


def _subject(req: Request, session_id: str | None, charger_id: str | None) -> FeedbackSubject:
    """Raises charging_session.not_found (404), also for somebody else's; charger.not_found (404); feedback.subject
    (422) for a charger at which the charge was not."""
    if session_id is not None:
        session = lookup.find_session(req.ctx, session_id)
        if session is None or session.driver_id != req.driver_id:
            raise not_found("charging_session", session_id)
        if charger_id is not None and charger_key(charger_id) != charger_key(session.charger_id):
            raise invalid("feedback.subject", "That charge was at another charger.", "/charger_id")
        return FeedbackSubject(session.operator_id, session_id, session.charger_id, session.location_id)
    if charger_id is not None:
        charger = chargers.require_charger(req.ctx, charger_id)
        return FeedbackSubject(charger.operator_id, None, charger.charger_id, charger.location_id)
    return FeedbackSubject(PLATFORM_ID)
