"""The CDN's function, run for real, and its local twin: the same paths and headers give the same handshake."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import dukpy  # type: ignore[import-untyped]
import pytest

from chalicelib.chargers.model import is_identity
from infra.compose import edge_code
from infra.local.gateway import edge
from infra.local.template import INFRA, load_template

SOURCE = (INFRA / "cloudfront" / "rewrite.js").read_text()
SECRET = "the-origin-secret"
VIEWER = "192.0.2.7"

PATHS = {
    "/ocpp/CP-1": "CP-1",
    "/ocpp/CP%201": "CP 1",
    "/ocpp/A/B": "B",
    "/ocpp/a:b@c": "a:b@c",
    "/ocpp/A+B": "A+B",
    "/ocpp/A%2BB": "A+B",
    "/ocpp/A%2FB": "A/B",
    "/ocpp/A=B&cp=C": "A=B&cp=C",
    "/ocpp/%25": "%",
    "/ocpp/K%C3%B6ln": "Köln",
    "/ocpp/..": "..",
    "//ocpp///CP-1": "CP-1",
    "/ocpp/CP-1//": "CP-1",
}
"""Path as sent → identity that $connect decodes."""
WITHOUT_IDENTITY = ("/ocpp/", "//ocpp//", "/ocpp/%ff", "/ocpp/%")


def viewer_request(
    uri: str, query: dict[str, str] | None = None, headers: dict[str, str] | None = None, source: str = SOURCE
) -> dict[str, Any]:
    """The function's result for an event of CloudFront (names in small letters, values as in the URL)."""
    event = {
        "viewer": {"ip": VIEWER},
        "request": {
            "method": "GET",
            "uri": uri,
            "querystring": {name: {"value": value} for name, value in (query or {}).items()},
            "headers": {name: {"value": value} for name, value in (headers or {}).items()},
        },
    }
    result: dict[str, Any] = json.loads(dukpy.evaljs([source, "JSON.stringify(handler(dukpy['event']))"], event=event))
    return result


def values(entries: dict[str, Any]) -> dict[str, str]:
    return {name: entry["value"] for name, entry in entries.items()}


@pytest.mark.parametrize("path", sorted(PATHS))
def test_the_last_segment_is_the_identity_here_and_there(path: str) -> None:
    request = viewer_request(path)
    assert request["uri"] == "/live"
    assert unquote(request["querystring"]["cp"]["value"]) == PATHS[path]
    local = edge.through_cdn(path, "", [], SECRET)
    assert unquote(dict(local.query)["cp"]) == local.identity == PATHS[path]


@pytest.mark.parametrize("path", sorted(PATHS))
def test_the_identity_stays_one_value_in_a_query_string(path: str) -> None:
    """API Gateway may read "+" as a space, and "&" and "=" as the next parameter."""
    assert not set(viewer_request(path)["querystring"]["cp"]["value"]) & set("+&= #?/")


@pytest.mark.parametrize("path", WITHOUT_IDENTITY)
def test_without_an_identity_there_is_nothing(path: str) -> None:
    assert viewer_request(path) == {"statusCode": 404, "statusDescription": "Not Found"}
    assert not is_identity(edge.through_cdn(path, "", [], SECRET).identity), "locally it is $connect that answers 404"


@pytest.mark.parametrize("name", ["cp", "%63p", "c%70"])
def test_an_identity_in_the_query_is_dropped(name: str) -> None:
    request = viewer_request("/ocpp/CP-1", {name: "EVIL", "token": "a%20b"})
    assert values(request["querystring"]) == {"token": "a%20b", "cp": "CP-1"}
    local = edge.through_cdn("/ocpp/CP-1", f"{name}=EVIL&token=a%20b", [], SECRET)
    assert dict(local.query) == {"token": "a%20b", "cp": "CP-1"}


def test_what_the_functions_trust_the_cdn_for_never_comes_from_the_client() -> None:
    sent = {
        "authorization": "Basic abc",
        "sec-websocket-protocol": "ocpp1.6",
        "x-origin-verify": "guess",
        "x-viewer-address": "198.51.100.1",
        "x-viewer-certificate-subject": "CN=CP-1",
        "x-viewer-scheme": "https",
        "cloudfront-viewer-cert-present": "1",
        "cloudfront-viewer-cert-subject": "CN=CP-1",
    }
    kept = {"authorization": "Basic abc", "sec-websocket-protocol": "ocpp1.6"}
    assert values(viewer_request("/ocpp/CP-1", headers=sent)["headers"]) == kept | {"x-viewer-address": VIEWER}
    # The secret is the origin's custom header there; here the socket's own address is at hand, and there is no TLS.
    local = edge.through_cdn("/ocpp/CP-1", "", list(sent.items()), SECRET)
    assert dict(local.headers) == kept | {"x-origin-verify": SECRET, "x-viewer-scheme": "http"}


@pytest.mark.parametrize(("present", "believed"), [("1", True), ("0", False)])
def test_where_cloudfront_verifies_certificates_the_subject_is_passed_on(present: str, believed: bool) -> None:
    sent = {"cloudfront-viewer-cert-present": present, "cloudfront-viewer-cert-subject": "CN=CP-1,O=Wattfare"}
    [_, with_mtls, without] = edge_code(SOURCE)["Fn::If"]
    passed = values(viewer_request("/ocpp/CP-1", headers=sent, source=with_mtls)["headers"])
    assert passed.get("x-viewer-certificate-subject") == ("CN=CP-1,O=Wattfare" if believed else None)
    assert "x-viewer-certificate-subject" not in viewer_request("/ocpp/CP-1", headers=sent, source=without)["headers"]


@pytest.mark.parametrize("path", ["/v1/me", "/health", "/ocpp", "/ocpps/CP-1", "/v1/ocpp/CP-1"])
def test_rest_requests_keep_path_and_query(path: str) -> None:
    request = viewer_request(path, {"cp": "x"}, {"x-viewer-address": "198.51.100.1", "accept": "*/*"})
    assert (request["uri"], values(request["querystring"])) == (path, {"cp": "x"})
    assert values(request["headers"]) == {"accept": "*/*", "x-viewer-address": VIEWER}


def test_both_origins_get_the_secret_and_both_behaviours_the_function() -> None:
    config = load_template(INFRA / "stack" / "edge.yaml")["Resources"]["Distribution"]["Properties"][
        "DistributionConfig"
    ]
    for origin in config["Origins"]:
        [header] = origin["OriginCustomHeaders"]
        assert header == {"HeaderName": "x-origin-verify", "HeaderValue": {"Ref": "OriginSecret"}}
        assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    [charging] = config["CacheBehaviors"]
    assert (charging["PathPattern"], charging["TargetOriginId"]) == ("/ocpp/*", "websocket")
    for behaviour in (charging, config["DefaultCacheBehavior"]):
        assert behaviour["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"
        assert behaviour["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
        assert [entry["EventType"] for entry in behaviour["FunctionAssociations"]] == ["viewer-request"]


def test_the_function_is_small_enough_for_cloudfront() -> None:
    assert Path(INFRA, "cloudfront", "rewrite.js").stat().st_size < 10 * 1024
