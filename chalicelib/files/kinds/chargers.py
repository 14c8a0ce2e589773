"""Chargers: a row is what POST /v1/chargers takes, with the location by id or by name.

Passwords that are made for them are kept sealed for a day, for whoever sets the chargers up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chalicelib.chargers import service as chargers
from chalicelib.chargers.api_operator.chargers import ChargerCreate, create_charger
from chalicelib.chargers.scope import owning_holder
from chalicelib.files.kinds.common import Created, ImportKind, Values, body_of, changed_since
from chalicelib.files.model import Column
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.http import Request
from chalicelib.kernel.unit_of_work import UnitOfWork

_NAMES_AGE_S: Final = 30.0


def _create(req: Request, operator_id: str, values: Values) -> Created:
    body = {**values, "operator_id": operator_id}
    name = body.pop("location", None)
    if name is not None:
        if "location_id" in body:
            raise invalid("location.named_twice", "Name the location by id or by name, not both.", "/location")
        body["location_id"] = _location_of(req, operator_id, str(name))
    created = create_charger(req, body_of(ChargerCreate, body))
    is_new = "password" not in body
    return Created(created.charger_id, created.connection.password if is_new else None)


def _location_of(req: Request, operator_id: str, name: str) -> str:
    found = _locations_by_name(req, operator_id).get(name.casefold(), [])
    if len(found) == 1:
        return found[0]
    if found:
        raise invalid("location.ambiguous", f"{len(found)} locations are called {name!r}: name its id.", "/location")
    raise invalid("location.unknown", f"The operator has no location {name!r}.", "/location")


def _locations_by_name(req: Request, operator_id: str) -> Mapping[str, list[str]]:
    """Remembered for some seconds, for the rows of one file; whether one may use a location is asked again by each."""

    def load() -> Mapping[str, list[str]]:
        names: dict[str, list[str]] = {}
        for location in chargers.walk_locations(req.ctx, operator_id):
            names.setdefault(location.name.casefold(), []).append(location.location_id)
        return names

    cache = req.ctx.cache("files.locations", size=16, ttl_s=_NAMES_AGE_S)
    return cache.get_or_load((req.request_id, operator_id), load) or {}


def _take_back(uow: UnitOfWork, charger_id: str) -> None:
    if not chargers.take_back_charger(uow, charger_id):
        raise changed_since("charger")


CHARGERS = ImportKind(
    name="chargers",
    permission="chargers:write",
    id_column="charger_id",
    columns=(
        Column(
            "charger_id",
            "The identity with which it connects: letters, digits and . _ : @ * = + | -",
            "CP-0001",
            required=True,
            unique=True,
        ),
        Column("name", "As people call it.", "Entrance left"),
        Column("serial_number", "As on its type plate. Make the column one of text.", "00123456", unique=True),
        Column("uid", "", "0042"),
        Column("country", "ISO 3166-1, two letters.", "DE"),
        Column("region", "", "Berlin"),
        Column("evse_count", "1 if empty; 2 is a dual socket, A and B.", "2", type="integer"),
        Column("max_power_w", "What one socket gives at most, in W.", "22000", type="integer"),
        Column("location", "The location's name, if no other has it.", "Market square"),
        Column("location_id", "The location by its id, instead of its name."),
        Column("charger_group_id", "The charger group by its id."),
        Column("charge_with_qr", "true (also if empty) or false.", "true", type="boolean"),
        Column("security_profile", "OCPP security profile 0 to 3; 1 if empty.", "1", type="integer"),
        Column("basic_auth_user", "The name of Basic auth, if it is not the identity."),
        Column("password", "16 to 40 characters. If empty one is made: the import's result has it for 24 hours."),
    ),
    create=_create,
    take_back=_take_back,
    owner=owning_holder,
)
