"""Whose objects a request is about: the one rule of ownership for all operators' endpoints.

An operator sees its own and nothing else; what is somebody else's answers 404, like what does not exist. The
platform's people see everybody's, and name the operator where a list or a new object needs one.
"""

from __future__ import annotations

from chalicelib.identity.service.organizations import find_organization
from chalicelib.kernel.errors import invalid, not_found
from chalicelib.kernel.http import PageQuery, Request


class OperatorPageQuery(PageQuery):
    """`operator_id` is for the platform's people; everybody else sees their own organisation."""

    operator_id: str | None = None


def may_see(req: Request, operator_id: str | None) -> bool:
    """Is an object of this operator (None: of nobody) visible to who asks?"""
    return req.actor.is_platform or operator_id == req.organization_id


def listed_operator(req: Request, operator_id: str | None) -> str:
    """Whose list is asked for. Raises organization.not_found (404) for somebody else's."""
    if operator_id is None or operator_id == req.actor.organization_id:
        return req.organization_id
    if not req.actor.is_platform:
        raise not_found("organization", operator_id)
    return operator_id


def owning_operator(req: Request, operator_id: str | None) -> str:
    """Whose a new object is. The platform's people must name an operator that exists."""
    if not req.actor.is_platform:
        return listed_operator(req, operator_id)
    if operator_id is None:
        raise invalid("operator_id.missing", "Name the operator that this is for.", "/operator_id")
    organization = find_organization(req.ctx, operator_id)
    if organization is None or organization.kind != "operator":
        raise not_found("organization", operator_id)
    return operator_id
