"""Contracts: what an operator gives of its income to those above it, and to its agencies.

A commission is written by who gets it, or by the platform; an agency's share by the operator, or by the platform. Both
parties read it; for everybody else it is not there.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import msgspec

from chalicelib.identity import service as identity
from chalicelib.identity.model import Organization
from chalicelib.identity.scope import check_works_everywhere, may_see
from chalicelib.kernel.errors import forbidden, invalid, not_found
from chalicelib.kernel.http import PageQuery, PageView, Request, Shape, page_view
from chalicelib.kernel.money import check_currency
from chalicelib.kernel.revisions import check_revision, etag_of, expected_revision
from chalicelib.kernel.texts import CurrencyText
from chalicelib.settlement import service
from chalicelib.settlement.api_operator.common import api
from chalicelib.settlement.api_operator.days import day_of
from chalicelib.settlement.model import Contract, ContractKind, PercentOf, Terms

PercentText = Annotated[
    str, msgspec.Meta(pattern=r"^(100(\.0{1,4})?|[0-9]{1,2}(\.[0-9]{1,4})?)$(?!\n)", description="A percentage: `2.5`.")
]
RateText = Annotated[
    str, msgspec.Meta(pattern=r"^[0-9]{1,6}(\.[0-9]{1,6})?$(?!\n)", description="Major units of the currency: `0.005`.")
]
MinorUnits = Annotated[int, msgspec.Meta(ge=0, le=10**9, description="Minor units of the currency.")]


class ContractsQuery(PageQuery):
    """`operator_id`: the contracts of an operator. Without, an operator sees its own, others those by which they get
    something."""

    operator_id: str | None = None


class TermsBody(Shape):
    """Business days, `valid_to` the last one (null: until further notice). `percent` of what was sold with its tax, or
    net of it; `per_session`, `per_kwh` and `per_card_payment` come to it, `vat_percent` on top of all."""

    valid_from: date
    valid_to: date | None = None
    percent: PercentText = "0"
    percent_of: PercentOf = "gross"
    per_session: MinorUnits = 0
    per_kwh: RateText = "0"
    per_card_payment: MinorUnits = 0
    vat_percent: PercentText = "0"


class TermsView(Shape):
    valid_from: str
    valid_to: str | None
    percent: str
    percent_of: PercentOf
    per_session: int
    per_kwh: str
    per_card_payment: int
    vat_percent: str


class ContractView(Shape):
    contract_id: str
    operator_id: str
    beneficiary_id: str
    kind: ContractKind
    currency: str
    created_at: datetime
    terms: list[TermsView]


class ContractCreate(Shape):
    """`currency`: that of the operator unless named; what is sold in another one is not concerned."""

    operator_id: str
    beneficiary_id: str
    terms: TermsBody
    currency: CurrencyText | None = None


class ContractEnd(Shape):
    """The last business day that the contract counts for."""

    last_day: date


@api.get("/v1/contracts", permission="contracts:read")
def list_contracts(req: Request, query: ContractsQuery) -> PageView[ContractView]:
    """Contracts of an operator, or those by which the asker's organisation gets something."""
    check_works_everywhere(req)
    operator_id = query.operator_id
    if operator_id is None and req.actor.organization_kind == "operator":
        operator_id = req.organization_id
    if operator_id is None:
        page = service.list_contracts_for(req.ctx, req.organization_id, limit=query.limit, cursor=query.cursor)
    elif req.actor.is_platform or operator_id == req.actor.organization_id:
        page = service.list_contracts(req.ctx, operator_id, limit=query.limit, cursor=query.cursor)
    else:
        raise not_found("organization", operator_id)
    return page_view(page, contract_view)


@api.get("/v1/contracts/{contract_id}", permission="contracts:read")
def get_contract(req: Request, contract_id: str) -> ContractView:
    """One contract, with all its terms."""
    return _with_etag(req, _visible(req, contract_id))


@api.post("/v1/contracts", permission="contracts:write")
def create_contract(req: Request, body: ContractCreate) -> ContractView:
    """Agrees on a commission for an organisation above the operator, or on a share for one of its agencies."""
    check_works_everywhere(req)
    operator, beneficiary = _party(req, body.operator_id), _party(req, body.beneficiary_id)
    if operator.kind != "operator":
        raise not_found("organization", body.operator_id)
    kind = _kind_of(operator, beneficiary)
    _check_writer(req, operator.organization_id, beneficiary.organization_id, kind)
    contract = service.make_contract(
        req.uow,
        operator,
        beneficiary_id=beneficiary.organization_id,
        kind=kind,
        currency=check_currency(body.currency or operator.currency),
        terms=_terms(body.terms, "/terms"),
    )
    _audit(req, contract)
    return _with_etag(req, contract)


