"""Charger templates of operators: kept here, chosen for a charger by what it said at its last boot.

The platform's own template is code (`model.built_in`): every list shows it, nobody changes it. A change of an
operator's templates is told by an event, which brings the operator's chargers to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice

from chalicelib.chargers.model import Charger
from chalicelib.chargers.model.built_in import BUILT_IN
from chalicelib.chargers.model.templates import MAX_TEMPLATES, ChargerTemplate, Setting, check_settings, choose_template
from chalicelib.chargers.store.configuration import TEMPLATE_PREFIX, TEMPLATES, TemplateRow
from chalicelib.chargers.store.configuration import template_key as key_of
from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import conflict
from chalicelib.kernel.pages import AttributeMap, Page, Step, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork


def add_template(uow: UnitOfWork, template: ChargerTemplate) -> None:
    """Raises template.crowd (409), and what `check_settings` does."""
    check_settings(template.settings, "/settings")
    if len(templates_of(uow.ctx, template.operator_id or "")) >= MAX_TEMPLATES:
        raise conflict("template.crowd", f"An operator has at most {MAX_TEMPLATES} charger templates.")
    uow.create(TEMPLATES, template)
    _announce(uow, template)


def replace_template(
    uow: UnitOfWork, template: ChargerTemplate, *, name: str, vendor: str, model: str, settings: Sequence[Setting]
) -> ChargerTemplate:
    """The template with other contents. StaleRead if somebody else changed it meanwhile."""
    check_settings(settings, "/settings")
    changed = replace(
        template, name=name, vendor=vendor, model=model, settings=list(settings), revision=template.revision + 1
    )
    if replace(changed, revision=template.revision) != template:
        uow.put(TEMPLATES, changed, condition=TemplateRow.revision == template.revision, name="charger template")
        _announce(uow, changed)
    return changed


def remove_template(uow: UnitOfWork, template: ChargerTemplate) -> None:
    """Its chargers are expected to have what is left: another template's settings, the platform's, their own."""
    uow.delete(TEMPLATES, key_of(template.template_id), condition=TemplateRow.pk.exists(), name="charger template")
    _announce(uow, template)


def get_template(ctx: Context, template_id: str) -> ChargerTemplate | None:
    return BUILT_IN if template_id == BUILT_IN.template_id else TEMPLATES.get(ctx, *key_of(template_id))


def list_templates(ctx: Context, operator_id: str, *, limit: int, cursor: str | None) -> Page[ChargerTemplate]:
    """The platform's, then the operator's own, oldest first."""
    steps = _walk(ctx, operator_id, cursor)
    return page_of(steps if cursor is not None else chain([(BUILT_IN, _beginning(operator_id))], steps), limit)


def templates_of(ctx: Context, operator_id: str) -> list[ChargerTemplate]:
    """All of an operator's own: at most MAX_TEMPLATES, give or take two people who add the last one at once."""
    return [template for template, _ in islice(_walk(ctx, operator_id, None), 2 * MAX_TEMPLATES)]


def template_for(ctx: Context, charger: Charger) -> ChargerTemplate | None:
    """The operator's template that this charger's vendor and model select."""
    return choose_template(templates_of(ctx, charger.operator_id), charger.vendor, charger.model)


def continue_after(uow: UnitOfWork, operator_id: str, cursor: str) -> None:
    """The next page of chargers has its turn with the next event."""
    outbox.emit(uow, "charger_template.changed", operator_id, {"operator_id": operator_id, "cursor": cursor})


def _walk(ctx: Context, operator_id: str, cursor: str | None) -> Iterator[Step[ChargerTemplate]]:
    return TEMPLATES.walk(
        ctx, operator_id, TemplateRow.sk2.startswith(TEMPLATE_PREFIX), index=TemplateRow.by_operator, cursor=cursor
    )


def _beginning(operator_id: str) -> AttributeMap:
    """A place in the list before all templates: where the one that is not stored stands."""
    pk, sk = key_of("")
    return {"operator_id": {"S": operator_id}, "sk2": {"S": TEMPLATE_PREFIX}, "pk": {"S": pk}, "sk": {"S": sk}}


def _announce(uow: UnitOfWork, template: ChargerTemplate) -> None:
    outbox.emit(uow, "charger_template.changed", template.template_id, {"operator_id": template.operator_id})
