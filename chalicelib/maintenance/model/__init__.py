"""What a charger has and tells of itself, and its rules. Pure: no I/O, no AWS, no HTTP, no cryptography.

`journal` its events and procedures; `inventories` what is on it; `certificates` what it asked us to sign; `local_lists`
which cards it knows by itself, `offline_cards` which it shall know; `customers` what it remembers of people.
"""

from chalicelib.maintenance.model.certificates import (
    CertificateKind,
    CertificateRequest,
    CertificateState,
    IssuedCertificate,
)
from chalicelib.maintenance.model.inventories import Entry
from chalicelib.maintenance.model.journal import ChargerEvent, EventKind, Procedure, Severity
from chalicelib.maintenance.model.local_lists import LocalList, LocalListState
from chalicelib.maintenance.model.offline_cards import Composition, LocalListPolicy

__all__ = [
    "CertificateKind",
    "CertificateRequest",
    "CertificateState",
    "ChargerEvent",
    "Composition",
    "Entry",
    "EventKind",
    "IssuedCertificate",
    "LocalList",
    "LocalListPolicy",
    "LocalListState",
    "Procedure",
    "Severity",
]
