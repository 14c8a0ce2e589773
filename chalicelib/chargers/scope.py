"""Whose location, charger or session a request is about, and where the asker works: for all operators' endpoints.

Over the one rule of ownership (`identity/scope.py`) stand places: an agency sees what stands at its locations, a user
who is narrowed to regions what stands there; neither sees what is not placed. Everything else answers 404, like what
does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from chalicelib.chargers import service
from chalicelib.chargers.model import Charger, Location
from chalicelib.identity import service as identity
from chalicelib.identity.scope import listed_operator, may_see
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import Request


@dataclass(frozen=True)
class Places:
    """What of an operator somebody sees. `location_ids` None: all of it, also what is not placed."""

    operator_id: str
    location_ids: frozenset[str] | None = None
    _known: dict[str, str | None] = field(default_factory=dict)

    def has(self, location_id: str | None) -> bool:
        return self.location_ids is None or location_id in self.location_ids

    def has_charger(self, ctx: Context, charger_id: str) -> bool:
        """By where the charger stands now. For lists of what knows only its charger."""
        if self.location_ids is None:
            return True
        if charger_id not in self._known:
            charger = service.get_charger(ctx, charger_id)
            self._known[charger_id] = None if charger is None else charger.location_id
        return self.has(self._known[charger_id])


def listed_places(req: Request, operator_id: str | None) -> Places:
    """Whose list is asked for, and what of it the asker sees. An agency asks about its operator.

    Raises organization.not_found (404) for an operator outside of the asker's subtree.
    """
    if req.actor.organization_kind == "agency":
        own_operator = _operator_of_agency(req)
        if operator_id not in (None, own_operator, req.organization_id):
            raise not_found("organization", operator_id)
        listed = own_operator
    else:
        listed = listed_operator(req, operator_id)
    if not _is_confined(req):
        return Places(listed)
    locations = service.walk_locations(req.ctx, listed)
    return Places(listed, frozenset(place.location_id for place in locations if _works_at(req, place)))


def may_see_at(req: Request, operator_id: str, location_id: str | None) -> bool:
    """Is an object of this operator, that stands at this location (None: nowhere), visible to who asks?"""
    owner = _operator_of_agency(req) if req.actor.organization_kind == "agency" else None
    if operator_id != owner and not may_see(req, operator_id):
        return False
    if not _is_confined(req):
        return True
    location = None if location_id is None else service.get_location(req.ctx, location_id)
    return location is not None and location.operator_id == operator_id and _works_at(req, location)


def owned_charger(req: Request, charger_id: str) -> Charger:
    """Raises charger.not_found, also for one that is not the asker's to see."""
    charger = service.get_charger(req.ctx, charger_id)
    if charger is None or not may_see_at(req, charger.operator_id, charger.location_id):
        raise not_found("charger", charger_id)
    return charger


def owned_location(req: Request, location_id: str) -> Location:
    """Raises location.not_found, also for one that is not the asker's to see."""
    location = service.get_location(req.ctx, location_id)
    if location is None or not may_see_at(req, location.operator_id, location_id):
        raise not_found("location", location_id)
    return location


def _is_confined(req: Request) -> bool:
    return req.actor.organization_kind == "agency" or req.actor.region_ids is not None


def _works_at(req: Request, location: Location) -> bool:
    if req.actor.organization_kind == "agency" and location.agency_id != req.actor.organization_id:
        return False
    if req.actor.region_ids is None:
        return True
    if location.region_id is None:
        return False
    lineage = identity.region_lineage(req.ctx, location.operator_id, location.region_id)
    return not req.actor.region_ids.isdisjoint(lineage)


def _operator_of_agency(req: Request) -> str:
    """An agency hangs below its operator: the second last of its lineage."""
    return identity.lineage_of(req.ctx, req.organization_id)[-2]
