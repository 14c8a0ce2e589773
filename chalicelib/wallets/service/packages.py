"""Top-up packages: written by their owners, offered to drivers while they are on.

Called by the wallets' own endpoints. Nothing is committed here. Invariant: who changes a package names the revision
that was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from chalicelib.drivers import service as drivers
from chalicelib.identity import service as identity
from chalicelib.identity.model import PLATFORM_ID, Organization
from chalicelib.identity.model.settings import check_topup
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, conflict, not_found
from chalicelib.kernel.pages import Page, cursor_invalid, decode_cursor, encode_cursor
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.wallets import model
from chalicelib.wallets.model import PackageOwner, PackageState, TopUpPackage
from chalicelib.wallets.store import (
    PACKAGE_OWNERS,
    TOPUP_PACKAGES,
    TopUpPackageRow,
    package_owner_key,
    package_sk,
    packages_pk,
)

MAX_OWNERS = 50
"""Operators whose packages a driver is offered: those on whose lists the driver is, the first ones."""


def create_package(uow: UnitOfWork, package: TopUpPackage) -> TopUpPackage:
    """Raises wallet.amount_invalid, wallet.amount_out_of_bounds, currency.invalid, topup_package.currency,
    topup_package.bonus, topup_package.too_many."""
    _check(uow.ctx, package)
    model.check_number(_packages_of(uow.ctx, package.owner_id))
    uow.create(TOPUP_PACKAGES, package)
    uow.create(PACKAGE_OWNERS, PackageOwner(package.package_id, package.owner_id))
    return package


def change_package(uow: UnitOfWork, package: TopUpPackage, changes: Mapping[str, Any]) -> TopUpPackage:
    """Applies changes by field name and returns the package as it will be. Top-ups that were begun with it keep what
    they have frozen. Raises those of `create_package`, and topup_package.deleted."""
    if package.state == "deleted":
        raise conflict("topup_package.deleted", "This package is deleted; restore it first.")
    after = replace(package, **changes)
    return package if after == package else _save(uow, package, _check(uow.ctx, after))


def set_package_state(uow: UnitOfWork, package: TopUpPackage, state: PackageState) -> TopUpPackage:
    """Deletes or restores. Said twice, it is as said once. Raises topup_package.too_many."""
    if package.state == state:
        return package
    if package.state == "deleted":
        model.check_number(_packages_of(uow.ctx, package.owner_id))
    return _save(uow, package, replace(package, state=state))


def require_package(ctx: Context, package_id: str) -> TopUpPackage:
    """Raises topup_package.not_found."""
    owner = PACKAGE_OWNERS.get(ctx, *package_owner_key(package_id))
    package = None if owner is None else TOPUP_PACKAGES.get(ctx, packages_pk(owner.owner_id), package_sk(package_id))
    if package is None:
        raise not_found("topup_package", package_id)
    return package


def list_packages(
    ctx: Context, owner_id: str, *, state: PackageState | None, limit: int, cursor: str | None
) -> Page[TopUpPackage]:
    """An owner's packages in the order in which they are offered; deleted ones only where they are asked for."""
    wanted = {"on", "off"} if state is None else {state}
    found = {model.place_of(package): package for package in _packages_of(ctx, owner_id) if package.state in wanted}
    return _cut(found, limit, cursor)


def list_offered(
    ctx: Context, driver_id: str, *, limit: int, cursor: str | None
) -> tuple[Page[TopUpPackage], dict[str, Organization]]:
    """What a driver may choose from: the platform's packages, then those of the operators whose list the driver is on;
    and whose they are."""
    found: dict[str, TopUpPackage] = {}
    owners: dict[str, Organization] = {}
    for owner_id in _offering(ctx, driver_id):
        offered = [package for package in _packages_of(ctx, owner_id) if package.state == "on"]
        owner = identity.find_organization(ctx, owner_id) if offered else None
        if owner is not None and owner.state == "active":
            owners[owner_id] = owner
            rank = "0" if owner_id == PLATFORM_ID else f"1#{owner_id}"
            found |= {f"{rank}#{model.place_of(package)}": package for package in offered}
    return _cut(found, limit, cursor), owners


def choose_package(ctx: Context, driver_id: str, package_id: str) -> TopUpPackage:
    """The package that a driver picked. Raises topup_package.not_found for one that is not offered to this driver,
    topup_package.off (409) for one that is not offered any more."""
    package = require_package(ctx, package_id)
    owner = identity.find_organization(ctx, package.owner_id)
    if package.owner_id not in _offering(ctx, driver_id):
        raise not_found("topup_package", package_id)
    if package.state != "on" or owner is None or owner.state != "active":
        raise conflict("topup_package.off", "This package is not offered any more.", "/package_id")
    return package


def _offering(ctx: Context, driver_id: str) -> list[str]:
    """Whose packages a driver may see: not those of operators that turn the driver away."""
    driver = drivers.get_driver(ctx, driver_id)
    if driver is None:
        return [PLATFORM_ID]
    linked = drivers.listing_organizations(ctx, driver_id)[:MAX_OWNERS]
    return [PLATFORM_ID, *(each for each in linked if drivers.standing(driver, each) == "active")]


def _packages_of(ctx: Context, owner_id: str) -> list[TopUpPackage]:
    return list(TOPUP_PACKAGES.query_all(ctx, packages_pk(owner_id), consistent=True))


def _check(ctx: Context, package: TopUpPackage) -> TopUpPackage:
    """What drivers pay in by themselves is bounded by the platform, whoever's package it is. An operator's bonus is
    settled with it, in its own currency."""
    model.check_topup_amount(package.amount)
    check_topup(identity.payments_of(ctx, PLATFORM_ID), package.amount)
    is_platform_s = package.owner_id == PLATFORM_ID
    currency = None if is_platform_s else identity.get_organization(ctx, package.owner_id).currency
    return model.check_package(package, currency=currency)


def _save(uow: UnitOfWork, before: TopUpPackage, after: TopUpPackage) -> TopUpPackage:
    saved = replace(after, revision=before.revision + 1)
    uow.put(
        TOPUP_PACKAGES,
        saved,
        condition=TopUpPackageRow.revision == before.revision,
        on_conflict=StaleRead("The top-up package"),
    )
    return saved


def _cut(found: Mapping[str, TopUpPackage], limit: int, cursor: str | None) -> Page[TopUpPackage]:
    """A page of few things that are all here, by their places."""
    places: Iterable[str] = sorted(found)
    if cursor is not None:
        after = decode_cursor(cursor).get("place", {}).get("S")
        if not isinstance(after, str):
            raise cursor_invalid()
        places = [place for place in places if place > after]
    shown = list(places)
    last = encode_cursor({"place": {"S": shown[limit - 1]}}) if len(shown) > limit else None
    return Page([found[place] for place in shown[:limit]], last)
