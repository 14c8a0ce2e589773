"""Where chargers stand and whose they are: placing, moving, claiming."""

from __future__ import annotations

from chalicelib.chargers import service
from chalicelib.chargers.api_operator.charger_views import ChargerView
from chalicelib.chargers.api_operator.chargers import changed
from chalicelib.chargers.api_operator.common import api
from chalicelib.chargers.scope import is_confined, owned_charger, owned_location, owning_holder
from chalicelib.identity.scope import owning_operator
from chalicelib.kernel.countries import check_country
from chalicelib.kernel.errors import forbidden
from chalicelib.kernel.http import Request, Shape
from chalicelib.kernel.texts import CountryText, NameText, ShortText


class Placement(Shape):
    location_id: str


class Owner(Shape):
    """`operator_id`: an operator, or the manufacturer or dealer to whose stock the charger goes."""

    operator_id: str


class ChargerClaim(Shape):
    """What is printed on the charger. `country` and `region` are set where given; `operator_id` is for those above the
    operators."""

    serial_number: ShortText
    uid: ShortText
    country: CountryText | None = None
    region: NameText | None = None
    operator_id: str | None = None


@api.put("/v1/chargers/{charger_id}/location", "chargers:write")
def place_charger(req: Request, charger_id: str, body: Placement) -> ChargerView:
    """Adds the charger to a location of its operator.

    One that is connected is asked to boot again, and accepted then; another one at its next boot.
    """
    charger = owned_charger(req, charger_id)
    location = owned_location(req, body.location_id)
    placed = service.place_charger(req.uow, charger, location, requested_by=req.actor.person_id)
    return changed(req, charger, placed)


@api.delete("/v1/chargers/{charger_id}/location", "chargers:write")
def unplace_charger(req: Request, charger_id: str) -> None:
    """Removes the charger from its location: it returns to the unregistered ones."""
    charger = owned_charger(req, charger_id)
    changed(req, charger, service.place_charger(req.uow, charger, None))


@api.put("/v1/chargers/{charger_id}/operator", "chargers:move")
def move_charger(req: Request, charger_id: str, body: Owner) -> ChargerView:
    """Makes the charger another organisation's, within the asker's subtree.

    For dealers and manufacturers who give chargers to operators, or take them back. It must not be placed (409). What
    happened before stays with the old owner.
    """
    charger = owned_charger(req, charger_id)
    return changed(req, charger, service.move_charger(req.uow, charger, owning_holder(req, body.operator_id)))


@api.post("/v1/chargers/claims", "chargers:write")
def claim_charger(req: Request, body: ChargerClaim) -> ChargerView:
    """Takes over a charger from the stock of the dealer, manufacturer or platform above, by its serial number and UID.

    404 whether the one or the other is wrong; after too many tries 429. The charger is among the unregistered ones
    then.
    """
    operator_id = owning_operator(req, body.operator_id)
    if is_confined(req):
        raise forbidden("You work at some locations only; a claimed charger stands at none yet.")
    check_country(body.country)
    given = {"country": body.country, "region": body.region}
    charger, claimed = service.claim_charger(
        req.uow,
        operator_id=operator_id,
        serial_number=body.serial_number,
        uid=body.uid,
        changes={name: value for name, value in given.items() if value is not None},
    )
    return changed(req, charger, claimed)
