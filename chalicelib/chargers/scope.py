"""Whose location, charger or session a request is about, and where the asker works: for all operators' endpoints.

Over the one rule of ownership (`identity/scope.py`) stand places: an agency sees what stands at its locations, a user
who is narrowed to regions what stands there; neither sees what is not placed. Everything else answers 404, like what
does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from chalicelib.chargers import service
from chalicelib.chargers.model import Charger, ChargerGroup, Location
from chalicelib.identity import service as identity
from chalicelib.identity.scope import listed_operator, may_see
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import conflict, forbidden, invalid, not_found
from chalicelib.kernel.http import Request

HOLDERS: Final = ("platform", "manufacturer", "dealer", "operator")
"""Whose a charger may be: an operator's, or in the stock of somebody above."""


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
    if not is_confined(req):
        return Places(listed)
    locations = service.walk_locations(req.ctx, listed)
    return Places(listed, frozenset(place.location_id for place in locations if _works_at(req, place)))


def may_see_at(req: Request, operator_id: str, location_id: str | None) -> bool:
    """Is an object of this operator, that stands at this location (None: nowhere), visible to who asks?"""
    owner = _operator_of_agency(req) if req.actor.organization_kind == "agency" else None
    if operator_id != owner and not may_see(req, operator_id):
        return False
    if not is_confined(req):
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


def owning_holder(req: Request, operator_id: str | None) -> str:
    """Whose a charger is to be: an operator, or a manufacturer, dealer or the platform that has it in stock. Nobody
    named is the asker's organisation; the platform's people always say whose.

    Raises operator_id.missing (422), organization.not_found (404), organization.inactive (409).
    """
    actor = req.actor
    if operator_id is None and actor.organization_kind in HOLDERS and not actor.is_platform:
        operator_id = req.organization_id
    if operator_id is None:
        raise invalid("operator_id.missing", "Name the operator that this is for.", "/operator_id")
    organization = identity.find_organization(req.ctx, operator_id) if may_see(req, operator_id) else None
    if organization is None or organization.kind not in HOLDERS:
        raise not_found("organization", operator_id)
    if organization.state != "active":
        raise conflict("organization.inactive", "This organisation is inactive.")
    return operator_id


def owned_group(req: Request, group_id: str) -> ChargerGroup:
    """Groups stand nowhere: whoever works for their operator sees them. Raises charger_group.not_found."""
    group = service.get_group(req.ctx, group_id)
    if group is None or not may_see(req, group.operator_id):
        raise not_found("charger_group", group_id)
    return group


def check_region(req: Request, operator_id: str, region_id: str | None) -> None:
    """May the asker put a location of this operator into this region? Who is narrowed to regions works in these.

    Raises region.unknown, region_id.missing (422), forbidden (403).
    """
    narrowed = req.actor.region_ids
    if region_id is None:
        if narrowed is not None:
            raise invalid("region_id.missing", "Name the region: you work in some of them only.", "/region_id")
        return
    region = identity.get_region(req.ctx, operator_id, region_id)
    if region is None:
        raise invalid("region.unknown", f"There is no region {region_id!r}.", "/region_id")
    if narrowed is not None and narrowed.isdisjoint(region.lineage):
        raise forbidden("This region is not one of those that you work in.")


def check_agency(req: Request, operator_id: str, agency_id: str | None) -> None:
    """Raises agency.unknown (422) unless it is an active agency of this operator."""
    if agency_id is None:
        return
    agency = identity.find_organization(req.ctx, agency_id)
    if agency is None or (agency.kind, agency.parent_id, agency.state) != ("agency", operator_id, "active"):
        raise invalid("agency.unknown", f"The operator has no agency {agency_id!r}.", "/agency_id")


def is_confined(req: Request) -> bool:
    """Does the asker see some locations only, and nothing that is not placed?"""
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
