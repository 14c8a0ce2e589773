"""Every endpoint of app.py with a request that it would accept: what the walks of this folder are made from.

An endpoint that takes a body, needs a query, or names something in its path must be described here: the walks fail
for one that is not, so that a new route cannot escape them.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import app
from chalicelib.kernel.http import Endpoint
from tests.world import Reply, RestClient, encoded

EURO: Mapping[str, Any] = {"amount": 100, "currency": "EUR"}
ELEMENTS = [{"price_components": [{"type": "ENERGY", "price": "0.35"}]}]
PLACE = {"name": "North", "address": "Nordweg 1", "city": "Kiel", "country": "DE", "time_zone": "Europe/Berlin"}
PHOTO = {"url": "https://photos.example/north.jpg", "caption": "The entrance"}
ADMIN = {"email": "new{fresh}@admin.example", "full_name": "New Admin"}
TOMORROW_EVENING = "2026-03-03T20:00:00Z"
"""Of a world's first day (tests/world.py); the walks begin on its second."""
SECRET_WORD = "a long enough password"
CARDS_FILE = base64.b64encode(b"id_token,note\r\nFEED01,x\r\nno good,\r\n").decode()

BODIES: Mapping[str, Mapping[str, Any]] = {
    "sign_in": {"email": "nobody@driver.example", "password": SECRET_WORD},
    "refresh_sign_in": {"refresh_token": "sgn_1.1.00"},
    "request_verification_code": {"email": "nobody@driver.example", "purpose": "sign_up"},
    "reset_password": {"email": "nobody@driver.example", "code": "123456", "new_password": SECRET_WORD},
    "sign_up": {
        "email": "nobody@driver.example",
        "code": "123456",
        "password": SECRET_WORD,
        "full_name": "No Body",
        "country": "DE",
    },
    "update_me": {"full_name": "New Name"},
    "change_password": {"old_password": SECRET_WORD, "new_password": SECRET_WORD},
    "begin_totp": {"password": SECRET_WORD},
    "confirm_totp": {"code": "123456"},
    "renew_recovery_codes": {"password": SECRET_WORD, "totp_code": "123456"},
    "remove_totp": {"password": SECRET_WORD, "totp_code": "abcde-fghjk"},
    "delete_my_account": {"password": SECRET_WORD, "totp_code": "123456"},
    "create_api_key": {"name": "Till", "permissions": ["locations:read"], "allowed_ips": ["192.0.2.0/24"]},
    "rotate_api_key": {"grace_s": 3600},
    "create_webhook_endpoint": {"url": "https://hooks.customer.example/in", "event_types": ["session.completed"]},
    "update_webhook_endpoint": {"description": "Till", "event_types": ["session.started"], "state": "active"},
    "rotate_webhook_secret": {"grace_s": 3600},
    "create_organization": {
        "name": "New",
        "email": "new@operator.example",
        "currency": "EUR",
        "time_zone": "Europe/Berlin",
        "admin": ADMIN,
    },
    "update_organization": {
        "name": "Renamed",
        "time_zone": "Europe/Paris",
        "country": "FR",
        "address": "Nordweg 1",
        "bank_account": {"holder": "New", "number": "DE89370400440532013000", "bic": "COBADEFF"},
    },
    "put_logo": {"media_type": "image/png", "content": base64.b64encode(b"\x89PNG\r\n\x1a\nfresh").decode()},
    "create_user_group": {"name": "Group {fresh}", "permissions": ["drivers:read"]},
    "replace_user_group": {"name": "Renamed", "permissions": ["drivers:read"], "description": "Reads"},
    "update_user_group": {"permissions": ["cdrs:read"]},
    "put_brand_setting": {"display_name": "New", "primary_color": "#00aa55", "website": "https://new.example"},
    "put_credit_setting": {"limit": 500_000},
    "put_guests_setting": {"least": 100, "hold": 4000, "most": 10_000, "keep_days": 30},
    "put_invoicing_setting": {"legal_name": "New AG", "tax_number": "DE1", "country": "DE", "prefix": "NEW-"},
    "put_payments_setting": {"topup_limits": [{"currency": "EUR", "min_amount": 500, "max_amount": 50000}]},
    "put_rounding_setting": {"mode": "half_up", "step": 5},
    "put_regional_setting": {"languages": ["en", "de"]},
    "create_user": {**ADMIN, "groups": ["operator_admin"], "user_name": "new.{fresh}", "region_ids": ["{region_id}"]},
    "update_user": {"full_name": "Renamed", "language": "de", "user_name": "renamed", "phone": "+49 1"},
    "create_region": {"name": "Region {fresh}", "parent_id": "{region_id}"},
    "update_region": {"name": "Renamed"},
    "create_vending_point": {"name": "Kiosk {fresh}", "address": "Nordweg 1", "email": "kiosk@operator.example"},
    "update_vending_point": {"name": "Renamed", "region_id": "{region_id}", "contact_person": "Vera Vendor"},
    "create_charger": {"charger_id": "CP-NEW-{fresh}", "evse_count": 2, "uid": "U1", "country": "DE"},
    "update_charger": {"name": "Renamed", "charge_with_qr": False, "country": "DE", "max_power_w": 22_000},
    "rotate_charger_password": {"password": "another-password-of-24"},
    "rotate_password_by_command": {"password": "another-password-of-24"},
    "start_web_payment": {"charger_id": "CP-1", "evse_no": 1, "password": "0" * 12, "version": "v1"},
    "mail_connection_instructions": {"email": "ines@installer.example"},
    "place_charger": {"location_id": "{empty_location_id}"},
    "move_charger": {"operator_id": "{organization_id}"},
    "claim_charger": {"serial_number": "SN-STOCK", "uid": "UID-STOCK", "country": "DE"},
    "create_charger_group": {"name": "Fleet", "parent_id": "{charger_group_id}"},
    "update_charger_group": {"name": "Renamed"},
    "put_configuration_override": {"name": "ConnectionTimeOut", "value": "90"},
    "create_charger_template": {
        "name": "T",
        "vendor": "A*",
        "settings": [{"name": "HeartbeatInterval", "value": "300"}],
    },
    "replace_charger_template": {
        "name": "T2",
        "model": "M",
        "settings": [{"name": "LocalPreAuthorize", "value": None}],
    },
    "create_command": {"action": "Reset", "payload": {"type": "Soft"}},
    "create_location": {**PLACE, "coordinates": {"latitude": "54.3", "longitude": "10.1"}, "photos": [PHOTO]},
    "update_location": {"name": "Renamed", "time_zone": "Europe/Paris", "country": "FR", "photos": [PHOTO]},
    "create_tariff": {"name": "Night", "currency": "EUR", "elements": ELEMENTS},
    "replace_tariff": {"name": "Night", "elements": ELEMENTS},
    "quote_tariff": {"energy_wh": 1000, "started_at": "2026-03-02T08:00:00Z", "duration_s": 60},
    "assign_tariff": {"tariff_id": "{tariff_id}", "location_id": "{location_id}"},
    "create_driver_group": {"name": "Group {fresh}", "description": "Pays less"},
    "update_driver_group": {"name": "Renamed"},
    "quote_charger": {"energy_wh": 1000, "duration_s": 60},
    "quote_guest_charger": {"energy_wh": 1000, "duration_s": 60},
    "create_driver": {"email": "new{fresh}@driver.example", "full_name": "New Driver", "country": "DE"},
    "update_driver": {"full_name": "New Name", "phone": None, "country": "DE"},
    "give_feedback": {"text": "Slow.", "session_id": "{session_id}", "rating": 2, "category": "charger"},
    "add_to_my_feedback": {"text": "Still slow."},
    "answer_feedback": {"text": "Sorry."},
    "update_own_driver": {"full_name": "New Name", "country": "DE"},
    "add_own_card": {"id_token": "CAFE{fresh}"},
    "create_id_token": {"id_token": "CAFE{fresh}", "driver_id": "{driver_id}"},
    "update_id_token": {"status": "blocked", "note": "lost"},
    "bind_id_token": {"driver_id": "{driver_id}"},
    "create_my_topup": {"amount": EURO},
    "create_topup_package": {"name": "Ten", "amount": EURO, "bonus": {"amount": 10, "currency": "EUR"}, "state": "on"},
    "update_topup_package": {"name": "Renamed", "state": "off", "bonus": None},
    "create_enterprise": {"name": "Fleet", "email": "pay@fleet.example", "credit_limit": EURO, "country": "DE"},
    "update_enterprise": {"name": "Renamed", "credit_limit": {"amount": 50_000, "currency": "EUR"}, "city": "Kiel"},
    "put_enterprise_member": {"monthly_limit": EURO, "valid_until": TOMORROW_EVENING, "wallet_fallback": True},
    "create_invoice_payment": {"amount": EURO, "reference": "IBAN 1", "paid_at": "2026-03-03T08:00:00Z"},
    "create_debt_payment": {
        "organization_id": "{organization_id}",
        "amount": {"amount": 1, "currency": "SEK"},
        "reference": "SEPA 2",
        "paid_at": "2026-03-02T12:00:00Z",
    },
    "void_invoice": {"reason": "Goodwill"},
    "create_refund": {"reason": "The cable was cold"},
    "start_guest_session": {"code": "{charger_id}", "evse_no": 1, "email": "guest{fresh}@guest.example"},
    "create_credit_note": {"reason": "Goodwill", "amount": {"amount": 1, "currency": "EUR"}},
    "create_contract": {
        "operator_id": "{organization_id}",
        "beneficiary_id": "{agency_id}",
        "currency": "NOK",
        "terms": {"valid_from": "2026-04-01", "percent": "10"},
    },
    "add_contract_terms": {"valid_from": "2026-04-01", "percent": "12.5", "per_kwh": "0.01", "vat_percent": "19"},
    "end_contract": {"last_day": "2026-04-30"},
    "create_reconciliation": {"day": "2026-01-16"},
    "close_difference": {"note": "Seen to"},
    "create_withdrawal": {"amount": {"amount": 1, "currency": "EUR"}},
    "reject_withdrawal": {"reason": "The account is not yours"},
    "mark_withdrawal_paid": {"reference": "SEPA 1", "paid_at": "2026-03-02T12:00:00Z"},
    "create_voucher_batch": {"name": "Kiosk", "face_value": EURO, "count": 2, "valid_until": "2026-12-31T23:00:00Z"},
    "void_voucher": {"reason": "Lost"},
    "redeem_my_voucher": {"code": "{voucher_code}"},
    "redeem_voucher_for_driver": {"code": "{voucher_code}"},
    "adjust_wallet": {"direction": "top_up", "amount": EURO, "reason": "cash"},
    "synchronize_local_list": {"full": True},
    "update_local_list": {"automatic": False},
    "put_local_list_policy": {"enabled": True, "drivers_cards": False, "min_balance": 0},
    "put_offline_notification": {"enabled": True, "timeout_min": 15, "charger_ids": ["{charger_id}"]},
    "create_import": {"kind": "id_tokens", "file_name": "cards.csv", "content": CARDS_FILE, "mode": "best_effort"},
    "create_export": {"kind": "sessions", "format": "xlsx", "filters": {"charger_id": "{charger_id}"}},
    "resolve_abnormal_order": {"kind": "order_fee", "energy_wh": 900},
    "correct_session": {"amount": {"amount": 10, "currency": "EUR"}, "reason": "Goodwill"},
    "state_what_happened": {"what_happened": "charged_less", "text": "It stopped early.", "claimed_energy_wh": 500},
    "start_session": {"charger_id": "{charger_id}", "evse_no": 1, "amount": EURO, "limits": {"soc_percent": 80}},
    "create_reservation": {"charger_id": "{charger_id}", "id_token": "{id_token}", "expires_at": TOMORROW_EVENING},
    "create_my_reservation": {"charger_id": "{charger_id}", "evse_no": 2, "expires_at": TOMORROW_EVENING},
}
"""By operation id. `{name}` stands for the id of a thing, as in a path; `{fresh}` makes a name that was not taken."""

