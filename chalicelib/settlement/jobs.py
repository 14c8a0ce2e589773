"""The night of settlement: a schedule opens runs, a workflow computes and posts them. The turn of the month: a schedule
draws up the invoices of enterprises, and bills what operators gave to others. And what payment providers tell of
withdrawals."""

from __future__ import annotations

import json
from datetime import date
from functools import partial
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
from chalicelib.settlement.model import Deduction, Line, PendingRun, Run, due_days, due_months

jobs = Blueprint(__name__)


@jobs.schedule(Cron("20/30", "*", "*", "*", "?", "*"), name="settlement")
@task.entry
def open_settlements(ctx: Context, _event: dict[str, Any]) -> dict[str, int]:
    """Opens the runs of each operator's closed business days, soon after its own midnight, and starts workflows again
    that died on the way.

    Twice an hour, since midnights differ by zone (also by half hours). One operator's trouble does not stop the others.
    """
    opened = failed = 0
    for operator in identity.list_operators(ctx):
        try:
            opened += _open_due(ctx, operator)
        except Exception:
            failed += 1
            logger.exception("settlement not opened", extra={"operator_id": operator.organization_id})
    restarted = sum(_restart(ctx, pending) for pending in service.pending_runs(ctx))
    if failed:
        raise RuntimeError(f"settlements not opened for {failed} operators")
    return {"opened": opened, "restarted": restarted}


def _open_due(ctx: Context, operator: Organization) -> int:
    newest = service.newest_day(ctx, operator.organization_id)
    days = due_days(operator.created_at, newest, ctx.now(), operator.time_zone)
    return sum(_open(ctx, operator.organization_id, day) for day in days)


def _open(ctx: Context, operator_id: str, day: date, number: int = 1) -> bool:
    return decide_and_commit(ctx, lambda uow: service.open_run(uow, operator_id, day, number))


def _restart(ctx: Context, pending: PendingRun) -> bool:
    return decide_and_commit(ctx, lambda uow: service.restart_run(uow, pending))


@jobs.schedule(Cron("35", "*", "*", "*", "?", "*"), name="invoices")
@task.entry
def draw_up_invoices(ctx: Context, _event: dict[str, Any]) -> dict[str, int]:
    """Draws up the invoices of each operator's closed months, soon after its own midnight of the first; and bills what
    it gave to others by contract, as soon as the month is settled.

    Every hour, since midnights differ by zone; what is done already, is not done again. One enterprise's trouble does
    not stop the others: its own later months wait, and its operator's month stays open, so that it is tried again.
    """
    issued = 0
    troubled: set[str] = set()
    for operator in identity.list_operators(ctx):
        for draw_up in (_draw_up_months, _bill_commissions):
            try:
                issued += draw_up(ctx, operator)
            except Exception:
                troubled.add(operator.organization_id)
                logger.exception("invoices not drawn up", extra={"operator_id": operator.organization_id})
    if troubled:
        raise RuntimeError(f"invoices not drawn up for {len(troubled)} operators")
    return {"issued": issued}


def _draw_up_months(ctx: Context, operator: Organization) -> int:
    issued = 0
    troubles: dict[str, Exception] = {}
    newest = service.newest_month(ctx, operator.organization_id)
    for month in due_months(operator.created_at, newest, ctx.now(), operator.time_zone):
        for enterprise in drivers.enterprises_of(ctx, operator.organization_id):
            if enterprise.enterprise_id in troubles:
                continue
            try:
                issued += draw_up_invoice(ctx, operator, enterprise, month)
            except Exception as error:
                troubles[enterprise.enterprise_id] = error
                extra = {"enterprise_id": enterprise.enterprise_id, "month": month}
                logger.exception("invoice not drawn up", extra=extra)
        if not troubles:
            decide_and_commit(ctx, partial(service.close_month, operator_id=operator.organization_id, month=month))
    if troubles:
        raise next(iter(troubles.values()))
    return issued


def draw_up_invoice(ctx: Context, operator: Organization, enterprise: Enterprise, month: str) -> bool:
    """Makes one enterprise's invoice of a month; False where there is nothing to invoice, or it is there already."""
    draft = service.draft_invoice(ctx, operator, enterprise, month)
    if draft is None:
        return False
    service.keep_lines(ctx, draft)
    decide_and_commit(ctx, lambda uow: service.issue_invoice(uow, draft))
    return True


