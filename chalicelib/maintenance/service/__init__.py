"""Use cases of maintenance, for the OCPP edges above: import this package as `maintenance`.

What a charger tells takes the caller's unit of work and the charger, and never commits; what is asked of it is queued
as an intent. Each thing told twice lands once, and all of it is bounded.
"""

from chalicelib.maintenance.service.informing import get_customer_information, report_customer_information
from chalicelib.maintenance.service.journal import (
    list_events,
    list_procedures,
    record_event,
    report_firmware_status,
    report_log_status,
    report_security_event,
)
from chalicelib.maintenance.service.renewing import ask_for_renewal, due_renewals
from chalicelib.maintenance.service.signing import (
    deliver_certificate,
    find_certificate_request,
    list_certificate_requests,
    record_certificate_answer,
    record_issued,
    record_refused,
    request_signature,
    revoke_certificate,
)
from chalicelib.maintenance.service.stocktaking import (
    forget_certificate,
    forget_charging_profiles,
    forget_display_message,
    forget_monitors,
    list_entries,
    record_certificate_installed,
    record_charging_profile,
    record_display_message,
    record_installed_certificates,
    record_monitors_set,
    report_charging_profiles,
    report_display_messages,
    report_monitors,
)
from chalicelib.maintenance.service.synchronizing import (
    get_local_list,
    record_local_list_answer,
    record_local_list_version,
    send_next_page,
    synchronize_local_list,
)
from chalicelib.maintenance.service.trusting import (
    authority_roots,
    certificate_standing,
    certificate_status,
    configured_authority,
    ev_certificate,
    verify_contract,
)

__all__ = [
    "ask_for_renewal",
    "authority_roots",
    "certificate_standing",
    "certificate_status",
    "configured_authority",
    "deliver_certificate",
    "due_renewals",
    "ev_certificate",
    "find_certificate_request",
    "forget_certificate",
    "forget_charging_profiles",
    "forget_display_message",
    "forget_monitors",
    "get_customer_information",
    "get_local_list",
    "list_certificate_requests",
    "list_entries",
    "list_events",
    "list_procedures",
    "record_certificate_answer",
    "record_certificate_installed",
    "record_charging_profile",
    "record_display_message",
    "record_event",
    "record_installed_certificates",
    "record_issued",
    "record_local_list_answer",
    "record_local_list_version",
    "record_monitors_set",
    "record_refused",
    "report_charging_profiles",
    "report_customer_information",
    "report_display_messages",
    "report_firmware_status",
    "report_log_status",
    "report_monitors",
    "report_security_event",
    "request_signature",
    "revoke_certificate",
    "send_next_page",
    "synchronize_local_list",
    "verify_contract",
]
