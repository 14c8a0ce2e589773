"""Rows of what chargers are set to and are to be set to, beside the chargers in their table.

A charger's rows are read with one query or a few keys; templates are listed by their operator.
"""

from __future__ import annotations

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.chargers.model import ConfigurationPart, Variable
from chalicelib.chargers.model.configuring import Configuring, Run, Trial
from chalicelib.chargers.model.templates import ChargerTemplate, Setting
from chalicelib.chargers.store import CHARGERS_TABLE, ByOperator
from chalicelib.chargers.store.places import charger_pk
from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.table import Row, Table

PART_PREFIX = "configuration#"
TEMPLATE_PREFIX = "template#"


class PartRow(Row):
    class Meta:
        table_name = CHARGERS_TABLE

    charger_id = UnicodeAttribute()
    part = UnicodeAttribute()
    variables = ValueAttribute(list[Variable])
    revision = NumberAttribute()


class ConfiguringRow(Row):
    class Meta:
        table_name = CHARGERS_TABLE

    charger_id = UnicodeAttribute()
    overrides = ValueAttribute(list[Setting])
    basis = UnicodeAttribute()
    firmware = UnicodeAttribute()
    trials = ValueAttribute(dict[str, list[Trial]])
    run = ValueAttribute(Run, null=True)
    owed = BooleanAttribute()
    begun_at = MomentAttribute(null=True)
    checked_at = MomentAttribute(null=True)
    result = UnicodeAttribute(null=True)
    loose_write = ValueAttribute(tuple[str, str], null=True)
    revision = NumberAttribute()


class TemplateRow(Row):
    class Meta:
        table_name = CHARGERS_TABLE

    by_operator = ByOperator()
    operator_id = UnicodeAttribute()
    sk2 = UnicodeAttribute()
    template_id = UnicodeAttribute()
    name = UnicodeAttribute()
    vendor = UnicodeAttribute()
    model = UnicodeAttribute()
    settings = ValueAttribute(list[Setting])
    created_at = MomentAttribute()
    revision = NumberAttribute()


def part_key(charger_id: str, part: str) -> tuple[str, str]:
    return (charger_pk(charger_id), f"{PART_PREFIX}{part}")


def configuring_key(charger_id: str) -> tuple[str, str]:
    return (charger_pk(charger_id), "configuring")


def template_key(template_id: str) -> tuple[str, str]:
    return (f"{TEMPLATE_PREFIX}{template_id}", "template")


PARTS: Table[ConfigurationPart] = Table(
    PartRow, ConfigurationPart, key=lambda part: part_key(part.charger_id, part.part)
)
CONFIGURING: Table[Configuring] = Table(
    ConfiguringRow, Configuring, key=lambda state: configuring_key(state.charger_id)
)
TEMPLATES: Table[ChargerTemplate] = Table(
    TemplateRow,
    ChargerTemplate,
    key=lambda template: template_key(template.template_id),
    extra=lambda template: {"sk2": f"{TEMPLATE_PREFIX}{template.template_id}"},
)
