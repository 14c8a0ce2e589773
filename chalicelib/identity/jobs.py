"""Consumers of what happens at the door: identity writes down whom it locked out."""

from __future__ import annotations

from chalicelib.identity.model.logins import SignInName
from chalicelib.identity.service.auditing import record_of_person
from chalicelib.identity.service.credentials import find_login_by
from chalicelib.identity.service.users import get_user
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.outbox import Event
from chalicelib.kernel.unit_of_work import UnitOfWork


def on_locked_out(ctx: Context, event: Event) -> None:
    """`{kind, text, source_ip}`: a name was locked, after the request that did it was answered: so the answer takes as
    long for names that nobody has. Told twice, it is in the log once."""
    login = find_login_by(ctx, SignInName(event.payload["kind"], event.payload["text"]))
    if login is None or login.user_id is None:
        return
    uow = UnitOfWork(ctx)
    user = get_user(ctx, login.user_id)
    audit_id = derived_id("aud", event.occurred_at, event.event_id)
    facts = {"outcome": "locked_out"}
    record_of_person(uow, "sign_in", login, user, event.payload["source_ip"], facts, audit_id=audit_id)
    try:
        uow.commit()
    except StaleRead:
        return