def _bill_commissions(ctx: Context, operator: Organization) -> int:
    """Bills what the operator gave to others in the months that are settled to their last day, oldest first. A month is
    closed when all its documents are there; one beneficiary's trouble does not keep the others from theirs."""
    operator_id, issued = operator.organization_id, 0
    newest = service.newest_commission_month(ctx, operator_id)
    for month in due_months(operator.created_at, newest, ctx.now(), operator.time_zone):
        if not service.is_settled_month(ctx, operator_id, month):
            break
        troubles: list[Exception] = []
        for due in service.commissions_due(ctx, operator_id, month):
            try:
                draft = service.draft_of_commission(ctx, due)
                made = decide_and_commit(ctx, partial(service.issue_commission_invoice, draft=draft))
                issued += made is not None
            except Exception as error:
                troubles.append(error)
                extra = {"operator_id": operator_id, "beneficiary_id": due.beneficiary_id, "month": month}
                logger.exception("commission not billed", extra=extra)
        if troubles:
            raise troubles[0]
        decide_and_commit(ctx, partial(service.close_commission_month, operator_id=operator_id, month=month))
    return issued


def on_run_opened(ctx: Context, event: Event) -> None:
    """Starts the run's workflow, once by its name, which counts supplements and attempts."""
    payload = event.payload
    number, attempt = payload.get("number", 1), payload.get("attempt", 1)
    counted = "" if number == attempt == 1 else f"-{number}-{attempt}"
    name = f"{payload['operator_id']}-{payload['business_day']}{counted}"
    try:
        ctx.client("stepfunctions").start_execution(
            stateMachineArn=ctx.settings.settlement_state_machine_arn, name=name, input=json.dumps(payload)
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
            raise


def on_payout_paid(ctx: Context, event: Event) -> None:
    """A provider has paid a withdrawal out (`subject`)."""
    provider, reference = str(event.payload["provider"]), event.payload.get("payout_ref")
    decide_and_commit(ctx, lambda uow: service.payout_paid(uow, event.subject, provider=provider, reference=reference))


def on_payout_failed(ctx: Context, event: Event) -> None:
    """A provider could not pay a withdrawal out (`subject`), or got it back: it is owed again."""
    provider, reason = str(event.payload["provider"]), str(event.payload.get("failure") or "")
    decide_and_commit(ctx, lambda uow: service.payout_failed(uow, event.subject, provider=provider, reason=reason))


@jobs.lambda_function(name="settlement_compute")
@task.entry
def settlement_compute(ctx: Context, event: dict[str, Any]) -> dict[str, Any]:
    """Computes the run's statement from CDRs."""
    run = decide_and_commit(ctx, lambda uow: service.compute_statement(uow, *_run_of(event)))
    return {"state": run.state, "lines": len(run.lines)}


@jobs.lambda_function(name="settlement_post")
@task.entry
def settlement_post(ctx: Context, event: dict[str, Any]) -> dict[str, Any]:
    """Posts the run if statement and ledger agree, else it is disputed. Then days before it that have got money since
    they were posted get a supplement. All of it may happen twice."""
    operator_id, business_day, number = _run_of(event)
    run = decide_and_commit(ctx, lambda uow: service.agree(uow, operator_id, business_day, number))
    if run.state == "posting":
        for line in run.lines:
            for deduction in line.deductions:
                _give(ctx, run, line, deduction)
        run = decide_and_commit(ctx, lambda uow: service.finish(uow, operator_id, business_day, number))
    if run.state == "posted" and number == 1:
        for day, supplement, difference in service.changed_after_posting(ctx, operator_id, business_day):
            extra = {"operator_id": operator_id, "business_day": day, "difference": difference}
            logger.warning("a settled day changed", extra=extra)
            _open(ctx, operator_id, date.fromisoformat(day), supplement)
    return {"state": run.state, "difference": run.difference or ""}


def _give(ctx: Context, run: Run, line: Line, deduction: Deduction) -> None:
    decide_and_commit(ctx, lambda uow: service.give_share(uow, run, line, deduction))


def _run_of(event: dict[str, Any]) -> tuple[str, str, int]:
    return str(event["operator_id"]), str(event["business_day"]), int(event.get("number", 1))
