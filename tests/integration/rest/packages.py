"""What of a site's money REST can name: a package that its drivers pick from."""

from __future__ import annotations

from tests.site import Site


def things_of_packages(site: Site) -> dict[str, str]:
    body = {"name": "Twenty", "amount": {"amount": 2000, "currency": "EUR"}, "state": "on"}
    reply = site.world.rest.post("/v1/topup-packages", body, token=site.operator.access_token)
    assert reply.status == 201, reply.body
    return {"package_id": reply.body["package_id"]}
