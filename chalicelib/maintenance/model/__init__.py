"""What a charger has and tells of itself, and its rules. Pure: no I/O, no AWS, no HTTP, no cryptography.

`journal` its events and procedures; `inventories` what is on it; `certificates` what it asked us to sign; `local_lists`
which cards it knows by itself, `offline_cards` which it shall know; `customers` what it remembers of people.
"""

from chalicelib.maintenance.model.certificates import (
    CERTIFICATE_LIFECYCLE,
    CertificateKind,
    CertificateRequest,
    CertificateState,
    ContractVerdict,
    IssuedCertificate,
)
from chalicelib.maintenance.model.customers import CustomerInformation, InformationPart
from chalicelib.maintenance.model.inventories import Entry, Inventory
from chalicelib.maintenance.model.journal import (
    CRITICAL_SECURITY_EVENTS,
    ChargerEvent,
    EventKind,
    Procedure,
    Severity,
    Step,
)
from chalicelib.maintenance.model.local_lists import ListContent, ListEntry, LocalList, LocalListState
from chalicelib.maintenance.model.offline_cards import Composition, ListDue, LocalListPolicy

__all__ = [
    "CERTIFICATE_LIFECYCLE",
    "CRITICAL_SECURITY_EVENTS",
    "CertificateKind",
    "CertificateRequest",
    "CertificateState",
    "ChargerEvent",
    "Composition",
    "ContractVerdict",
    "CustomerInformation",
    "Entry",
    "EventKind",
    "InformationPart",
    "Inventory",
    "IssuedCertificate",
    "ListContent",
    "ListDue",
    "ListEntry",
    "LocalList",
    "LocalListPolicy",
    "LocalListState",
    "Procedure",
    "Severity",
    "Step",
]