@api.post("/v1/contracts/{contract_id}/terms", permission="contracts:write")
def add_contract_terms(req: Request, contract_id: str, body: TermsBody) -> ContractView:
    """Further terms from a business day on that is not settled; they replace what was to be valid then or later.
    Names the ETag that was read (If-Match), so that nobody's terms are replaced unseen."""
    contract, operator = _writable(req, contract_id)
    changed = service.change_terms(req.uow, operator, contract, _terms(body, ""))
    _audit(req, changed, contract)
    return _with_etag(req, changed)


@api.post("/v1/contracts/{contract_id}/end", permission="contracts:write", status=200)
def end_contract(req: Request, contract_id: str, body: ContractEnd) -> ContractView:
    """Ends a contract with a business day. It may get terms again. If-Match: as of terms."""
    contract, operator = _writable(req, contract_id)
    changed = service.end_contract(req.uow, operator, contract, day_of(body.last_day, "/last_day"))
    _audit(req, changed, contract)
    return _with_etag(req, changed)


def _with_etag(req: Request, contract: Contract) -> ContractView:
    req.answer_headers["etag"] = etag_of(contract.revision)
    return contract_view(contract)


def contract_view(contract: Contract) -> ContractView:
    values = {name: getattr(contract, name) for name in ContractView.__struct_fields__}
    return ContractView(**values | {"terms": [terms_view(terms) for terms in contract.terms]})


def terms_view(terms: Terms) -> TermsView:
    values = {name: getattr(terms, name) for name in TermsView.__struct_fields__}
    texts = {name: f"{getattr(terms, name):f}" for name in ("percent", "per_kwh", "vat_percent")}
    return TermsView(**values | texts)


def _terms(body: TermsBody, pointer: str) -> Terms:
    return Terms(
        valid_from=day_of(body.valid_from, f"{pointer}/valid_from"),
        valid_to=None if body.valid_to is None else day_of(body.valid_to, f"{pointer}/valid_to"),
        percent=Decimal(body.percent),
        percent_of=body.percent_of,
        per_session=body.per_session,
        per_kwh=Decimal(body.per_kwh),
        per_card_payment=body.per_card_payment,
        vat_percent=Decimal(body.vat_percent),
    )


def _party(req: Request, organization_id: str) -> Organization:
    """The asker itself, somebody below it, or somebody above it. Raises organization.not_found (404)."""
    organization = identity.find_organization(req.ctx, organization_id)
    if organization is None or not (
        may_see(req, organization_id) or organization_id in identity.lineage_of(req.ctx, req.organization_id)
    ):
        raise not_found("organization", organization_id)
    return organization


def _kind_of(operator: Organization, beneficiary: Organization) -> ContractKind:
    """Raises contract.beneficiary (422)."""
    if beneficiary.organization_id in operator.path:
        return "commission"
    if beneficiary.kind == "agency" and beneficiary.parent_id == operator.organization_id:
        return "agency_share"
    detail = "Who gets a part of an operator's income is above the operator, or an agency of it."
    raise invalid("contract.beneficiary", detail, "/beneficiary_id")


def _check_writer(req: Request, operator_id: str, beneficiary_id: str, kind: ContractKind) -> None:
    writer = beneficiary_id if kind == "commission" else operator_id
    if not req.actor.is_platform and req.actor.organization_id != writer:
        raise forbidden("A commission is agreed by who gets it, an agency's share by its operator.")


def _visible(req: Request, contract_id: str) -> Contract:
    check_works_everywhere(req)
    contract = service.find_contract(req.ctx, contract_id)
    parties = () if contract is None else (contract.operator_id, contract.beneficiary_id)
    if contract is None or not (req.actor.is_platform or req.actor.organization_id in parties):
        raise not_found("contract", contract_id)
    return contract


def _writable(req: Request, contract_id: str) -> tuple[Contract, Organization]:
    contract = _visible(req, contract_id)
    _check_writer(req, contract.operator_id, contract.beneficiary_id, contract.kind)
    check_revision(expected_revision(req), contract.revision, "contract")
    return contract, identity.get_organization(req.ctx, contract.operator_id)


def _audit(req: Request, after: Contract, before: Contract | None = None) -> None:
    req.audit(
        "contract",
        after.contract_id,
        owner_id=after.operator_id,
        before=None if before is None else contract_view(before),
        after=contract_view(after),
    )
