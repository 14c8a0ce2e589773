"""What of a site's vouchers REST can name: a batch that was handed out, one of its codes, and a batch that was not."""

from __future__ import annotations

from tests.integration.rest.catalogue import BODIES
from tests.site import Site


def things_of_vouchers(site: Site) -> dict[str, str]:
    rest, token = site.world.rest, site.operator.access_token
    made = []
    for key in ("vouchers-1", "vouchers-2"):
        reply = rest.post("/v1/voucher-batches", BODIES["create_voucher_batch"], token=token, key=key)
        assert reply.status == 201, reply.body
        made.append(reply.body["voucher_batch_id"])
    codes = rest.post(f"/v1/voucher-batches/{made[0]}/codes", token=token).body["data"]
    assert rest.post(f"/v1/voucher-batches/{made[0]}/activate", token=token).status == 200
    return {
        "voucher_batch_id": made[0],
        "draft_voucher_batch_id": made[1],
        "voucher_id": codes[0]["voucher_id"],
        "voucher_code": codes[1]["code"],
    }
