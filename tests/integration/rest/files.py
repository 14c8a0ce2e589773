"""An import and an export of the site's operator that are done."""

from __future__ import annotations

import base64

from tests.site import Site


def things_of_files(site: Site) -> dict[str, str]:
    """`kind` is the name of a template: everybody's."""
    rest, token = site.world.rest, site.operator.access_token
    content = base64.b64encode(b"id_token\r\nIMPORTED-1\r\nno good\r\n").decode()
    cards = {"kind": "id_tokens", "file_name": "cards.csv", "content": content, "mode": "best_effort"}
    imported = rest.post("/v1/imports", cards, token=token, key="things-1").body
    exported = rest.post("/v1/exports", {"kind": "locations"}, token=token, key="things-2").body
    return {"import_id": imported["import_id"], "export_id": exported["export_id"], "kind": "id_tokens"}
