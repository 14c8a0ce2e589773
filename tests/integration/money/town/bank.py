"""What payers' banks do in the town long after a payment, and what the platform does about it: see `people.py`."""

from __future__ import annotations

from functools import partial

from chalicelib.identity.model import PLATFORM_ID
from chalicelib.payments import service as payments
from chalicelib.payments.model import Dispute
from chalicelib.payments.providers.port import DisputeState
from chalicelib.wallets import service as wallets
from tests.integration.money.town.office import Office
from tests.integration.money.town.town import Death
from tests.unit.payments.till import euro


class Bank(Office):
    """See the module."""

    def disputable(self) -> list[str]:
        """The pages of what was paid and is not disputed."""
        provider = self.town.till.provider
        return [
            ref
            for ref, outcome in provider.outcomes.items()
            if outcome.captured is not None and f"dp_{ref}" not in provider.disputes
        ]

    def takes_back(self, number: int, amount: int | None, *, asks_only: bool) -> None:
        """All of a payment, or a part; nobody is told yet."""
        self.town.next_number()
        found, provider = self.disputable(), self.town.till.provider
        ref = found[number % len(found)]
        captured = provider.outcomes[ref].captured
        assert captured is not None
        provider.dispute(ref, None if amount is None else min(euro(amount), captured), takes=not asks_only)

    def bank_decides(self, number: int, *, won: bool) -> None:
        """Also what it has decided for us before; nobody is told yet."""
        self.town.next_number()
        provider = self.town.till.provider
        refs = [ref for ref, dispute in provider.disputes.items() if dispute.state is not DisputeState.LOST]
        if refs:
            provider.decide(refs[number % len(refs)], won=won)

    def is_told_of_dispute(self, number: int, event_id: str, death: Death, breaks: str = "ok") -> str:
        provider = self.town.till.provider
        refs = list(provider.disputes)
        word = provider.word_of_dispute(refs[number % len(refs)], f"{refs[number % len(refs)]}.{event_id}")
        return self.town.act(partial(self.town.till.take, word), death, breaks)

    def sees_to_dispute(self, number: int, *, forgives: bool, death: Death) -> str:
        """What is missing is taken out of the wallet, or written off."""
        self.town.next_number()
        found = self.disputes()
        if not found:
            return "nothing"
        see_to = payments.forgive_dispute if forgives else wallets.cover_dispute
        return self.town.commit(partial(see_to, dispute_id=found[number % len(found)].dispute_id), death)

    def end_disputes(self) -> None:
        """Every other one is won; and it is told."""
        provider = self.town.till.provider
        for number, (ref, dispute) in enumerate(list(provider.disputes.items())):
            if dispute.state in (DisputeState.OPEN, DisputeState.INQUIRY):
                provider.decide(ref, won=number % 2 == 0)
            self.is_told_of_dispute(number, f"last.{self.town.next_number()}", None)

    def disputes(self) -> list[Dispute]:
        return payments.list_disputes(self.town.ctx, PLATFORM_ID, limit=200).data

    def disputes_of(self, payment_id: str) -> list[Dispute]:
        return [dispute for dispute in self.disputes() if dispute.payment_id == payment_id]
