"""The night of settlement: a schedule opens runs, a workflow computes and posts them. And the turn of the month: a
schedule draws up the invoices of enterprises."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from botocore.exceptions import ClientError
from chalice import Blueprint, Cron

from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Enterprise
from chalicelib.identity import service as identity
from chalicelib.identity.model import Organization
from chalicelib.kernel import task
from chalicelib.kernel.context import Context
from chalicelib.kernel.log import logger
from chalicelib.kernel.outbox import Event
from chalicelib.kernel.unit_of_work import decide_and_commit
from chalicelib.settlement import service
from chalicelib.settlement.model import due_days, due_months

jobs = Blueprint(__name__)


@jobs.schedule(Cron("20/30", "*", "*", "*", "?", "*"), name="settlement")
@task.entry
def open_settlements(ctx: Context, _event: dict[str, Any]) -> dict[str, int]:
    """Opens the runs of each operator's closed business days, soon after its own midnight.

    Twice an hour, since midnights differ by zone (also by half hours). One operator's trouble does not stop the others.
    """
    opened = failed = 0
    for operator in identity.list_operators(ctx):
        try:
            opened += _open_due(ctx, operator)
        except Exception:
            failed += 1
            logger.exception("settlement not opened", extra={"operator_id": operator.organization_id})
    if failed:
        raise RuntimeError(f"settlements not opened for {failed} operators")
    return {"opened": opened}


def _open_due(ctx: Context, operator: Organization) -> int:
    newest = service.newest_day(ctx, operator.organization_id)
    days = due_days(operator.created_at, newest, ctx.now(), operator.time_zone)
    return sum(_open(ctx, operator.organization_id, day) for day in days)


def _open(ctx: Context, operator_id: str, day: date) -> bool:
    return decide_and_commit(ctx, lambda uow: service.open_run(uow, operator_id, day))


@jobs.schedule(Cron("35", "*", "*", "*", "?", "*"), name="invoices")
@task.entry
def draw_up_invoices(ctx: Context, _event: dict[str, Any]) -> dict[str, int]:
    """Draws up the invoices of each operator's closed months, soon after its own midnight of the first.

    Every hour, since midnights differ by zone; what is done already, is not done again. One enterprise's trouble does
    not stop the others, but keeps its operator's month open: it is tried again, and later months wait for it.
    """
    issued = failed = 0
    for operator in identity.list_operators(ctx):
        try:
            newest = service.newest_month(ctx, operator.organization_id)
            for month in due_months(operator.created_at, newest, ctx.now(), operator.time_zone):
                issued += _draw_up_month(ctx, operator, month)
        except Exception:
            failed += 1
            logger.exception("invoices not drawn up", extra={"operator_id": operator.organization_id})
    if failed:
        raise RuntimeError(f"invoices not drawn up for {failed} operators")
    return {"issued": issued}


def _draw_up_month(ctx: Context, operator: Organization, month: str) -> int:
    issued = 0
    troubles: list[Exception] = []
    for enterprise in drivers.enterprises_of(ctx, operator.organization_id):
        try:
            issued += draw_up_invoice(ctx, operator, enterprise, month)
        except Exception as error:
            troubles.append(error)
            extra = {"enterprise_id": enterprise.enterprise_id, "month": month}
            logger.exception("invoice not drawn up", extra=extra)
    if troubles:
        raise troubles[0]
    decide_and_commit(ctx, lambda uow: service.close_month(uow, operator.organization_id, month))
    return issued


def draw_up_invoice(ctx: Context, operator: Organization, enterprise: Enterprise, month: str) -> bool:
    """Makes one enterprise's invoice of a month; False where there is nothing to invoice, or it is there already."""
    draft = service.draft_invoice(ctx, operator, enterprise, month)
    if draft is None:
        return False
    service.keep_lines(ctx, draft)
    decide_and_commit(ctx, lambda uow: service.issue_invoice(uow, draft))
    return True


def on_run_opened(ctx: Context, event: Event) -> None:
    """Starts the run's workflow, once by its name."""
    name = f"{event.payload['operator_id']}-{event.payload['business_day']}"
    try:
        ctx.client("stepfunctions").start_execution(
            stateMachineArn=ctx.settings.settlement_state_machine_arn, name=name, input=json.dumps(event.payload)
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
            raise


@jobs.lambda_function(name="settlement_compute")
@task.entry
def settlement_compute(ctx: Context, event: dict[str, Any]) -> dict[str, Any]:
    """Computes the run's statement from CDRs."""
    run = decide_and_commit(
        ctx, lambda uow: service.compute_statement(uow, str(event["operator_id"]), str(event["business_day"]))
    )
    return {"state": run.state, "lines": len(run.lines)}


@jobs.lambda_function(name="settlement_post")
@task.entry
def settlement_post(ctx: Context, event: dict[str, Any]) -> dict[str, Any]:
    """Posts the run if statement and ledger agree; else it is disputed. Days before it that have changed since they
    were posted are an error in the log, on which an alarm stands."""
    operator_id, business_day = str(event["operator_id"]), str(event["business_day"])
    run = decide_and_commit(ctx, lambda uow: service.post_statement(uow, operator_id, business_day))
    for day, difference in service.changed_after_posting(ctx, operator_id, business_day):
        detail = f"Of the settled {day}, {difference}"
        account_id = f"income:{operator_id}"
        logger.error("ledger fault", extra={"code": "settled_day", "account_id": account_id, "detail": detail})
    return {"state": run.state, "difference": run.difference or ""}
