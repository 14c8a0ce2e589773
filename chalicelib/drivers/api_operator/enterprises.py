"""Enterprises: organisations that pay for their drivers, on an operator's credit; their members and limits.

Their invoices are `settlement/api_operator/invoices.py`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

from chalicelib.drivers import service
from chalicelib.drivers.api_operator.common import TokenText, api
from chalicelib.drivers.model import (
    MAX_MEMBER_CARDS,
    Driver,
    Enterprise,
    EnterpriseState,
    Member,
    check_credit_limit,
    id_token_key,
)
from chalicelib.identity import service as identity
from chalicelib.identity.model import check_email, shown_name
from chalicelib.identity.scope import (
    OperatorPageQuery,
    check_works_everywhere,
    listed_operator,
    may_see,
    owning_operator,
)
from chalicelib.kernel.countries import check_country
from chalicelib.kernel.errors import invalid, not_found
from chalicelib.kernel.http import (
    UNSET,
    Moment,
    PageQuery,
    PageView,
    Request,
    Shape,
    Unset,
    changes_of,
    check_moment,
    page_view,
)
from chalicelib.kernel.money import Money
from chalicelib.kernel.spans import month_of
from chalicelib.kernel.texts import CountryText, EmailText, LanguageText, LineText, NameText, ShortText

PaymentDays = Annotated[int, msgspec.Meta(ge=0, le=180)]


class EnterpriseCreate(Shape):
    """`email` is where invoices go. `credit_limit` is in the operator's currency: the most that may be held, used, or
    invoiced and not yet paid at a time. `payment_days`: from an invoice's date until it is due."""

    name: NameText
    email: EmailText
    credit_limit: Money
    payment_days: PaymentDays = 14
    language: LanguageText = "en"
    tax_number: ShortText | None = None
    address: LineText | None = None
    city: NameText | None = None
    postal_code: ShortText | None = None
    country: CountryText | None = None
    operator_id: str | None = None


class EnterprisePatch(Shape):
    name: NameText | Unset = UNSET
    email: EmailText | Unset = UNSET
    credit_limit: Money | Unset = UNSET
    payment_days: PaymentDays | Unset = UNSET
    language: LanguageText | Unset = UNSET
    tax_number: ShortText | Unset | None = UNSET
    address: LineText | Unset | None = UNSET
    city: NameText | Unset | None = UNSET
    postal_code: ShortText | Unset | None = UNSET
    country: CountryText | Unset | None = UNSET


class EnterpriseQuery(OperatorPageQuery):
    """`q`: words that all occur in name, e-mail or tax number."""

    state: EnterpriseState | None = None
    q: Annotated[str, msgspec.Meta(max_length=100)] = ""


class EnterpriseView(Shape):
    """An enterprise as it stands in a list and in the audit log."""

    enterprise_id: str
    operator_id: str
    name: str
    email: str
    state: EnterpriseState
    credit_limit: Money
    payment_days: int
    language: str
    tax_number: str | None
    address: str | None
    city: str | None
    postal_code: str | None
    country: str | None
    created_at: datetime


class EnterpriseDetail(EnterpriseView):
    """`credit_used` of the limit is held for charges, or used and not yet paid; `credit_free` is what is left."""

    credit_used: Money
    credit_free: Money


class MemberPut(Shape):
    """How the enterprise pays for a driver; what is left out has no limit. `id_tokens`: only what these cards charge,
    and nothing from the app. `wallet_fallback`: a card for which the enterprise does not pay (any more) charges on the
    driver's own wallet; without it, it is refused."""

    monthly_limit: Money | None = None
    per_session_limit: Money | None = None
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    id_tokens: Annotated[list[TokenText], msgspec.Meta(min_length=1, max_length=MAX_MEMBER_CARDS)] | None = None
    wallet_fallback: bool = False


class MemberView(Shape):
    enterprise_id: str
    driver_id: str
    joined_at: datetime
    monthly_limit: Money | None
    per_session_limit: Money | None
    valid_from: datetime | None
    valid_until: datetime | None
    id_tokens: list[str] | None
    wallet_fallback: bool


class ListedMember(MemberView):
    """`used_this_month`: running charges with what is held for them."""

    full_name: str
    email: str
    used_this_month: Money


def enterprise_view(enterprise: Enterprise) -> EnterpriseView:
    return EnterpriseView(**_members(enterprise))


def enterprise_detail(enterprise: Enterprise, free: Money) -> EnterpriseDetail:
    limit = Money(enterprise.credit_limit, enterprise.currency)
    return EnterpriseDetail(**_members(enterprise), credit_used=limit - free, credit_free=free)


