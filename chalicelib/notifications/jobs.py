"""Consumers that send mails, and turn identity's events into mails (identity does not know how people are told)."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.kernel.context import Context
from chalicelib.kernel.outbox import Event
from chalicelib.kernel.unit_of_work import decide_and_commit
from chalicelib.notifications import service
from chalicelib.notifications.service import Encloser


def on_mail_queued(ctx: Context, event: Event, *, enclosers: Mapping[str, Encloser] | None = None) -> None:
    """`enclosers`: who makes the documents that go with mails, by their kind; the relay knows them."""
    service.send_mail(ctx, event.subject, enclosers or {})


def on_verification_code_issued(ctx: Context, event: Event) -> None:
    """`{email, purpose, code, language}`."""
    _queue(ctx, event, "verification_code", {"code": event.payload["code"]})


def on_verification_code_withheld(ctx: Context, event: Event) -> None:
    """`{email, purpose, language}`: somebody signs up with an address that already has a driver. Its owner is told;
    a password reset for an unknown address tells nobody."""
    if event.payload["purpose"] == "sign_up":
        _queue(ctx, event, "already_signed_up", {})


def on_user_invited(ctx: Context, event: Event) -> None:
    """`{email, full_name, organization_name, language, sender}`."""
    data = {name: event.payload[name] for name in ("full_name", "organization_name", "email")}
    _queue(ctx, event, "invitation", data)


def on_driver_invited(ctx: Context, event: Event) -> None:
    """`{email, full_name, operator_name, language}`."""
    data = {name: event.payload[name] for name in ("full_name", "operator_name", "email")}
    _queue(ctx, event, "driver_invitation", data)


def on_totp_changed(ctx: Context, event: Event) -> None:
    """`{email, state, language}`, `state` on or off."""
    _queue(ctx, event, f"totp_{event.payload['state']}", {})


def on_driver_left(ctx: Context, event: Event) -> None:
    """`{email, full_name, language}`: the last that the address hears of the account."""
    _queue(ctx, event, "account_deleted", {"full_name": event.payload["full_name"]})


def _queue(ctx: Context, event: Event, template: str, data: dict[str, str]) -> None:
    """The event's id is the reason: delivered twice, it is one mail."""
    decide_and_commit(
        ctx,
        lambda uow: service.queue_mail(
            uow,
            dedupe_key=event.event_id,
            to=event.payload["email"],
            template=template,
            data={"link": ctx.settings.public_url, **data},
            language=event.payload["language"],
            sender=event.payload.get("sender"),
        ),
    )
