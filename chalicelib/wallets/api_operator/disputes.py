"""What is missing in wallets for disputed top-ups: taken out of them now, or forgiven. The platform's people do it:
drivers pay the platform, and it is the platform that has lost the money."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.kernel.errors import forbidden
from chalicelib.kernel.http import Request
from chalicelib.payments import service as payments
from chalicelib.payments.api_operator.disputes import DisputeView, dispute_view, visible_dispute
from chalicelib.payments.model import Dispute
from chalicelib.wallets import service
from chalicelib.wallets.api_operator.common import api


@api.post("/v1/disputes/{dispute_id}/cover", permission="payments:refund", idempotency_key=True)
def cover_dispute(req: Request, dispute_id: str) -> DisputeView:
    """Take what is missing out of the driver's wallet, as far as it goes."""
    return _changed(req, dispute_id, lambda: service.cover_dispute(req.uow, dispute_id))


@api.post("/v1/disputes/{dispute_id}/forgive", permission="payments:refund", idempotency_key=True)
def forgive_dispute(req: Request, dispute_id: str) -> DisputeView:
    """Write off what is missing: the driver may charge again."""
    return _changed(req, dispute_id, lambda: payments.forgive_dispute(req.uow, dispute_id))


def _changed(req: Request, dispute_id: str, change: Callable[[], Dispute]) -> DisputeView:
    if not req.actor.is_platform:
        raise forbidden("Top-ups are paid to the platform: its people see to what is missing for them.")
    before = visible_dispute(req, dispute_id)
    after = dispute_view(change())
    req.audit("dispute", dispute_id, owner_id=before.operator_id, before=dispute_view(before), after=after)
    return after