def _members(enterprise: Enterprise) -> dict[str, Any]:
    limit = Money(enterprise.credit_limit, enterprise.currency)
    names = [name for name in EnterpriseView.__struct_fields__ if name != "credit_limit"]
    return {name: getattr(enterprise, name) for name in names} | {"credit_limit": limit}


def member_view(enterprise: Enterprise, member: Member) -> MemberView:
    return MemberView(**_member_values(enterprise, member))


def _member_values(enterprise: Enterprise, member: Member) -> dict[str, Any]:
    def money(amount: int | None) -> Money | None:
        return None if amount is None else Money(amount, enterprise.currency)

    values = {name: getattr(member, name) for name in MemberView.__struct_fields__}
    limits = {name: money(getattr(member, name)) for name in ("monthly_limit", "per_session_limit")}
    return values | limits


@api.post("/v1/enterprises", "enterprises:write")
def create_enterprise(req: Request, body: EnterpriseCreate) -> EnterpriseDetail:
    """Adds an enterprise and gives it its credit, in the operator's currency."""
    check_works_everywhere(req)
    operator = identity.get_organization(req.ctx, owning_operator(req, body.operator_id))
    check_country(body.country)
    values = msgspec.structs.asdict(body) | {
        "name": shown_name(body.name),
        "email": check_email(body.email),
        "credit_limit": check_credit_limit(body.credit_limit, operator.currency),
        "operator_id": operator.organization_id,
    }
    enterprise = service.create_enterprise(
        req.uow,
        Enterprise(enterprise_id=req.ctx.new_id("epr"), currency=operator.currency, created_at=req.ctx.now(), **values),
    )
    _audit(req, enterprise, None, enterprise)
    return enterprise_detail(enterprise, body.credit_limit)


@api.get("/v1/enterprises", "enterprises:read")
def list_enterprises(req: Request, query: EnterpriseQuery) -> PageView[EnterpriseView]:
    """The operator's enterprises, oldest first."""
    operator_id = listed_operator(req, query.operator_id)
    page = service.list_enterprises(
        req.ctx, operator_id, state=query.state, words=query.q, limit=query.limit, cursor=query.cursor
    )
    return page_view(page, enterprise_view)


@api.get("/v1/enterprises/{enterprise_id}", "enterprises:read")
def get_enterprise(req: Request, enterprise_id: str) -> EnterpriseDetail:
    """One enterprise, with what of its credit is used."""
    enterprise = _owned(req, enterprise_id)
    return enterprise_detail(enterprise, service.free_credit(req.ctx, enterprise))


@api.patch("/v1/enterprises/{enterprise_id}", "enterprises:write")
def update_enterprise(req: Request, enterprise_id: str, body: EnterprisePatch) -> EnterpriseDetail:
    """Changes an enterprise (merge patch). A credit limit below what is in use is refused (409)."""
    enterprise = _owned(req, enterprise_id)
    changes = changes_of(body)
    check_country(changes.get("country"))
    if isinstance(body.name, str):
        changes["name"] = shown_name(body.name)
    if isinstance(body.email, str):
        changes["email"] = check_email(body.email)
    if isinstance(body.credit_limit, Money):
        changes["credit_limit"] = check_credit_limit(body.credit_limit, enterprise.currency)
    return _changed(req, enterprise, changes)


@api.delete("/v1/enterprises/{enterprise_id}", "enterprises:write")
def deactivate_enterprise(req: Request, enterprise_id: str) -> None:
    """The enterprise pays for no new charge. What it owes stays owed, and running charges go on."""
    _changed(req, _owned(req, enterprise_id), {"state": "inactive"})


@api.post("/v1/enterprises/{enterprise_id}/restore", "enterprises:write", status=200)
def restore_enterprise(req: Request, enterprise_id: str) -> EnterpriseDetail:
    """Undoes the deactivation."""
    return _changed(req, _owned(req, enterprise_id), {"state": "active"})


@api.get("/v1/enterprises/{enterprise_id}/members", "enterprises:read")
def list_enterprise_members(req: Request, enterprise_id: str, query: PageQuery) -> PageView[ListedMember]:
    """The drivers for whom the enterprise pays, with what they used this month."""
    enterprise = _owned(req, enterprise_id)
    page = service.list_members(req.ctx, enterprise_id, limit=query.limit, cursor=query.cursor)
    driver_ids = [member.driver_id for member in page.data]
    zone = identity.get_organization(req.ctx, enterprise.operator_id).time_zone
    month = month_of(req.ctx.now(), zone)
    used = service.used_in_month(req.ctx, enterprise_id, driver_ids, month)
    found = service.get_drivers(req.ctx, driver_ids)

    def view(member: Member) -> ListedMember:
        driver = found.get(member.driver_id)
        return ListedMember(
            **_member_values(enterprise, member),
            full_name=driver.full_name if driver else "",
            email=driver.email if driver else "",
            used_this_month=Money(used.get(member.driver_id, 0), enterprise.currency),
        )

    return page_view(page, view)


