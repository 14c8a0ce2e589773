"""Counting guesses: before they are checked and in commits of their own, so that refused and parallel ones count."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from chalicelib.identity import model
from chalicelib.identity.store.logins import ATTEMPTS, AttemptsRow, attempts_key
from chalicelib.kernel.context import Context
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit

AlsoWrite = Callable[[UnitOfWork], None]


def count_attempt(ctx: Context, subject: str, limit: int, window: timedelta, also: AlsoWrite | None = None) -> int:
    """Counts one attempt and returns how many there are. `also` lands in the same commit.

    Raises auth.too_many_attempts (429)."""

    def decide(uow: UnitOfWork) -> int:
        known = ATTEMPTS.get(ctx, *attempts_key(subject))
        counted = model.after_attempt(known, subject, ctx.now(), limit, window)
        unchanged = (
            AttemptsRow.pk.does_not_exist()
            if known is None
            else (AttemptsRow.made == known.made) & (AttemptsRow.until == known.until)
        )
        uow.put(ATTEMPTS, counted, condition=unchanged)
        if also is not None:
            also(uow)
        return counted.made

    return decide_and_commit(ctx, decide)


def refuse_after(ctx: Context, subject: str, limit: int) -> None:
    """Raises auth.too_many_attempts (429) while the attempts of a subject are used up."""
    model.refuse_beyond(ATTEMPTS.get(ctx, *attempts_key(subject)), ctx.now(), limit)


def refuse_guesser(ctx: Context, source_ip: str) -> None:
    """Raises auth.too_many_attempts (429) for an IP from which too much was guessed."""
    if source_ip:
        known = ATTEMPTS.get(ctx, *attempts_key(_by_ip(source_ip)))
        model.refuse_beyond(known, ctx.now(), model.MAX_WRONG_PASSWORDS_PER_IP)


def count_wrong_guess(ctx: Context, source_ip: str, also: AlsoWrite | None = None) -> None:
    """Counts what was guessed wrong from an IP. Raises auth.too_many_attempts (429)."""
    count_attempt(ctx, _by_ip(source_ip or "unknown"), model.MAX_WRONG_PASSWORDS_PER_IP, model.IP_WINDOW, also)


def forget_attempts(uow: UnitOfWork, subject: str) -> None:
    uow.delete(ATTEMPTS, attempts_key(subject), name="attempts")


def _by_ip(source_ip: str) -> str:
    return f"ip#{model.network_of(source_ip)}"
