"""Whose objects a request is about: the one rule of ownership for all operators' endpoints.

An organisation sees its own subtree and nothing else; what is outside answers 404, like what does not exist. An
operator asks about itself; those above it name the operator where a list or a new object needs one. An agency owns
nothing that belongs to an operator: here it sees nothing, and what stands at its locations `chargers/scope.py` shows.
"""

from __future__ import annotations

from chalicelib.identity.service.organizations import find_organization, is_within
from chalicelib.kernel.errors import invalid, not_found
from chalicelib.kernel.http import PageQuery, Request


class OperatorPageQuery(PageQuery):
    """`operator_id` is for those above the operators; an operator sees its own."""

    operator_id: str | None = None


def may_see(req: Request, operator_id: str | None) -> bool:
    """Is an object of this operator (None: of nobody) visible to who asks?"""
    if req.actor.is_platform:
        return True
    return operator_id is not None and is_within(req.ctx, operator_id, req.organization_id)


def listed_operator(req: Request, operator_id: str | None) -> str:
    """Whose list is asked for. Raises organization.not_found (404) for one outside of the asker's subtree."""
    if operator_id is None or operator_id == req.actor.organization_id:
        return req.organization_id
    if not may_see(req, operator_id):
        raise not_found("organization", operator_id)
    return operator_id


def owning_operator(req: Request, operator_id: str | None) -> str:
    """Whose a new object is. Those above the operators must name one that exists in their subtree.

    Raises operator_id.missing (422), organization.not_found (404).
    """
    if req.actor.organization_kind == "operator" and operator_id in (None, req.actor.organization_id):
        return req.organization_id
    if operator_id is None:
        raise invalid("operator_id.missing", "Name the operator that this is for.", "/operator_id")
    organization = find_organization(req.ctx, operator_id) if may_see(req, operator_id) else None
    if organization is None or organization.kind != "operator":
        raise not_found("organization", operator_id)
    return operator_id


def visible_organization(req: Request, organization_id: str) -> str:
    """An organisation of the asker's subtree, itself included. Raises organization.not_found (404)."""
    if not may_see(req, organization_id):
        raise not_found("organization", organization_id)
    return organization_id


def check_works_everywhere(req: Request) -> None:
    """For what counts at all places of an organisation: see `Actor.require_everywhere`. Raises forbidden (403)."""
    req.actor.require_everywhere()
