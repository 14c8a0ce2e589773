"""Who hears what: the map of outbox events to their consumers, and the Lambda that the outbox stream calls.

It stands above all capabilities; nothing imports it but entry points. One reader of the stream for all consumers: a
DynamoDB stream bears two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from chalice import Blueprint

from chalicelib.chargers import jobs as chargers
from chalicelib.charging import guest_jobs as charging_guests
from chalicelib.charging import jobs as charging
from chalicelib.charging import order_jobs as charging_orders
from chalicelib.charging.receipts import enclose_receipt
from chalicelib.files import jobs as files
from chalicelib.identity import jobs as identity
from chalicelib.kernel import outbox, task
from chalicelib.kernel.context import Context
from chalicelib.kernel.outbox import Consumer
from chalicelib.maintenance import jobs as maintenance
from chalicelib.notifications import jobs as notifications
from chalicelib.notifications.service import Encloser
from chalicelib.ocpp import jobs as ocpp
from chalicelib.payments import jobs as payments
from chalicelib.payments import reconciliation_jobs as reconciliations
from chalicelib.settlement import enclosing
from chalicelib.settlement import jobs as settlement
from chalicelib.tariffs import jobs as tariffs
from chalicelib.wallets import jobs as wallets
from chalicelib.webhooks import jobs as webhooks

ENCLOSERS: Mapping[str, Encloser] = {
    "commission_invoice": enclosing.enclose_commission_invoice,
    "credit_note": enclosing.enclose_credit_note,
    "invoice": enclosing.enclose_invoice,
    "receipt": enclose_receipt,
    "statement": enclosing.enclose_statement,
}
"""Who makes the documents that go with mails: notifications know nobody above them."""

CONSUMERS: Mapping[str, Sequence[Consumer]] = {
    "abnormal_order.opened": (charging_orders.on_order_opened, webhooks.on_event),
    "abnormal_order.resolved": (charging_orders.on_order_resolved, webhooks.on_event),
    "certificate.requested": (maintenance.on_certificate_requested,),
    "charger.booted": (chargers.on_charger_booted, maintenance.on_charger_booted),
    "charger.configuration_due": (chargers.on_configuration_due,),
    "charger.settings_changed": (chargers.on_settings_changed,),
    "charger_template.changed": (chargers.on_template_changed,),
    "charging_session.begin_missed": (charging.on_begin_missed,),
    "charging_session.stop_asked": (charging.on_stop_asked,),
    "charging_session.limit_near": (charging.on_limit_near,),
    "charging_session.requested": (charging.on_session_requested,),
    "charging_session.started": (charging.on_session_started, webhooks.on_event),
    "charging_session.corrected": (charging.on_session_corrected, webhooks.on_event),
    "charging_session.ended": (charging.on_session_ended, webhooks.on_event),
    "command.queued": (ocpp.on_command_queued,),
    "driver.invited": (notifications.on_driver_invited,),
    "driver.left": (notifications.on_driver_left,),
    "export.queued": (files.on_export_queued,),
    "hold.forgotten": (charging.on_hold_forgotten,),
    "id_tokens.changed": (maintenance.on_id_tokens_changed,),
    "import.queued": (files.on_import_queued,),
    "local_list.advanced": (maintenance.on_local_list_advanced,),
    "local_lists.due": (maintenance.on_local_lists_due,),
    "mail.queued": (partial(notifications.on_mail_queued, enclosers=ENCLOSERS),),
    "payment.authorization_ending": (charging_guests.on_authorization_ending,),
    "payment.authorized": (charging_guests.on_payment_authorized,),
    "payment.capture_due": (payments.on_capture_due,),
    "payment.capture_failed": (charging_guests.on_capture_failed,),
    "payment.captured": (charging_guests.on_payment_captured, webhooks.on_event),
    "payment.dispute_lost": (wallets.on_dispute_changed, charging_guests.on_dispute_lost),
    "payment.dispute_won": (wallets.on_dispute_won,),
    "payment.disputed": (wallets.on_dispute_changed,),
    "payment.failed": (wallets.on_payment_failed, charging_guests.on_payment_failed),
    "payment.fault_found": (payments.on_fault_found,),
    "payment.payout_due": (payments.on_payout_due,),
    "payment.refund_due": (payments.on_refund_due,),
    "payment.refund_failed": (wallets.on_refund_failed,),
    "payment.refunded": (charging_guests.on_payment_refunded, webhooks.on_event),
    "payment.release_due": (payments.on_release_due,),
    "payment.released": (charging_guests.on_payment_released,),
    "payment.succeeded": (wallets.on_payment_succeeded, webhooks.on_event),
    "payout.failed": (settlement.on_payout_failed,),
    "payout.paid": (settlement.on_payout_paid,),
    "reconciliation.due": (reconciliations.on_reconciliation_due,),
    "rounding.changed": (tariffs.on_rounding_changed,),
    "settlement_run.opened": (settlement.on_run_opened,),
    "settlement_run.posted": (webhooks.on_event,),
    "sign_in.locked_out": (identity.on_locked_out,),
    "topup.credited": (webhooks.on_event,),
    "totp.changed": (notifications.on_totp_changed,),
    "user.invited": (notifications.on_user_invited,),
    "verification_code.issued": (notifications.on_verification_code_issued,),
    "verification_code.withheld": (notifications.on_verification_code_withheld,),
    "withdrawal.paid": (webhooks.on_event,),
}

jobs = Blueprint(__name__)


@jobs.lambda_function(name="outbox_relay")
@task.entry
def outbox_relay(ctx: Context, event: dict[str, Any]) -> dict[str, Any]:
    """Hands a batch of outbox stream records to their consumers; failed ones are delivered again."""
    return outbox.relay(ctx, event, CONSUMERS)