QUERIES: Mapping[str, Mapping[str, str]] = {
    "put_credit_setting": {"organization_id": "{organization_id}"},
    "get_customer_information": {"request_id": "5"},
    "list_cdrs": {"business_day": "{business_day}"},
    "list_wallets": {"state": "left"},
    "list_ledger_entries": {"account_id": "{account_id}", "business_day": "{business_day}"},
    "get_ledger_account": {"business_day": "{business_day}"},
    "unassign_tariff": {"location_id": "{location_id}"},
    "get_effective_tariff": {"charger_id": "{charger_id}", "driver_id": "{driver_id}"},
    "get_margins": {"date_from": "{business_day}", "date_to": "{business_day}", "group_by": "charger"},
    "delete_configuration_override": {"name": "HeartbeatInterval"},
    "list_driver_locations": {"latitude": "54.3", "longitude": "10.1"},
}
"""What an endpoint cannot do without."""

_SPARE_CHARGER = {"charger_id": "spare_charger_id"}
_EMPTY_LOCATION = {"location_id": "empty_location_id"}
_SPARE_TARIFF = {"tariff_id": "spare_tariff_id"}
_EMPTY_GROUP = {"charger_group_id": "empty_group_id"}
_AGENCY = {"organization_id": "agency_id"}
_ABNORMAL = {"session_id": "abnormal_session_id"}
INSTEAD: Mapping[str, Mapping[str, str]] = {
    "get_abnormal_order": _ABNORMAL,
    "resolve_abnormal_order": _ABNORMAL,
    "state_what_happened": _ABNORMAL,
    "deactivate_organization": _AGENCY,
    "restore_organization": _AGENCY,
    "deactivate_user": {"user_id": "guarded_user_id"},
    "restore_user": {"user_id": "guarded_user_id"},
    "delete_charger": _SPARE_CHARGER,
    "restore_charger": _SPARE_CHARGER,
    "move_charger": {"charger_id": "stock_charger_id"},
    "delete_location": _EMPTY_LOCATION,
    "delete_tariff": _SPARE_TARIFF,
    "restore_tariff": _SPARE_TARIFF,
    "restore_location": _EMPTY_LOCATION,
    "delete_charger_group": _EMPTY_GROUP,
    "reset_user_totp": {"user_id": "guarded_user_id"},
    "put_enterprise_member": {"driver_id": "member_id"},
    "remove_enterprise_member": {"driver_id": "member_id"},
    "add_charger_group_driver": _EMPTY_GROUP,
    "delete_driver_group": {"driver_group_id": "empty_driver_group_id"},
    "add_driver_group_driver": {"driver_group_id": "empty_driver_group_id"},
    "remove_driver_group_driver": {"driver_id": "grouped_driver_id"},
    "mark_withdrawal_paid": {"withdrawal_id": "approved_withdrawal_id"},
    "cover_dispute": {"dispute_id": "topup_dispute_id"},
    "forgive_dispute": {"dispute_id": "topup_dispute_id"},
    "retry_refund": {"payment_id": "refunded_payment_id"},
    "recompute_settlement": {"settlement_id": "disputed_settlement_id"},
    "activate_voucher_batch": {"voucher_batch_id": "draft_voucher_batch_id"},
    "bind_id_token": {"id_token": "drawer_card"},
    "retire_id_token": {"id_token": "drawer_card"},
    "restore_id_token": {"id_token": "drawer_card"},
}
"""What a path names where the thing itself is in use: by operation id, the name in the path → the name of the thing."""