@api.put("/v1/enterprises/{enterprise_id}/members/{driver_id}", "enterprises:write")
def put_enterprise_member(req: Request, enterprise_id: str, driver_id: str, body: MemberPut) -> MemberView:
    """Makes a driver of the operator's list a member, or replaces how the enterprise pays for one.

    A driver is a member of one enterprise per operator (409).
    """
    check_works_everywhere(req)
    enterprise = _owned(req, enterprise_id)
    driver = service.get_driver(req.ctx, driver_id)
    if driver is None or not service.is_linked(req.ctx, enterprise.operator_id, driver_id):
        raise not_found("driver", driver_id)
    known = service.find_member(req.ctx, enterprise_id, driver_id)
    member = Member(
        enterprise_id=enterprise_id,
        driver_id=driver_id,
        joined_at=known.joined_at if known else req.ctx.now(),
        monthly_limit=_limit(body.monthly_limit, enterprise, "/monthly_limit"),
        per_session_limit=_limit(body.per_session_limit, enterprise, "/per_session_limit"),
        valid_from=body.valid_from and check_moment(body.valid_from, "/valid_from"),
        valid_until=body.valid_until and check_moment(body.valid_until, "/valid_until"),
        id_tokens=_cards_of(driver, body.id_tokens),
        wallet_fallback=body.wallet_fallback,
    )
    service.put_member(req.uow, enterprise, driver, member)
    if known != member:
        req.audit(
            "enterprise_member",
            f"{enterprise_id}.{driver_id}",
            owner_id=enterprise.operator_id,
            before=None if known is None else member_view(enterprise, known),
            after=member_view(enterprise, member),
        )
    return member_view(enterprise, member)


@api.delete("/v1/enterprises/{enterprise_id}/members/{driver_id}", "enterprises:write")
def remove_enterprise_member(req: Request, enterprise_id: str, driver_id: str) -> None:
    """The enterprise does not pay for this driver any more; a charge that runs already it pays."""
    check_works_everywhere(req)
    enterprise = _owned(req, enterprise_id)
    member = service.require_member(req.ctx, enterprise_id, driver_id)
    service.remove_member(req.uow, enterprise, service.require_driver(req.ctx, driver_id))
    req.audit(
        "enterprise_member",
        f"{enterprise_id}.{driver_id}",
        owner_id=enterprise.operator_id,
        before=member_view(enterprise, member),
    )


def _owned(req: Request, enterprise_id: str) -> Enterprise:
    enterprise = service.find_enterprise(req.ctx, enterprise_id)
    if enterprise is None or not may_see(req, enterprise.operator_id):
        raise not_found("enterprise", enterprise_id)
    return enterprise


def _changed(req: Request, enterprise: Enterprise, changes: dict[str, Any]) -> EnterpriseDetail:
    check_works_everywhere(req)
    free = service.free_credit(req.ctx, enterprise)
    changed = service.change_enterprise(req.uow, enterprise, changes)
    _audit(req, changed, enterprise, changed)
    granted = Money(changed.credit_limit - enterprise.credit_limit, enterprise.currency)
    return enterprise_detail(changed, free + granted)


def _audit(req: Request, enterprise: Enterprise, before: Enterprise | None, after: Enterprise) -> None:
    if before != after:
        req.audit(
            "enterprise",
            enterprise.enterprise_id,
            owner_id=enterprise.operator_id,
            before=None if before is None else enterprise_view(before),
            after=enterprise_view(after),
        )


def _limit(limit: Money | None, enterprise: Enterprise, pointer: str) -> int | None:
    return None if limit is None else check_credit_limit(limit, enterprise.currency, pointer)


def _cards_of(driver: Driver, id_tokens: list[str] | None) -> list[str] | None:
    """Their keys, each once. Raises id_token.unknown (422) for what is no card of the driver's."""
    if id_tokens is None:
        return None
    keys = [id_token_key(id_token.strip()) for id_token in id_tokens]
    for number, key in enumerate(keys):
        if key not in driver.id_tokens:
            raise invalid("id_token.unknown", "This is no card of the driver's.", f"/id_tokens/{number}")
    return list(dict.fromkeys(keys))
