"""The settings of an organisation. Who is told of chargers that are silent is set at `/v1/offline-notification`."""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec

from chalicelib.identity.api_operator.common import OfOrganization, api, named_or_own
from chalicelib.identity.model.settings import (
    GUEST_KEEP_DAYS,
    Brand,
    Credit,
    Guests,
    Invoicing,
    Payments,
    Regional,
    Setting,
    TopUpLimit,
    check_setter,
)
from chalicelib.identity.service import settings
from chalicelib.kernel.http import Request, Shape
from chalicelib.kernel.money import CostRounding, Rounding
from chalicelib.kernel.revisions import etag_of, expected_revision
from chalicelib.kernel.texts import (
    CountryText,
    CurrencyText,
    EmailText,
    LanguageText,
    LineText,
    NameText,
    PhoneText,
    ShortText,
)

Kind = TypeVar("Kind", bound=Shape)
ColorText = Annotated[str, msgspec.Meta(pattern=r"^#[0-9a-fA-F]{6}$(?!\n)", description="`#rrggbb`")]
AmountText = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
WebsiteText = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^https://[^\s<>\"]+$(?!\n)")]


class BrandSetting(Shape):
    """How drivers see the organisation. What is null falls back to its own name, or is left out."""

    display_name: NameText | None = None
    primary_color: ColorText | None = None
    support_email: EmailText | None = None
    support_phone: PhoneText | None = None
    website: WebsiteText | None = None


class RegionalSetting(Shape):
    """`languages`: what its users and its drivers' app may choose from; none means every language there is."""

    languages: Annotated[list[LanguageText], msgspec.Meta(max_length=30)] = msgspec.field(default_factory=list)


class RoundingSetting(Shape):
    """How the cost of a charge is rounded, in the operator's own currency: to whole multiples of `step` minor units,
    e.g. 5 for Swiss francs."""

    mode: Rounding = "half_up"
    step: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1


class TopUpLimitShape(Shape):
    """Minor units, both included."""

    currency: CurrencyText
    min_amount: AmountText
    max_amount: AmountText


class PaymentsSetting(Shape):
    """What may be put into a wallet at once, one limit per currency; a currency without one has the platform-wide
    bound alone. The platform's limits are for what drivers pay in, an operator's for what its people take in cash.

    `min_balance_until_full`, operators only: what a driver's wallet must have, in minor units of the operator's
    currency, for a charge until full from the phone; without it about as much as 5.00 EUR."""

    topup_limits: Annotated[list[TopUpLimitShape], msgspec.Meta(max_length=50)] = msgspec.field(default_factory=list)
    min_balance_until_full: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] | None = None


class InvoicingSetting(Shape):
    """Who issues the organisation's invoices. What is null falls back to its own name, address and country, or is left
    out. `tax_number`: the VAT identifier; `prefix`: what the numbers of its series begin with; `note`: a line that
    stands on every invoice."""

    legal_name: LineText | None = None
    tax_number: ShortText | None = None
    registration: ShortText | None = None
    address: LineText | None = None
    city: NameText | None = None
    postal_code: ShortText | None = None
    country: CountryText | None = None
    prefix: Annotated[str, msgspec.Meta(pattern=r"^([A-Z0-9]{1,8}-)?$(?!\n)")] = ""
    note: LineText | None = None


class CreditSetting(Shape):
    """`limit`: minor units of the operator's currency that it may owe to the platform, for cash, bonuses and what it
    gives back; null: about as much as 10 000.00 EUR."""

    limit: Annotated[int, msgspec.Meta(ge=0, le=10**12)] | None = None


GuestAmountText = Annotated[int, msgspec.Meta(ge=1, le=10**10)]


class GuestsSetting(Shape):
    """`hold`: what is reserved on a guest's card where no amount is named; `least` and `most`: what may be named. Minor
    units of the operator's currency; null: about as much as 30.00, 1.00 and 200.00 EUR. `keep_days`: how long
    after a charge it stays on record who the guest was."""

    least: GuestAmountText | None = None
    hold: GuestAmountText | None = None
    most: GuestAmountText | None = None
    keep_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = GUEST_KEEP_DAYS


class SettingsView(Shape):
    """All settings as they are in effect."""

    brand: BrandSetting
    regional: RegionalSetting
    rounding: RoundingSetting
    payments: PaymentsSetting
    invoicing: InvoicingSetting
    credit: CreditSetting
    guests: GuestsSetting


@api.get("/v1/settings", permission="settings:read")
def get_settings(req: Request, query: OfOrganization) -> SettingsView:
    """All settings of an organisation, with the defaults of those that it never made.

    Its currency, time zone and language are its own: `/v1/organizations/{organization_id}`. Who is told of silent
    chargers: `/v1/offline-notification`.
    """
    organization = named_or_own(req, query.organization_id)
    known = settings.list_settings(req.ctx, organization.organization_id)
    return msgspec.convert({setting.name: setting.value for setting in known}, SettingsView, from_attributes=True)


@api.get("/v1/settings/brand", permission="settings:read")
def get_brand_setting(req: Request, query: OfOrganization) -> BrandSetting:
    """The brand."""
    return _get(req, query, "brand", BrandSetting)


