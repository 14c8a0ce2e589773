"""Block M: certificates on the station, and what a car asks through it."""

from __future__ import annotations

import base64
from typing import Any, Final

import pytest
from cryptography.x509 import ocsp

from tests.contract.ocpp.octt201.papers import hash_data, ocsp_request, root_pem, signed
from tests.contract.ocpp.octt201.station import Station


def install(station: Station, kind: str, status: str = "Accepted") -> str:
    asked = station.ask("InstallCertificate", {"certificateType": kind, "certificate": root_pem(station, "charger")})
    assert asked.payload["certificateType"] == kind
    return asked.reply(status)


def installed(station: Station) -> list[str]:
    return [row["kind"] for row in station.kept("certificates")["data"]]


INSTALLATIONS: Final[dict[str, str]] = {
    "TC_M_01": "CSMSRootCertificate",
    "TC_M_02": "ManufacturerRootCertificate",
    "TC_M_03": "V2GRootCertificate",
    "TC_M_04": "MORootCertificate",
}


@pytest.mark.parametrize("case", INSTALLATIONS)
def test_a_root_is_installed(station: Station, case: str) -> None:
    """Of whichever kind: accepted, and among the station's certificates."""
    assert install(station, INSTALLATIONS[case]) == "accepted"
    assert installed(station) == [INSTALLATIONS[case]]


def test_tc_m_05_not_installed(station: Station) -> None:
    """The station could not store it: the operator sees that, and it is not among its certificates."""
    assert install(station, "CSMSRootCertificate", "Failed") == "rejected"
    assert installed(station) == []


ALL_KINDS: Final = [
    "CSMSRootCertificate",
    "ManufacturerRootCertificate",
    "V2GRootCertificate",
    "MORootCertificate",
    "V2GCertificateChain",
]
LISTS: Final[dict[str, list[str] | None]] = {
    "TC_M_12": ["CSMSRootCertificate"],
    "TC_M_13": ["ManufacturerRootCertificate"],
    "TC_M_14": ["V2GRootCertificate"],
    "TC_M_15": ["V2GCertificateChain"],
    "TC_M_16": ["MORootCertificate"],
    "TC_M_17": ["CSMSRootCertificate", "ManufacturerRootCertificate"],
    "TC_M_18": None,
}
"""The kinds that are asked for; None: all, by naming none."""


def hashes(number: int) -> dict[str, str]:
    return {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": "ab" * 32,
        "issuerKeyHash": "cd" * 32,
        "serialNumber": f"{number:x}",
    }


def listing(kinds: list[str]) -> dict[str, Any]:
    """One certificate of each kind; a chain has a child too."""
    chains: list[dict[str, Any]] = []
    for number, kind in enumerate(kinds, start=1):
        chain: dict[str, Any] = {"certificateType": kind, "certificateHashData": hashes(number)}
        if kind == "V2GCertificateChain":
            chain["childCertificateHashData"] = [hashes(number + 100)]
        chains.append(chain)
    return {"status": "Accepted", "certificateHashDataChain": chains}


@pytest.mark.parametrize("case", LISTS)
def test_certificates_are_listed(station: Station, case: str) -> None:
    """By kind or all; what the station tells is kept, certificates of a chain each for itself."""
    kinds = LISTS[case]
    asked = station.ask("GetInstalledCertificateIds", {} if kinds is None else {"certificateType": kinds})
    assert asked.payload.get("certificateType") == kinds
    there = kinds or ALL_KINDS
    assert asked.reply(listing(there)) == "accepted"
    assert set(installed(station)) == set(there)
    assert len(installed(station)) == len(there) + there.count("V2GCertificateChain")


def test_tc_m_19_there_is_none(station: Station) -> None:
    """No certificate of the kind: an answer, and nothing is listed."""
    asked = station.ask("GetInstalledCertificateIds", {"certificateType": ["ManufacturerRootCertificate"]})
    assert asked.reply("NotFound") == "accepted"
    assert installed(station) == []


@pytest.mark.parametrize("kinds", [None, ["CSMSRootCertificate"]])
def test_what_the_station_had_and_has_no_more_is_not_listed(station: Station, kinds: list[str] | None) -> None:
    """NotFound: of the kinds that were asked for, or of all."""
    asked: dict[str, Any] = {} if kinds is None else {"certificateType": kinds}
    station.ask("GetInstalledCertificateIds", {}).reply(listing(["CSMSRootCertificate"]))
    assert station.ask("GetInstalledCertificateIds", asked).reply("NotFound") == "accepted"
    assert installed(station) == []


DELETIONS: Final[dict[str, tuple[str, str, int]]] = {
    "TC_M_20": ("Accepted", "accepted", 0),
    "TC_M_21": ("Failed", "rejected", 1),
}


@pytest.mark.parametrize("case", DELETIONS)
def test_a_certificate_is_deleted(station: Station, case: str) -> None:
    """By the hashes that the station listed: gone, or still there because the station failed."""
    status, state, left = DELETIONS[case]
    asked = station.ask("GetInstalledCertificateIds", {"certificateType": ["CSMSRootCertificate"]})
    asked.reply(listing(["CSMSRootCertificate"]))
    [row] = station.kept("certificates")["data"]
    named = {
        "hashAlgorithm": row["hash_algorithm"],
        "issuerNameHash": row["issuer_name_hash"],
        "issuerKeyHash": row["issuer_key_hash"],
        "serialNumber": row["serial_number"],
    }
    assert named == hashes(1)
    assert station.ask("DeleteCertificate", {"certificateHashData": named}).reply(status) == state
    assert len(installed(station)) == left


def test_tc_m_24_the_status_of_a_certificate(station: Station) -> None:
    """Asked by its hashes for a certificate of our authority, the answer is an OCSP response: good."""
    delivery = signed(station, "V2G-SECC", "V2GCertificate")
    delivery.reply()
    request = ocsp_request(delivery.payload["certificateChain"], root_pem(station, "v2g"))
    answer = station.call("GetCertificateStatus", {"ocspRequestData": request})
    assert answer["status"] == "Accepted"
    response = ocsp.load_der_ocsp_response(base64.b64decode(answer["ocspResult"]))
    assert response.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL
    assert response.certificate_status is ocsp.OCSPCertStatus.GOOD
    assert f"{response.serial_number:x}" == request["serialNumber"]
    assert hash_data(delivery.payload["certificateChain"], root_pem(station, "v2g")).items() <= request.items()