ENDPOINTS: list[Endpoint] = [endpoint for api in app.APIS for endpoint in api.endpoints]


def address(endpoint: Endpoint, things: Mapping[str, str]) -> str:
    """The path with the ids of things in it. KeyError: `things` does not have a thing of that kind yet."""
    instead = INSTEAD.get(endpoint.operation_id, {})
    return endpoint.path.format(**{name: encoded(things[instead.get(name, name)]) for name in endpoint.path_names})


def body_of(endpoint: Endpoint, things: Mapping[str, str]) -> dict[str, Any] | None:
    """A body the endpoint accepts. KeyError: BODIES does not know it yet."""
    return None if endpoint.body is None else fill(BODIES[endpoint.operation_id], things)


def query_of(endpoint: Endpoint, things: Mapping[str, str]) -> dict[str, str]:
    return fill(QUERIES.get(endpoint.operation_id, {}), things)


def fill(template: Any, things: Mapping[str, str]) -> Any:
    if isinstance(template, Mapping):
        return {name: fill(value, things) for name, value in template.items()}
    if isinstance(template, list):
        return [fill(value, things) for value in template]
    return template.format(**things) if isinstance(template, str) else template


def ask(rest: RestClient, endpoint: Endpoint, things: Mapping[str, str], key: str, **options: Any) -> Reply:
    """The request that the endpoint would accept from those who may, unless `options` change it."""
    sent: dict[str, Any] = {"query": query_of(endpoint, things), "key": key}
    if "json_body" not in options:
        sent["json_body"] = body_of(endpoint, things)
    return rest.request(endpoint.method, address(endpoint, things), **(sent | options))
