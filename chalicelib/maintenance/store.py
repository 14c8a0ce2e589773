"""Rows of maintenance, all under their charger but for certificates by serial number, renewals by day, what an
operator's chargers are to know, and which of them are to be told. Private to this folder.

Events, procedures, customers' data and certificates that are long over expire; inventories and local lists stay.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.chargers.model import charger_key
from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.clock import from_rfc3339, to_rfc3339
from chalicelib.kernel.context import table_name
from chalicelib.kernel.table import Row, Table
from chalicelib.maintenance.model.certificates import CertificateRequest, IssuedCertificate, Renewal
from chalicelib.maintenance.model.customers import RETENTION, InformationPart
from chalicelib.maintenance.model.inventories import Entry, Inventory, serial_key
from chalicelib.maintenance.model.journal import ChargerEvent, Procedure, Step
from chalicelib.maintenance.model.local_lists import ListContent, ListEntry, LocalList
from chalicelib.maintenance.model.offline_cards import Composition, ListDue, LocalListPolicy

TABLE = table_name("maintenance")

EVENT_PREFIX: Final = "event#"
PROCEDURE_PREFIX: Final = "procedure#"
REQUEST_PREFIX: Final = "certificate_request#"
INFORMATION_PREFIX: Final = "customer_information#"
DUES_PK: Final = "local_lists_due"
PROCEDURE_RETENTION: Final = timedelta(days=400)
RENEWAL_RETENTION: Final = timedelta(days=60)


class ChargerEventRow(Row):
    class Meta:
        table_name = TABLE

    charger_id = UnicodeAttribute()
    operator_id = UnicodeAttribute()
    kind = UnicodeAttribute()
    severity = UnicodeAttribute()
    at = MomentAttribute()
    received_at = MomentAttribute()
    summary = UnicodeAttribute()
    data = ValueAttribute(dict[str, Any])
    identity = UnicodeAttribute()
    expires_at = NumberAttribute()


class ProcedureRow(Row):
    class Meta:
        table_name = TABLE

    charger_id = UnicodeAttribute()
    kind = UnicodeAttribute()
    request_id = NumberAttribute(null=True)
    status = UnicodeAttribute()
    detail = UnicodeAttribute()
    began_at = MomentAttribute()
    changed_at = MomentAttribute()
    steps = ValueAttribute(list[Step])
    expires_at = NumberAttribute()


class InventoryRow(Row):
    class Meta:
        table_name = TABLE

    charger_id = UnicodeAttribute()
    noun = UnicodeAttribute()
    entries = ValueAttribute(dict[str, Entry])
    revision = NumberAttribute()
    changed_at = MomentAttribute(null=True)
    is_cut = BooleanAttribute()
    report_id = NumberAttribute(null=True)
    report_parts = NumberAttribute()
    last_part = UnicodeAttribute()


class CertificateRequestRow(Row):
    class Meta:
        table_name = TABLE

    certificate_id = UnicodeAttribute()
    charger_id = UnicodeAttribute()
    operator_id = UnicodeAttribute()
    kind = UnicodeAttribute()
    csr_pem = UnicodeAttribute()
    state = UnicodeAttribute()
    requested_at = MomentAttribute()
    changed_at = MomentAttribute()
    revision = NumberAttribute()
    request_id = NumberAttribute(null=True)
    reason = UnicodeAttribute()
    chain_pem = UnicodeAttribute(null=True)
    serial_number = UnicodeAttribute(null=True)
    issued_at = MomentAttribute(null=True)
    valid_until = MomentAttribute(null=True)
    command_id = UnicodeAttribute(null=True)
    deliveries = NumberAttribute()
    expires_at = NumberAttribute()


class IssuedCertificateRow(Row):
    class Meta:
        table_name = TABLE

    serial_number = UnicodeAttribute()
    charger_id = UnicodeAttribute()
    operator_id = UnicodeAttribute()
    certificate_id = UnicodeAttribute()
    kind = UnicodeAttribute()
    issued_at = MomentAttribute()
    valid_until = MomentAttribute()
    revoked_at = MomentAttribute(null=True)
    expires_at = NumberAttribute()


class RenewalRow(Row):
    class Meta:
        table_name = TABLE

    due_on = UnicodeAttribute()
    serial_number = UnicodeAttribute()
    charger_id = UnicodeAttribute()
    certificate_id = UnicodeAttribute()
    expires_at = NumberAttribute()


class LocalListRow(Row):
    class Meta:
        table_name = TABLE

    charger_id = UnicodeAttribute()
    operator_id = UnicodeAttribute()
    state = UnicodeAttribute()
    version = NumberAttribute()
    entry_count = NumberAttribute()
    knows_content = BooleanAttribute()
    is_full = BooleanAttribute()
    was_repeated = BooleanAttribute()
    page_entries = NumberAttribute()
    pages = NumberAttribute()
    pages_sent = NumberAttribute()
    sending_version = NumberAttribute(null=True)
    queued_version = NumberAttribute(null=True)
    requested_by = UnicodeAttribute()
    detail = UnicodeAttribute()
    digest = UnicodeAttribute()
    room = NumberAttribute(null=True)
    left_out = NumberAttribute()
    firmware = UnicodeAttribute(null=True)
    excluded = BooleanAttribute()
    revision = NumberAttribute()
    changed_at = MomentAttribute(null=True)
    synchronized_at = MomentAttribute(null=True)


class ListContentRow(Row):
    class Meta:
        table_name = TABLE

    charger_id = UnicodeAttribute()
    role = UnicodeAttribute()
    entries = ValueAttribute(dict[str, ListEntry])


class LocalListPolicyRow(Row):
    class Meta:
        table_name = TABLE

    operator_id = UnicodeAttribute()
    enabled = BooleanAttribute()
    drivers_cards = BooleanAttribute()
    min_balance = NumberAttribute()
    revision = NumberAttribute()
    changed_at = MomentAttribute(null=True)


class CompositionRow(Row):
    class Meta:
        table_name = TABLE

    operator_id = UnicodeAttribute()
    composed_at = MomentAttribute()
    entries = ValueAttribute(list[ListEntry])
    left_out = NumberAttribute()


class ListDueRow(Row):
    class Meta:
        table_name = TABLE

    operator_id = UnicodeAttribute()
    charger_id = UnicodeAttribute(null=True)
    not_before = MomentAttribute()
    no_later = MomentAttribute()


class InformationPartRow(Row):
    class Meta:
        table_name = TABLE

    charger_id = UnicodeAttribute()
    operator_id = UnicodeAttribute()
    request_id = NumberAttribute()
    seq_no = NumberAttribute()
    data = UnicodeAttribute()
    last = BooleanAttribute()
    received_at = MomentAttribute()
    expires_at = NumberAttribute()


def charger_pk(charger_id: str) -> str:
    return f"charger#{charger_key(charger_id)}"


def procedure_key(charger_id: str, kind: str, request_id: int | None) -> tuple[str, str]:
    return charger_pk(charger_id), f"{PROCEDURE_PREFIX}{kind}#{'latest' if request_id is None else request_id}"


def inventory_key(charger_id: str, noun: str) -> tuple[str, str]:
    return charger_pk(charger_id), f"inventory#{noun}"


def request_key(charger_id: str, certificate_id: str) -> tuple[str, str]:
    return charger_pk(charger_id), f"{REQUEST_PREFIX}{certificate_id}"


def issued_key(serial_number: str) -> tuple[str, str]:
    return f"serial#{serial_key(serial_number)}", "issued"


def renewals_pk(day: str) -> str:
    return f"renewals#{day}"


def renewal_key(renewal: Renewal) -> tuple[str, str]:
    return renewals_pk(renewal.due_on), f"serial#{serial_key(renewal.serial_number)}"


def list_key(charger_id: str) -> tuple[str, str]:
    return charger_pk(charger_id), "local_list"


def content_key(charger_id: str, role: str) -> tuple[str, str]:
    return charger_pk(charger_id), f"local_list#{role}"


def operator_pk(operator_id: str) -> str:
    return f"operator#{operator_id}"


def policy_key(operator_id: str) -> tuple[str, str]:
    return operator_pk(operator_id), "local_list_policy"


def composition_key(operator_id: str) -> tuple[str, str]:
    return operator_pk(operator_id), "local_list#composed"


def due_key(operator_id: str, charger_id: str | None) -> tuple[str, str]:
    return DUES_PK, operator_pk(operator_id) if charger_id is None else charger_pk(charger_id)


def information_prefix(request_id: int) -> str:
    return f"{INFORMATION_PREFIX}{request_id}#"


def part_key(part: InformationPart) -> tuple[str, str]:
    return charger_pk(part.charger_id), f"{information_prefix(part.request_id)}{part.seq_no:04d}"


EVENTS: Table[ChargerEvent] = Table(
    ChargerEventRow,
    ChargerEvent,
    key=lambda event: (
        charger_pk(event.charger_id),
        f"{EVENT_PREFIX}{to_rfc3339(event.at)}#{event.kind}#{event.identity}",
    ),
    extra=lambda event: {"expires_at": int(event.kept_until.timestamp())},
)
PROCEDURES: Table[Procedure] = Table(
    ProcedureRow,
    Procedure,
    key=lambda procedure: procedure_key(procedure.charger_id, procedure.kind, procedure.request_id),
    extra=lambda procedure: {"expires_at": int((procedure.changed_at + PROCEDURE_RETENTION).timestamp())},
)
INVENTORIES: Table[Inventory] = Table(
    InventoryRow, Inventory, key=lambda inventory: inventory_key(inventory.charger_id, inventory.noun)
)
CERTIFICATE_REQUESTS: Table[CertificateRequest] = Table(
    CertificateRequestRow,
    CertificateRequest,
    key=lambda request: request_key(request.charger_id, request.certificate_id),
    extra=lambda request: {"expires_at": int(request.kept_until.timestamp())},
)
ISSUED: Table[IssuedCertificate] = Table(
    IssuedCertificateRow,
    IssuedCertificate,
    key=lambda issued: issued_key(issued.serial_number),
    extra=lambda issued: {"expires_at": int(issued.kept_until.timestamp())},
)
RENEWALS: Table[Renewal] = Table(
    RenewalRow,
    Renewal,
    key=renewal_key,
    extra=lambda renewal: {"expires_at": int((from_rfc3339(renewal.due_on) + RENEWAL_RETENTION).timestamp())},
)
LOCAL_LISTS: Table[LocalList] = Table(LocalListRow, LocalList, key=lambda held: list_key(held.charger_id))
LIST_CONTENTS: Table[ListContent] = Table(
    ListContentRow, ListContent, key=lambda content: content_key(content.charger_id, content.role)
)
LOCAL_LIST_POLICIES: Table[LocalListPolicy] = Table(
    LocalListPolicyRow, LocalListPolicy, key=lambda policy: policy_key(policy.operator_id)
)
COMPOSITIONS: Table[Composition] = Table(
    CompositionRow, Composition, key=lambda composition: composition_key(composition.operator_id)
)
LIST_DUES: Table[ListDue] = Table(ListDueRow, ListDue, key=lambda due: due_key(due.operator_id, due.charger_id))
INFORMATION_PARTS: Table[InformationPart] = Table(
    InformationPartRow,
    InformationPart,
    key=part_key,
    extra=lambda part: {"expires_at": int((part.received_at + RETENTION).timestamp())},
)