@api.put("/v1/settings/brand", permission="settings:write")
def put_brand_setting(req: Request, query: OfOrganization, body: BrandSetting) -> BrandSetting:
    """Replaces the brand. With If-Match, only if it is still the one with that ETag (412)."""
    return _put(req, query, "brand", BrandSetting, Brand(**msgspec.structs.asdict(body)))


@api.get("/v1/settings/regional", permission="settings:read")
def get_regional_setting(req: Request, query: OfOrganization) -> RegionalSetting:
    """The languages that are offered."""
    return _get(req, query, "regional", RegionalSetting)


@api.put("/v1/settings/regional", permission="settings:write")
def put_regional_setting(req: Request, query: OfOrganization, body: RegionalSetting) -> RegionalSetting:
    """Replaces the languages that are offered. Users keep the one they have. With If-Match like the brand."""
    return _put(req, query, "regional", RegionalSetting, Regional(body.languages))


@api.get("/v1/settings/rounding", permission="settings:read")
def get_rounding_setting(req: Request, query: OfOrganization) -> RoundingSetting:
    """How the cost of a charge is rounded."""
    return _get(req, query, "rounding", RoundingSetting)


@api.put("/v1/settings/rounding", permission="settings:write")
def put_rounding_setting(req: Request, query: OfOrganization, body: RoundingSetting) -> RoundingSetting:
    """Replaces how the cost of a charge is rounded. Operators only. With If-Match like the brand.

    Each tariff gets a new version that rounds so; a charge that has begun keeps the one that it started with.
    """
    return _put(req, query, "rounding", RoundingSetting, CostRounding(body.mode, body.step))


@api.get("/v1/settings/payments", permission="settings:read")
def get_payments_setting(req: Request, query: OfOrganization) -> PaymentsSetting:
    """What may be put into a wallet at once, and what it must have for a charge until full."""
    return _get(req, query, "payments", PaymentsSetting)


@api.put("/v1/settings/payments", permission="settings:write")
def put_payments_setting(req: Request, query: OfOrganization, body: PaymentsSetting) -> PaymentsSetting:
    """Replaces what may be put into a wallet at once, and what it must have for a charge until full.

    The platform and operators only. With If-Match like the brand.
    """
    limits = [TopUpLimit(limit.currency, limit.min_amount, limit.max_amount) for limit in body.topup_limits]
    return _put(req, query, "payments", PaymentsSetting, Payments(limits, body.min_balance_until_full))


@api.get("/v1/settings/invoicing", permission="settings:read")
def get_invoicing_setting(req: Request, query: OfOrganization) -> InvoicingSetting:
    """Who issues the organisation's invoices."""
    return _get(req, query, "invoicing", InvoicingSetting)


@api.put("/v1/settings/invoicing", permission="settings:write")
def put_invoicing_setting(req: Request, query: OfOrganization, body: InvoicingSetting) -> InvoicingSetting:
    """Replaces who issues the organisation's invoices. Those that are issued stay as they are. With If-Match like the
    brand."""
    return _put(req, query, "invoicing", InvoicingSetting, Invoicing(**msgspec.structs.asdict(body)))


@api.get("/v1/settings/credit", permission="settings:read")
def get_credit_setting(req: Request, query: OfOrganization) -> CreditSetting:
    """How much an operator may owe to the platform."""
    return _get(req, query, "credit", CreditSetting)


@api.put("/v1/settings/credit", permission="settings:write")
def put_credit_setting(req: Request, query: OfOrganization, body: CreditSetting) -> CreditSetting:
    """Replaces how much an operator may owe to the platform, whose people set it. With If-Match like the brand."""
    check_setter("credit", "operator", req.actor.organization_kind)
    return _put(req, query, "credit", CreditSetting, Credit(body.limit))


@api.get("/v1/settings/guests", permission="settings:read")
def get_guests_setting(req: Request, query: OfOrganization) -> GuestsSetting:
    """What is reserved on guests' cards, and how long guests are remembered."""
    return _get(req, query, "guests", GuestsSetting)


@api.put("/v1/settings/guests", permission="settings:write")
def put_guests_setting(req: Request, query: OfOrganization, body: GuestsSetting) -> GuestsSetting:
    """Replaces what is reserved on guests' cards, and how long guests are remembered. Operators only. Orders that are
    made keep their amount. With If-Match like the brand."""
    return _put(req, query, "guests", GuestsSetting, Guests(**msgspec.structs.asdict(body)))


def _get(req: Request, query: OfOrganization, name: str, shape: type[Kind]) -> Kind:
    organization = named_or_own(req, query.organization_id)
    known = settings.get_setting(req.ctx, organization.organization_id, name)
    req.answer_headers["etag"] = etag_of(known.revision)
    return msgspec.convert(known.value, shape, from_attributes=True)


def _put(req: Request, query: OfOrganization, name: str, shape: type[Kind], value: Setting) -> Kind:
    """The same shape goes out as comes in."""
    organization = named_or_own(req, query.organization_id)
    check_setter(name, organization.kind, req.actor.organization_kind)
    known = settings.get_setting(req.ctx, organization.organization_id, name)
    changed = settings.put_setting(req.uow, organization, known, value, expected_revision(req))
    req.answer_headers["etag"] = etag_of(changed.revision)
    before = msgspec.convert(known.value, shape, from_attributes=True)
    after = msgspec.convert(changed.value, shape, from_attributes=True)
    req.audit("settings", name, owner_id=organization.organization_id, before=before, after=after)
    return after
