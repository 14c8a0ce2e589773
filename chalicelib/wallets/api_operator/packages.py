"""Top-up packages: what drivers pick from. The platform's are offered to all, an operator's to the drivers on its list,
and whoever offers a package pays its bonus."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from chalicelib.identity.model import PLATFORM_ID, shown_name
from chalicelib.identity.scope import (
    OperatorPageQuery,
    check_works_everywhere,
    listed_operator,
    may_see,
    owning_operator,
)
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import UNSET, PageView, Request, Shape, Unset, changes_of, page_view
from chalicelib.kernel.money import Money
from chalicelib.kernel.revisions import check_revision, etag_of, expected_revision
from chalicelib.kernel.texts import NameText
from chalicelib.wallets import service
from chalicelib.wallets.api_operator.common import api
from chalicelib.wallets.model import PackageState, TopUpPackage

Switch = Literal["on", "off"]
SortOrder = Annotated[int, msgspec.Meta(ge=0, le=999_999)]


class PackageCreate(Shape):
    """The driver pays `amount` and gets `bonus` besides, which is no more than the amount. Offered while `state` is on,
    the lowest `sort_order` first. `operator_id` is for the platform; without it the package is its own."""

    name: NameText
    amount: Money
    bonus: Money | None = None
    state: Switch = "off"
    sort_order: SortOrder = 0
    operator_id: str | None = None


class PackagePatch(Shape):
    """`state` is the switch; a `bonus` of null takes it away."""

    name: NameText | Unset = UNSET
    amount: Money | Unset = UNSET
    bonus: Money | Unset | None = UNSET
    state: Switch | Unset = UNSET
    sort_order: SortOrder | Unset = UNSET


class PackageQuery(OperatorPageQuery):
    """`state`: on | off | deleted; without it those that are not deleted."""

    state: PackageState | None = None


class PackageView(Shape):
    """`operator_id` is null for the platform's own."""

    package_id: str
    operator_id: str | None
    name: str
    amount: Money
    bonus: Money | None
    state: PackageState
    sort_order: int
    created_at: datetime


@api.post("/v1/topup-packages", "topup_packages:write")
def create_topup_package(req: Request, body: PackageCreate) -> PackageView:
    """Makes a package. Drivers see it once it is on."""
    check_works_everywhere(req)
    own = req.actor.is_platform and body.operator_id is None
    package = TopUpPackage(
        package_id=req.ctx.new_id("tpk"),
        owner_id=PLATFORM_ID if own else owning_operator(req, body.operator_id),
        name=shown_name(body.name),
        amount=body.amount,
        state=body.state,
        sort_order=body.sort_order,
        created_at=req.ctx.now(),
        bonus=body.bonus,
    )
    return _written(req, None, service.create_package(req.uow, package))


@api.get("/v1/topup-packages", "topup_packages:read")
def list_topup_packages(req: Request, query: PackageQuery) -> PageView[PackageView]:
    """The packages of the platform, or of an operator, in the order in which they are offered."""
    owner_id = listed_operator(req, query.operator_id)
    page = service.list_packages(req.ctx, owner_id, state=query.state, limit=query.limit, cursor=query.cursor)
    return page_view(page, package_view)


@api.get("/v1/topup-packages/{package_id}", "topup_packages:read")
def get_topup_package(req: Request, package_id: str) -> PackageView:
    """One package."""
    package = _visible(req, package_id)
    req.answer_headers["etag"] = etag_of(package.revision)
    return package_view(package)


@api.patch("/v1/topup-packages/{package_id}", "topup_packages:write")
def update_topup_package(req: Request, package_id: str, body: PackagePatch) -> PackageView:
    """Changes a package, or switches it on and off (merge patch). Top-ups that were begun keep what was chosen.

    With If-Match, only if the package is still the one with that ETag (412).
    """
    package = _writable(req, package_id)
    changes = changes_of(body)
    if "name" in changes:
        changes["name"] = shown_name(changes["name"])
    return _written(req, package, service.change_package(req.uow, package, changes))


@api.delete("/v1/topup-packages/{package_id}", "topup_packages:write")
def delete_topup_package(req: Request, package_id: str) -> None:
    """Takes a package away. Top-ups that were begun keep what was chosen."""
    package = _writable(req, package_id)
    _written(req, package, service.set_package_state(req.uow, package, "deleted"))


@api.post("/v1/topup-packages/{package_id}/restore", "topup_packages:write", status=200)
def restore_topup_package(req: Request, package_id: str) -> PackageView:
    """Brings a deleted package back; it is off."""
    package = _writable(req, package_id)
    restored = service.set_package_state(req.uow, package, "off") if package.state == "deleted" else package
    return _written(req, package, restored)


def package_view(package: TopUpPackage) -> PackageView:
    return PackageView(
        package_id=package.package_id,
        operator_id=None if package.owner_id == PLATFORM_ID else package.owner_id,
        name=package.name,
        amount=package.amount,
        bonus=package.bonus,
        state=package.state,
        sort_order=package.sort_order,
        created_at=package.created_at,
    )


def _visible(req: Request, package_id: str) -> TopUpPackage:
    package = service.require_package(req.ctx, package_id)
    if not may_see(req, package.owner_id):
        raise not_found("topup_package", package_id)
    return package


def _writable(req: Request, package_id: str) -> TopUpPackage:
    package = _visible(req, package_id)
    check_works_everywhere(req)
    check_revision(expected_revision(req), package.revision, "topup_package")
    return package


def _written(req: Request, before: TopUpPackage | None, after: TopUpPackage) -> PackageView:
    view = package_view(after)
    req.audit(
        "topup_package",
        after.package_id,
        owner_id=after.owner_id,
        before=None if before is None else package_view(before),
        after=view,
    )
    req.answer_headers["etag"] = etag_of(after.revision)
    return view
