"""What drivers told, for those who answer it. Who sees it is a question of where it happened (`chargers/scope.py`)."""

from __future__ import annotations

from chalicelib.chargers.model import charger_key
from chalicelib.chargers.scope import listed_places, may_see_at
from chalicelib.charging.feedback_views import FeedbackDetail, FeedbackText, feedback_detail
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model.feedback import Feedback, FeedbackCategory, FeedbackState
from chalicelib.identity import service as identity
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import Api, Moment, PageQuery, PageView, Request, Shape, check_span, page_view

api = Api("feedback", "operator")


class FeedbackQuery(PageQuery):
    """`operator_id` is for those above the operators; the platform sees its own, which names no charger, without it.
    `date_from` and `date_to` (exclusive) are of the driver's first text."""

    operator_id: str | None = None
    state: FeedbackState | None = None
    category: FeedbackCategory | None = None
    driver_id: str | None = None
    session_id: str | None = None
    charger_id: str | None = None
    location_id: str | None = None
    date_from: Moment | None = None
    date_to: Moment | None = None

    def asks_for(self, feedback: Feedback) -> bool:
        return (
            self.state in (None, feedback.state)
            and self.category in (None, feedback.category)
            and self.driver_id in (None, feedback.driver_id)
            and self.session_id in (None, feedback.session_id)
            and self.location_id in (None, feedback.location_id)
            and (self.charger_id is None or charger_key(self.charger_id) == charger_key(feedback.charger_id or ""))
        )


class FeedbackAnswer(Shape):
    text: FeedbackText


@api.get("/v1/feedback", "feedback:read")
def list_feedback(req: Request, query: FeedbackQuery) -> PageView[FeedbackDetail]:
    """What drivers told about my chargers, newest first; an agency's people see that of its locations.

    A page may be short while matches are rare; go on with its cursor.
    """
    places = listed_places(req, query.operator_id)
    page = drivers.list_feedback(
        req.ctx,
        query.driver_id or places.operator_id,
        span=check_span(query.date_from, query.date_to),
        keep=lambda feedback: (
            feedback.operator_id == places.operator_id and places.has(feedback.location_id) and query.asks_for(feedback)
        ),
        limit=query.limit,
        cursor=query.cursor,
    )
    names = drivers.get_drivers(req.ctx, [feedback.driver_id for feedback in page.data])
    return page_view(page, lambda feedback: feedback_detail(feedback, names))


@api.get("/v1/feedback/{feedback_id}", "feedback:read")
def get_feedback(req: Request, feedback_id: str) -> FeedbackDetail:
    """One talk with a driver."""
    return _detail(req, _visible(req, feedback_id))


@api.post("/v1/feedback/{feedback_id}/answer", "feedback:write", status=200)
def answer_feedback(req: Request, feedback_id: str, body: FeedbackAnswer) -> FeedbackDetail:
    """Answers the driver, who is mailed. The same answer again changes nothing; another one goes on with the talk."""
    feedback = _visible(req, feedback_id)
    operator = identity.get_organization(req.ctx, feedback.operator_id)
    after = drivers.answer_feedback(req.uow, feedback, body.text, by=req.actor.person_id, operator_name=operator.name)
    return _audited(req, feedback, after)


@api.post("/v1/feedback/{feedback_id}/close", "feedback:write", status=200)
def close_feedback(req: Request, feedback_id: str) -> FeedbackDetail:
    """Puts it aside. It is open again when the driver goes on."""
    feedback = _visible(req, feedback_id)
    return _audited(req, feedback, drivers.close_feedback(req.uow, feedback))


@api.post("/v1/feedback/{feedback_id}/reopen", "feedback:write", status=200)
def reopen_feedback(req: Request, feedback_id: str) -> FeedbackDetail:
    """Undoes the closing; what was answered is open again, too."""
    feedback = _visible(req, feedback_id)
    return _audited(req, feedback, drivers.reopen_feedback(req.uow, feedback))


def _visible(req: Request, feedback_id: str) -> Feedback:
    feedback = drivers.find_feedback(req.ctx, feedback_id)
    if feedback is None or not may_see_at(req, feedback.operator_id, feedback.location_id):
        raise not_found("feedback", feedback_id)
    return feedback


def _detail(req: Request, feedback: Feedback) -> FeedbackDetail:
    return feedback_detail(feedback, drivers.get_drivers(req.ctx, [feedback.driver_id]))


def _audited(req: Request, before: Feedback, after: Feedback) -> FeedbackDetail:
    detail = _detail(req, after)
    req.audit("feedback", after.feedback_id, owner_id=after.operator_id, before=_detail(req, before), after=detail)
    return detail
