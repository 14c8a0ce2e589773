"""Drivers: their own row, their standing, and the lists of the organisations at whose chargers they charged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice

from chalicelib.drivers.model import (
    Driver,
    DriverLink,
    DriverState,
    IdToken,
    app_token,
    matches_search,
    tidied,
)
from chalicelib.drivers.service.announcing import announce_driver, announce_operator
from chalicelib.drivers.store import (
    DRIVER_LINKS,
    DRIVERS,
    ID_TOKENS,
    DriverLinkRow,
    DriverRow,
    IdTokenRow,
    driver_key,
    link_key,
    links_pk,
    token_key,
)
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import conflict, not_found
from chalicelib.kernel.pages import Page, Step, follow, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork

MAX_COUNTED = 10_000
"""Of a list, for its total: beyond it nobody pages."""
_LINKS_CHUNK = 100


def create_driver(uow: UnitOfWork, driver: Driver) -> None:
    """Adds a driver and the id token of the driver's app."""
    uow.create(DRIVERS, driver)
    app = IdToken(app_token(driver.driver_id), "app", "active", driver.created_at, driver_id=driver.driver_id)
    uow.create(ID_TOKENS, app)


def get_driver(ctx: Context, driver_id: str, *, consistent: bool = True) -> Driver | None:
    return DRIVERS.get(ctx, *driver_key(driver_id), consistent=consistent)


def require_driver(ctx: Context, driver_id: str) -> Driver:
    """Raises driver.not_found."""
    driver = get_driver(ctx, driver_id)
    if driver is None:
        raise not_found("driver", driver_id)
    return driver


def get_drivers(ctx: Context, driver_ids: Iterable[str]) -> dict[str, Driver]:
    """Those that exist, by id: for a page of a list."""
    found = DRIVERS.batch_get(ctx, [driver_key(driver_id) for driver_id in dict.fromkeys(driver_ids)])
    return {driver.driver_id: driver for driver in found}


def change_driver(uow: UnitOfWork, driver: Driver, changes: Mapping[str, object]) -> Driver:
    """Applies changes by field name (None removes) and returns the driver as it will be. Raises name.empty (422)."""
    after = replace(driver, **tidied(changes))
    return driver if after == driver else save_driver(uow, driver, after)


# -- operators' lists ---------------------------------------------------------------------------------------------


def link_operator(uow: UnitOfWork, organization_id: str, driver_id: str) -> None:
    """Puts the driver on the list of an operator, or of an agency; one who is there already, also an inactive one,
    stays as is. Looked up first: each charge asks for this, and a read costs a tenth of a write."""
    if DRIVER_LINKS.get(uow.ctx, *link_key(organization_id, driver_id), consistent=False) is not None:
        return
    announce_operator(uow, organization_id)
    uow.update(
        DRIVER_LINKS,
        link_key(organization_id, driver_id),
        [
            DriverLinkRow.operator_id.set(organization_id),
            DriverLinkRow.driver_id.set(driver_id),
            DriverLinkRow.linked_at.set(DriverLinkRow.linked_at | uow.ctx.now()),
        ],
        name="driver link",
    )


def get_link(ctx: Context, operator_id: str, driver_id: str) -> DriverLink | None:
    return DRIVER_LINKS.get(ctx, *link_key(operator_id, driver_id))


def is_linked(ctx: Context, operator_id: str, driver_id: str) -> bool:
    """May this operator see this driver? Inactive ones too."""
    return get_link(ctx, operator_id, driver_id) is not None


def list_drivers(
    ctx: Context,
    organization_id: str,
    *,
    state: DriverState | None,
    words: str,
    limit: int,
    cursor: str | None,
    standing_at: str | None = None,
) -> Page[Driver]:
    """The drivers on an organisation's list, by time of sign-up. `state` is their standing with the operator
    `standing_at`, by default with this organisation."""
    links = DRIVER_LINKS.walk(ctx, links_pk(organization_id), cursor=cursor, chunk=_LINKS_CHUNK)
    return page_of(_drivers_of(ctx, links), limit, _wanted(standing_at or organization_id, state, words))


def count_drivers(
    ctx: Context, organization_id: str, *, state: DriverState | None, words: str, standing_at: str | None = None
) -> int:
    """How many `list_drivers` would give in all, among the first MAX_COUNTED of the list."""
    links = islice(DRIVER_LINKS.walk(ctx, links_pk(organization_id), chunk=_LINKS_CHUNK), MAX_COUNTED)
    if state is None and not words.split():
        return sum(1 for _ in links)
    wanted = _wanted(standing_at or organization_id, state, words)
    return sum(1 for driver, _ in _drivers_of(ctx, links) if wanted(driver))


def _wanted(operator_id: str, state: DriverState | None, words: str) -> Callable[[Driver], bool]:
    return lambda driver: (state is None or standing(driver, operator_id) == state) and matches_search(driver, words)


def standing(driver: Driver, operator_id: str) -> DriverState:
    """A driver is inactive for an operator that deactivated them, or if the platform did."""
    return "inactive" if driver.state == "inactive" or operator_id in driver.inactive_at else "active"


def _drivers_of(ctx: Context, links: Iterator[Step[DriverLink]]) -> Iterator[Step[Driver]]:
    return follow(ctx, links, DRIVERS, lambda link: driver_key(link.driver_id))


def set_driver_state(uow: UnitOfWork, driver: Driver, state: DriverState, *, operator_id: str | None) -> Driver:
    """Deactivates or restores a driver at one operator's chargers, or (None: the platform) everywhere.

    All their id tokens follow in the same commit. The second click changes nothing.
    """
    if operator_id is None:
        after = replace(driver, state=state)
    else:
        others = [other for other in driver.inactive_at if other != operator_id]
        after = replace(driver, inactive_at=[*others, operator_id] if state == "inactive" else others)
    if after == driver:
        return driver
    for id_token in (*driver.id_tokens, app_token(driver.driver_id)):
        uow.update(
            ID_TOKENS,
            token_key(id_token),
            [
                IdTokenRow.driver_active.set(after.state == "active"),
                IdTokenRow.refused_by.set(after.inactive_at),
            ],
            condition=IdTokenRow.driver_id == driver.driver_id,
            name="id token",
        )
    if operator_id is None:
        announce_driver(uow, driver.driver_id)
    else:
        announce_operator(uow, operator_id)
    return save_driver(uow, driver, after)


def save_driver(uow: UnitOfWork, before: Driver, after: Driver) -> Driver:
    """Writes the driver if nobody changed the row since `before` was read. Raises driver.deleted (409)."""
    if before.deleted_at is not None:
        raise conflict("driver.deleted", "This driver's account was deleted.")
    saved = replace(after, revision=before.revision + 1)
    uow.put(DRIVERS, saved, condition=DriverRow.revision == before.revision)
    return saved
