"""QR codes and label sheets of connectors."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from chalicelib.chargers import service
from chalicelib.chargers.api_operator.common import api
from chalicelib.chargers.model import Charger, Location
from chalicelib.chargers.model.labels import Label, LabelSize, sheets_of
from chalicelib.chargers.model.places import code_url
from chalicelib.chargers.scope import owned_charger, owned_location
from chalicelib.chargers.service import labelling
from chalicelib.identity import service as identity
from chalicelib.kernel.errors import invalid, not_found
from chalicelib.kernel.http import Answer, Request, Shape
from chalicelib.kernel.rest import PDF_TYPE, SVG_TYPE


class LabelQuery(Shape):
    """`a4`: twelve labels on a page, to be cut; `a6`: one label a page. An SVG is one page: `page` says which, and the
    header `X-Page-Count` how many there are."""

    format: Literal["svg", "pdf"] = "pdf"
    size: LabelSize = "a4"
    page: Annotated[int, msgspec.Meta(ge=1)] = 1


@api.get("/v1/locations/{location_id}/qr-labels", "locations:read")
def get_location_labels(req: Request, location_id: str, query: LabelQuery) -> Answer:
    """The QR labels of all connectors at a location, as a file to print.

    In a PDF, names with other letters than those of Western European languages are left out; the SVG has them all.
    """
    location = owned_location(req, location_id)
    chargers = service.walk_chargers(req.ctx, location.operator_id)
    placed = [charger for charger in chargers if charger.location_id == location.location_id]
    return _sheets([label for charger in placed for label in _labels(req, charger, location)], query)


@api.get("/v1/chargers/{charger_id}/qr-labels", "chargers:read")
def get_charger_labels(req: Request, charger_id: str, query: LabelQuery) -> Answer:
    """The QR labels of a charger's connectors, as a file to print."""
    charger = owned_charger(req, charger_id)
    location = None if charger.location_id is None else service.get_location(req.ctx, charger.location_id)
    return _sheets(_labels(req, charger, location), query)


@api.get("/v1/chargers/{charger_id}/evses/{evse_no}/qr-code", "chargers:read")
def get_evse_code(req: Request, charger_id: str, evse_no: str) -> Answer:
    """The QR code of one connector alone, as an SVG image."""
    charger = owned_charger(req, charger_id)
    evses = service.list_evses(req.ctx, charger.charger_id)
    code = next((evse.code for evse in evses if str(evse.evse_no) == evse_no), None)
    if code is None:
        raise not_found("evse", evse_no)
    return Answer(
        labelling.code_as_svg(code_url(req.ctx.settings.public_url, code)), headers={"content-type": SVG_TYPE}
    )


def _labels(req: Request, charger: Charger, location: Location | None) -> list[Label]:
    operator = identity.find_organization(req.ctx, charger.operator_id)
    evses = service.list_evses(req.ctx, charger.charger_id)
    return labelling.labels_of(req.ctx, charger, evses, location, "" if operator is None else operator.name)


def _sheets(labels: list[Label], query: LabelQuery) -> Answer:
    sheets = sheets_of(labelling.check_label_count(labels), query.size)
    headers = {"x-page-count": str(len(sheets)), "content-disposition": f'inline; filename="labels.{query.format}"'}
    if query.format == "pdf":
        return Answer(labelling.sheets_as_pdf(sheets), headers={**headers, "content-type": PDF_TYPE})
    if query.page > len(sheets):
        raise invalid("qr_labels.page", f"There are {len(sheets)} pages.", "/page")
    return Answer(labelling.sheet_as_svg(sheets[query.page - 1]), headers={**headers, "content-type": SVG_TYPE})
