"""The composition root: every REST endpoint and every job of the platform, listed by hand.

Chalice reads this module to deploy, the local stack to run. A new capability is one line in each list; nothing is
discovered. Job functions are deployed with their own modules as entry points, so nothing they need may be set up here.
"""

from __future__ import annotations

from functools import cache

import msgspec

from chalicelib import relay
from chalicelib.chargers import api_driver as chargers_driver
from chalicelib.chargers import api_operator as chargers_operator
from chalicelib.charging import api_driver as charging_driver
from chalicelib.charging import (
    api_driver_chargers,
    api_driver_feedback,
    api_driver_leaving,
    api_driver_orders,
    api_driver_wallet,
    api_operator_feedback,
    api_operator_groups,
    api_operator_margins,
    api_operator_orders,
    api_operator_payments,
    api_operator_prices,
    api_operator_receipts,
    api_operator_refunds,
    api_operator_wallets,
)
from chalicelib.charging import api_operator as charging_operator
from chalicelib.charging import api_public_guest as charging_guest
from chalicelib.charging import guest_jobs as charging_guest_jobs
from chalicelib.charging import jobs as charging_jobs
from chalicelib.charging import order_jobs as charging_order_jobs
from chalicelib.docs_page import page
from chalicelib.drivers import api_driver as drivers_driver
from chalicelib.drivers import api_operator as drivers_operator
from chalicelib.drivers import api_public as drivers_public
from chalicelib.files import api_operator as files_operator
from chalicelib.identity import api_operator as identity_operator
from chalicelib.identity import api_person as identity_person
from chalicelib.identity import api_public as identity_public
from chalicelib.identity import api_public_brand as identity_public_brand
from chalicelib.identity.service import authenticate
from chalicelib.identity.service.auditing import record
from chalicelib.kernel import openapi
from chalicelib.kernel.rest import JSON_TYPE, RestApp, RestResponse, mount
from chalicelib.ledger import api_operator as ledger_operator
from chalicelib.ledger import jobs as ledger_jobs
from chalicelib.maintenance import api_operator as maintenance_operator
from chalicelib.maintenance import jobs as maintenance_jobs
from chalicelib.monitoring import api_operator as monitoring_operator
from chalicelib.monitoring import jobs as monitoring_jobs
from chalicelib.ocpp import api_operator as ocpp_operator
from chalicelib.ocpp import jobs as ocpp_jobs
from chalicelib.payments import api_operator as payments_operator
from chalicelib.payments import api_webhook as payments_webhook
from chalicelib.payments import jobs as payments_jobs
from chalicelib.payments import reconciliation_jobs as payments_reconciliation_jobs
from chalicelib.reports import api_operator as reports_operator
from chalicelib.settlement import api_operator as settlement_operator
from chalicelib.settlement import jobs as settlement_jobs
from chalicelib.tariffs import api_operator as tariffs_operator
from chalicelib.wallets import api_driver as wallets_driver
from chalicelib.wallets import api_operator as wallets_operator
from chalicelib.webhooks import api_operator as webhooks_operator
from chalicelib.webhooks import jobs as webhooks_jobs

VERSION = "0.1.0"

APIS = (
    identity_public.api,
    identity_public_brand.api,
    identity_person.api,
    identity_operator.api,
    chargers_operator.api,
    chargers_driver.api,
    tariffs_operator.api,
    drivers_public.api,
    drivers_driver.api,
    drivers_operator.api,
    ledger_operator.api,
    payments_webhook.api,
    payments_operator.api,
    wallets_driver.api,
    wallets_operator.api,
    monitoring_operator.api,
    maintenance_operator.api,
    charging_driver.api,
    charging_operator.api,
    charging_guest.api,
    api_operator_receipts.api,
    api_operator_refunds.api,
    api_driver_chargers.api,
    api_driver_feedback.api,
    api_driver_leaving.api,
    api_driver_orders.api,
    api_driver_wallet.api,
    api_operator_feedback.api,
    api_operator_groups.api,
    api_operator_margins.api,
    api_operator_orders.api,
    api_operator_payments.api,
    api_operator_prices.api,
    api_operator_wallets.api,
    ocpp_operator.api,
    settlement_operator.api,
    files_operator.api,
    reports_operator.api,
    webhooks_operator.api,
)

JOBS = (
    relay.jobs,
    ledger_jobs.jobs,
    payments_jobs.jobs,
    payments_reconciliation_jobs.jobs,
    monitoring_jobs.jobs,
    maintenance_jobs.jobs,
    charging_jobs.jobs,
    charging_order_jobs.jobs,
    charging_guest_jobs.jobs,
    ocpp_jobs.jobs,
    settlement_jobs.jobs,
    webhooks_jobs.jobs,
)

# Chalice would add a handler of its own to our logger and silence all below ERROR.
app = RestApp("wattfare", configure_logs=False)
mount(app, APIS, authenticate, record)
for blueprint in JOBS:
    app.register_blueprint(blueprint)


@app.route("/health")
def health() -> RestResponse:
    """Answers once the function runs. Says nothing of what is behind it: it is asked often, and by anybody."""
    return _response(msgspec.json.encode({"status": "ok", "version": VERSION}).decode(), JSON_TYPE)


@app.route("/openapi.json")
def openapi_document() -> RestResponse:
    return _response(openapi_json(), JSON_TYPE)


@app.route("/docs")
def docs() -> RestResponse:
    return _response(page.html(), "text/html; charset=utf-8", {"content-security-policy": page.security_policy()})


@cache
def openapi_json() -> str:
    """The OpenAPI document as it is committed: indented, in stable order, with a final line break."""
    document = openapi.build(APIS, title="Wattfare", version=VERSION)
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _response(body: str, media_type: str, headers: dict[str, str] | None = None) -> RestResponse:
    return RestResponse(body=body, status_code=200, headers={"content-type": media_type, **(headers or {})})
