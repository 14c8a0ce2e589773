"""A charger asks for a certificate: what tests of signing and of renewing say and see."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from tests.contract.pki.papers import signing_request
from tests.unit.maintenance.conftest import Told

CSR = signing_request("CP-001")


def ask(told: Told, csr_pem: str = CSR) -> str:
    """SignCertificate at the wire."""
    return str(told.wire.call("SignCertificate", {"csr": csr_pem})["status"])


def requests(told: Told) -> list[dict[str, Any]]:
    return list(told.see("certificate-requests")["data"])


def state(told: Told) -> str:
    [request] = requests(told)
    return str(request["state"])


def delivered(told: Told) -> list[Any]:
    return [command for command in told.send_queued() if command[2] == "CertificateSigned"]


def journal(told: Told) -> list[str]:
    return [event["summary"] for event in told.see("events", kind="certificate")["data"]]


def install(told: Told, csr_pem: str = CSR, status: str = "Accepted") -> str:
    """The whole way; returns the chain."""
    assert ask(told, csr_pem) == "Accepted"
    [command] = delivered(told)
    told.wire.reply(command, {"status": status})
    return str(command[3]["certificateChain"])


def fresh_csr() -> str:
    return signing_request("CP-001", key=ec.generate_private_key(ec.SECP256R1()))
