"""Charger templates: what an operator's chargers are expected to be set to, by vendor and model."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from chalicelib.chargers import service
from chalicelib.chargers.api_operator.common import api
from chalicelib.chargers.model.templates import ChargerTemplate, Setting
from chalicelib.identity.scope import (
    OperatorPageQuery,
    check_works_everywhere,
    listed_operator,
    may_see,
    owning_operator,
)
from chalicelib.kernel.errors import conflict, not_found
from chalicelib.kernel.http import PageView, Request, Shape, page_view
from chalicelib.kernel.texts import NameText

SettingName = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=250,
        description="A configuration key of OCPP 1.6 (`HeartbeatInterval`), or a variable of 2.x "
        "(`Component[.instance][@evse[.connector]]/Variable[.instance]`). Chargers are told those of their version.",
    ),
]
ValueText = Annotated[str, msgspec.Meta(max_length=2500)]
PatternText = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[^\x00-\x1f]{1,100}$(?!\n)",
        description="As in BootNotification, without regard to case; `*` stands for any text.",
    ),
]


class SettingShape(Shape):
    """A `value` of null: left to the charger, whatever the platform's template says."""

    name: SettingName
    value: ValueText | None


Settings = Annotated[list[SettingShape], msgspec.Meta(min_length=1, max_length=100)]


class TemplateCreate(Shape):
    """`operator_id` is for the platform's people."""

    name: NameText
    settings: Settings
    vendor: PatternText = "*"
    model: PatternText = "*"
    operator_id: str | None = None


class TemplateReplace(Shape):
    name: NameText
    settings: Settings
    vendor: PatternText = "*"
    model: PatternText = "*"


class TemplateView(Shape):
    """`built_in`: the platform's own, which applies below all others and is nobody's to change."""

    template_id: str
    operator_id: str | None
    built_in: bool
    name: str
    vendor: str
    model: str
    settings: list[SettingShape]
    created_at: datetime


def setting_shape(setting: Setting) -> SettingShape:
    return SettingShape(name=setting.name, value=setting.value)


def template_view(template: ChargerTemplate) -> TemplateView:
    return TemplateView(
        template_id=template.template_id,
        operator_id=template.operator_id,
        built_in=template.operator_id is None,
        name=template.name,
        vendor=template.vendor,
        model=template.model,
        settings=[setting_shape(setting) for setting in template.settings],
        created_at=template.created_at,
    )


@api.post("/v1/charger-templates", "chargers:write")
def create_charger_template(req: Request, body: TemplateCreate) -> TemplateView:
    """Makes a template. It applies to every charger that it is the most specific match for: vendor and model before
    model, before vendor, before neither.

    Chargers for which something changes are brought to it: at once, or when they are back.
    """
    check_works_everywhere(req)
    template = ChargerTemplate(
        template_id=req.ctx.new_id("tpl"),
        operator_id=owning_operator(req, body.operator_id),
        name=body.name,
        created_at=req.ctx.now(),
        vendor=body.vendor,
        model=body.model,
        settings=_settings(body.settings),
    )
    service.add_template(req.uow, template)
    view = template_view(template)
    req.audit("charger_template", template.template_id, owner_id=template.operator_id, after=view)
    return view


@api.get("/v1/charger-templates", "chargers:read")
def list_charger_templates(req: Request, query: OperatorPageQuery) -> PageView[TemplateView]:
    """The platform's template, then the operator's, oldest first."""
    operator_id = listed_operator(req, query.operator_id)
    page = service.list_templates(req.ctx, operator_id, limit=query.limit, cursor=query.cursor)
    return page_view(page, template_view)


@api.get("/v1/charger-templates/{template_id}", "chargers:read")
def get_charger_template(req: Request, template_id: str) -> TemplateView:
    """One template."""
    return template_view(_visible_template(req, template_id))


@api.put("/v1/charger-templates/{template_id}", "chargers:write")
def replace_charger_template(req: Request, template_id: str, body: TemplateReplace) -> TemplateView:
    """Changes a template, and the chargers that it applies to."""
    former = _own_template(req, template_id)
    template = service.replace_template(
        req.uow,
        former,
        name=body.name,
        vendor=body.vendor,
        model=body.model,
        settings=_settings(body.settings),
    )
    before, after = template_view(former), template_view(template)
    req.audit("charger_template", template_id, owner_id=template.operator_id, before=before, after=after)
    return after


@api.delete("/v1/charger-templates/{template_id}", "chargers:write")
def delete_charger_template(req: Request, template_id: str) -> None:
    """Removes a template. Its chargers are brought to what the others say; what none says stays as it is."""
    template = _own_template(req, template_id)
    service.remove_template(req.uow, template)
    req.audit("charger_template", template_id, owner_id=template.operator_id, before=template_view(template))


def _visible_template(req: Request, template_id: str) -> ChargerTemplate:
    template = service.get_template(req.ctx, template_id)
    if template is None or not (template.operator_id is None or may_see(req, template.operator_id)):
        raise not_found("charger_template", template_id)
    return template


def _own_template(req: Request, template_id: str) -> ChargerTemplate:
    check_works_everywhere(req)
    template = _visible_template(req, template_id)
    if template.operator_id is None:
        raise conflict("charger_template.built_in", "The platform's template is part of the product.")
    return template


def _settings(shapes: list[SettingShape]) -> list[Setting]:
    return [Setting(shape.name, shape.value) for shape in shapes]
