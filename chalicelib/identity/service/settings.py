"""The settings of an organisation: read with their defaults, replaced as a whole."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import msgspec

from chalicelib.identity.model import Organization, check_email, shown_line
from chalicelib.identity.model.settings import (
    DEFAULTS,
    Brand,
    Credit,
    GuestAmounts,
    Guests,
    Invoicing,
    Payments,
    Regional,
    Setting,
    StoredSetting,
    check_guests,
    check_kind,
    check_least_until_full,
    check_limits,
    credit_of,
    guest_amounts,
)
from chalicelib.identity.store import SETTINGS, SettingRow, setting_key
from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, invalid
from chalicelib.kernel.money import CostRounding, Money
from chalicelib.kernel.revisions import check_revision
from chalicelib.kernel.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class KnownSetting:
    """`value` has the type of the setting's default; `revision` 0 is the default itself."""

    name: str
    value: Any
    revision: int


def get_setting(ctx: Context, organization_id: str, name: str) -> KnownSetting:
    """`name`: one of DEFAULTS."""
    stored = SETTINGS.get(ctx, *setting_key(organization_id, name))
    if stored is None:
        return KnownSetting(name, DEFAULTS[name], 0)
    return KnownSetting(name, msgspec.convert(stored.value, type(DEFAULTS[name])), stored.revision)


def list_settings(ctx: Context, organization_id: str) -> list[KnownSetting]:
    return [get_setting(ctx, organization_id, name) for name in DEFAULTS]


def put_setting(
    uow: UnitOfWork, organization: Organization, known: KnownSetting, value: Setting, expected: int | None
) -> KnownSetting:
    """Replaces a setting. `expected`: the revision that was read, None for whatever there is.

    Raises setting.changed (412), email.invalid, currency.invalid, setting.language_needed, setting.limit_twice,
    setting.limit_empty, setting.amounts_disordered, setting.not_for_kind (422).
    """
    check_kind(known.name, organization.kind)
    check_revision(expected, known.revision, "setting")
    value = _checked(organization, value)
    if value == known.value:
        return known
    stored = StoredSetting(organization.organization_id, known.name, asdict(value), known.revision + 1)
    unchanged = SettingRow.revision == known.revision if known.revision else SettingRow.pk.does_not_exist()
    uow.put(SETTINGS, stored, condition=unchanged, on_conflict=StaleRead("The setting"))
    if isinstance(value, CostRounding):
        outbox.emit(uow, "rounding.changed", organization.organization_id)
    return KnownSetting(known.name, value, stored.revision)


def brand_of(ctx: Context, organization: Organization) -> Brand:
    """As it is shown: with the organisation's own name where it chose no other."""
    brand: Brand = get_setting(ctx, organization.organization_id, "brand").value
    return replace(brand, display_name=brand.display_name or organization.name)


def languages_of(ctx: Context, organization_id: str) -> list[str]:
    """The languages that the organisation offers; empty: all that there are."""
    regional: Regional = get_setting(ctx, organization_id, "regional").value
    return regional.languages


def rounding_of(ctx: Context, organization_id: str) -> CostRounding:
    """How an operator rounds costs in its own currency."""
    rounding: CostRounding = get_setting(ctx, organization_id, "rounding").value
    return rounding


def payments_of(ctx: Context, organization_id: str) -> Payments:
    """What may be put into wallets: see `model.settings.Payments`."""
    payments: Payments = get_setting(ctx, organization_id, "payments").value
    return payments


def invoicing_of(ctx: Context, organization: Organization) -> Invoicing:
    """As it stands on invoices: with the organisation's own name, address and country where it says no other."""
    own: Invoicing = get_setting(ctx, organization.organization_id, "invoicing").value
    return replace(
        own,
        legal_name=own.legal_name or organization.name,
        address=own.address or organization.address,
        country=own.country or organization.country,
    )


def credit_limit_of(ctx: Context, operator: Organization | None, currency: str) -> Money:
    """What an operator may owe to the platform."""
    if operator is None:
        return credit_of(Credit(), currency, currency)
    credit: Credit = get_setting(ctx, operator.organization_id, "credit").value
    return credit_of(credit, operator.currency, currency)


def guests_of(ctx: Context, operator_id: str) -> Guests:
    """Amounts and days for guests: see `model.settings.Guests`."""
    guests: Guests = get_setting(ctx, operator_id, "guests").value
    return guests


def guest_amounts_of(ctx: Context, operator: Organization, currency: str) -> GuestAmounts:
    """What may be reserved on the card of an operator's guest."""
    return guest_amounts(guests_of(ctx, operator.organization_id), operator.currency, currency)


def check_language(ctx: Context, organization_id: str, language: str, pointer: str = "") -> str:
    """Raises language.not_offered (422) for a language that the organisation does not offer."""
    offered = languages_of(ctx, organization_id)
    if offered and language not in offered:
        raise invalid("language.not_offered", f"Offered are {', '.join(offered)}.", f"{pointer}/language")
    return language


def mail_sender(ctx: Context, organization: Organization) -> dict[str, str]:
    """In whose name an organisation's mails go out: `name`, `reply_to` and `footer` (one line each; may be empty)."""
    brand = brand_of(ctx, organization)
    contacts = (brand.support_email, brand.support_phone, brand.website)
    footer = [brand.display_name, *contacts] if any(contacts) else []
    return {
        "name": brand.display_name or "",
        # The mail service takes no other addresses; one that it refuses would lose the whole mail.
        "reply_to": brand.support_email if brand.support_email and brand.support_email.isascii() else "",
        "footer": "\n".join(line for line in footer if line),
    }


def _checked(organization: Organization, value: Setting) -> Setting:
    if isinstance(value, Brand):
        email = value.support_email
        return replace(
            value,
            display_name=shown_line(value.display_name),
            support_phone=shown_line(value.support_phone),
            support_email=None if email is None else check_email(email, "/support_email"),
        )
    if isinstance(value, Regional):
        languages = sorted(set(value.languages))
        if languages and organization.language not in languages:
            raise invalid(
                "setting.language_needed", f"The organisation itself speaks {organization.language}.", "/languages"
            )
        return replace(value, languages=languages)
    if isinstance(value, Payments):
        check_limits(value.topup_limits)
        check_least_until_full(value, organization.kind)
    if isinstance(value, Guests):
        check_guests(value, organization.currency)
    if isinstance(value, Invoicing):
        return replace(
            value,
            legal_name=shown_line(value.legal_name),
            tax_number=shown_line(value.tax_number),
            registration=shown_line(value.registration),
            address=shown_line(value.address),
            city=shown_line(value.city),
            postal_code=shown_line(value.postal_code),
            note=shown_line(value.note),
        )
    return value
