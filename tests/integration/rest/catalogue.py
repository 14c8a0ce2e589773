"""Every endpoint of app.py with a request that it would accept: what the walks of this folder are made from.

An endpoint that takes a body, needs a query, or names something in its path must be described here: the walks fail
for one that is not, so that a new route cannot escape them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import app
from chalicelib.kernel.http import Endpoint
from tests.world import Reply, RestClient, encoded

EURO: Mapping[str, Any] = {"amount": 100, "currency": "EUR"}
ELEMENTS = [{"price_components": [{"type": "ENERGY", "price": "0.35"}]}]
PLACE = {"name": "North", "address": "Nordweg 1", "city": "Kiel", "country": "DE", "time_zone": "Europe/Berlin"}
ADMIN = {"email": "new{fresh}@admin.example", "full_name": "New Admin"}
TOMORROW_EVENING = "2026-03-03T20:00:00Z"
"""Of a world's first day (tests/world.py); the walks begin on its second."""
SECRET_WORD = "a long enough password"

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
    "create_organization": {
        "name": "New",
        "email": "new@operator.example",
        "currency": "EUR",
        "time_zone": "Europe/Berlin",
        "admin": ADMIN,
    },
    "update_organization": {"name": "Renamed", "time_zone": "Europe/Paris", "country": "FR"},
    "create_user": {**ADMIN, "groups": ["operator_admin"]},
    "update_user": {"full_name": "Renamed", "language": "de"},
    "create_charger": {"charger_id": "CP-NEW-{fresh}", "evse_count": 2, "uid": "U1", "country": "DE"},
    "update_charger": {"name": "Renamed", "charge_with_qr": False, "country": "DE"},
    "rotate_charger_password": {"password": "another-password-of-24"},
    "rotate_password_by_command": {"password": "another-password-of-24"},
    "start_web_payment": {"charger_id": "CP-1", "evse_no": 1, "password": "0" * 12, "version": "v1"},
    "place_charger": {"location_id": "{location_id}"},
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
    "create_location": {**PLACE, "coordinates": {"latitude": "54.3", "longitude": "10.1"}},
    "update_location": {"name": "Renamed", "time_zone": "Europe/Paris", "country": "FR"},
    "create_tariff": {"name": "Night", "currency": "EUR", "elements": ELEMENTS},
    "replace_tariff": {"name": "Night", "elements": ELEMENTS},
    "quote_tariff": {"energy_wh": 1000, "started_at": "2026-03-02T08:00:00Z", "duration_s": 60},
    "assign_tariff": {"tariff_id": "{tariff_id}", "location_id": "{location_id}"},
    "update_own_driver": {"full_name": "New Name", "country": "DE"},
    "add_own_card": {"id_token": "{id_token}"},
    "create_id_token": {"id_token": "CAFE{fresh}", "driver_id": "{driver_id}"},
    "update_id_token": {"status": "blocked", "note": "lost"},
    "bind_id_token": {"driver_id": "{driver_id}"},
    "create_my_topup": {"amount": EURO},
    "adjust_wallet": {"direction": "top_up", "amount": EURO, "reason": "cash"},
    "synchronize_local_list": {"full": True},
    "put_offline_notification": {"enabled": True, "timeout_min": 15, "charger_ids": ["{charger_id}"]},
    "start_session": {"charger_id": "{charger_id}", "evse_no": 1, "amount": EURO, "limits": {"soc_percent": 80}},
    "create_reservation": {"charger_id": "{charger_id}", "id_token": "{id_token}", "expires_at": TOMORROW_EVENING},
    "create_my_reservation": {"charger_id": "{charger_id}", "evse_no": 2, "expires_at": TOMORROW_EVENING},
}
"""By operation id. `{name}` stands for the id of a thing, as in a path; `{fresh}` makes a name that was not taken."""

QUERIES: Mapping[str, Mapping[str, str]] = {
    "get_customer_information": {"request_id": "5"},
    "list_cdrs": {"business_day": "{business_day}"},
    "list_ledger_entries": {"account_id": "{account_id}", "business_day": "{business_day}"},
    "get_ledger_account": {"business_day": "{business_day}"},
    "unassign_tariff": {"location_id": "{location_id}"},
    "delete_configuration_override": {"name": "HeartbeatInterval"},
}
"""What an endpoint cannot do without."""

ENDPOINTS: list[Endpoint] = [endpoint for api in app.APIS for endpoint in api.endpoints]


def address(endpoint: Endpoint, things: Mapping[str, str]) -> str:
    """The path with the ids of things in it. KeyError: `things` does not have a thing of that kind yet."""
    return endpoint.path.format(**{name: encoded(things[name]) for name in endpoint.path_names})


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
