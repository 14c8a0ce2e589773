"""What every endpoint of the fake needs: objects, lists, expansion, idempotency keys, the queue of notifications.

Used by `fake.py` and the parts of it. Invariants: what one request or click changes and the events that tell of it land
in one commit; the same idempotency key gives the same answer for 24 hours, and a refusal for other parameters.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from infra.local.payments.objects.common import StripeObject, event, public
from infra.local.payments.parameters import INTEGER, TEXT, Shape, StripeError, Values, read_parameters
from infra.local.payments.store import ListQuery, Store, StoredAnswer

API_VERSION = "2026-10-28.endive"
IDEMPOTENCY_LIFE_S = 24 * 60 * 60
MAX_KEY_CHARS = 255
MAX_STEPS_PER_CALL = 1_000
DEFAULT_PAGE, MAX_PAGE = 10, 100

# Where an id inside an object leads to when a request asks to expand it; None: to an object of any kind.
EXPANDABLE = {
    "payment_intent": "payment_intent",
    "latest_charge": "charge",
    "charge": "charge",
    "balance_transaction": "balance_transaction",
    "source": None,
}
LIST_SHAPE: Mapping[str, Shape] = {
    "limit": INTEGER,
    "starting_after": TEXT,
    "ending_before": TEXT,
    "created": {"gt": INTEGER, "gte": INTEGER, "lt": INTEGER, "lte": INTEGER},
}

PageUrl = Callable[[str, str], str]
"""The address of one of the fake's own pages: "pay" or "connect", and the id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One API request, read. `object_id` is the one in the path, `account` the Stripe-Account header."""

    path: str
    object_id: str = ""
    account: str | None = None
    pairs: Sequence[tuple[str, str]] = ()
    key: str | None = None
    page_url: PageUrl = lambda page, object_id: f"{page}/{object_id}"
    params: Values = field(default_factory=dict)


class Engine:
    def __init__(self, now: Callable[[], datetime], path: str | Path) -> None:
        self._now = now
        self.store = Store(path)
        self._keys_in_flight: set[str] = set()
        self._changes_of_time: dict[str, Callable[[StripeObject], None]] = {}
        self.store.reopen(self.now_s(), self.now_s() - IDEMPOTENCY_LIFE_S)

    def now_s(self) -> int:
        return int(self._now().timestamp())

    @staticmethod
    def new_id(prefix: str) -> str:
        return f"{prefix}_{secrets.token_hex(12)}"

    # --- requests ------------------------------------------------------------------------------------------------

    def write(
        self, call: Call, shape: Mapping[str, Shape], work: Callable[[Call], StripeObject]
    ) -> tuple[StripeObject, bool]:
        """A POST: `work` in one commit; its answer, and whether that is the replay of an earlier one."""
        self.pass_time()
        self.check_account(call.account)
        about = [call.path, call.account, sorted(call.pairs)]
        fingerprint = hashlib.sha256(json.dumps(about).encode()).hexdigest()
        try:
            with self.store.transaction():
                replayed = self._find_replay(call.key, fingerprint)
                if replayed is not None:
                    return replayed, True
                params = read_parameters(call.pairs, {**shape, "expand": [TEXT]})
                subject = work(
                    Call(
                        path=call.path,
                        object_id=call.object_id,
                        account=call.account,
                        page_url=call.page_url,
                        params=params,
                    )
                )
                answer = self.expanded(subject, params.get("expand", []))
                self._keep(call.key, StoredAnswer(fingerprint, 200, answer))
        except StripeError as error:
            if error.began:
                self._keep(call.key, StoredAnswer(fingerprint, error.status, error.to_json()))
            raise
        return answer, False

    def read_one(self, kind: str, call: Call) -> StripeObject:
        """GET of one object, with `expand[]`. StripeError 404 when it is not there."""
        expand = read_parameters(call.pairs, {"expand": [TEXT]}).get("expand", [])
        self.pass_time()
        self.check_account(call.account)
        return self.expanded(self.find(kind, call.object_id, call.account), expand)

    def read_list(self, kind: str, members: Sequence[str], call: Call) -> StripeObject:
        """GET of a list, newest first; `members` are the filters it takes beside `created`."""
        shape: dict[str, Shape] = {**LIST_SHAPE, "expand": [TEXT], **dict.fromkeys(members, TEXT)}
        params = read_parameters(call.pairs, shape)
        self.pass_time()
        self.check_account(call.account)
        limit = params.get("limit", DEFAULT_PAGE)
        if not 1 <= limit <= MAX_PAGE:
            raise StripeError(f"This value must be between 1 and {MAX_PAGE}.", param="limit")
        if "starting_after" in params and "ending_before" in params:
            raise StripeError("You can only provide one of starting_after and ending_before.", param="starting_after")
        query = ListQuery(
            kind=kind,
            account=call.account,
            limit=limit,
            members={name: params[name] for name in members if name in params},
            created=params.get("created", {}),
            starting_after=params.get("starting_after"),
            ending_before=params.get("ending_before"),
        )
        try:
            page, has_more = self.store.list_page(query)
        except LookupError as missing:
            raise StripeError(
                f"No such {kind}: {missing}", code="resource_missing", param="starting_after"
            ) from missing
        expand = [path.removeprefix("data.") for path in params.get("expand", [])]
        return {
            "object": "list",
            "data": [self.expanded(subject, expand) for subject in page],
            "has_more": has_more,
            "url": call.path,
        }

    @contextmanager
    def exclusive_key(self, key: str | None) -> Iterator[None]:
        """While a request with this key is under way, another one is refused with 409."""
        if key is None:
            yield
            return
        if len(key) > MAX_KEY_CHARS:
            raise StripeError(f"Idempotency-Key must be at most {MAX_KEY_CHARS} characters.", kind="idempotency_error")
        if key in self._keys_in_flight:
            raise StripeError(
                "There is currently another in-progress request using this Stripe Idempotency-Key.",
                status=409,
                kind="idempotency_error",
                code="idempotency_key_in_use",
            )
        self._keys_in_flight.add(key)
        try:
            yield
        finally:
            self._keys_in_flight.discard(key)

    def _find_replay(self, key: str | None, fingerprint: str) -> StripeObject | None:
        earlier = self.store.find_answer(key, self.now_s() - IDEMPOTENCY_LIFE_S) if key is not None else None
        if earlier is None:
            return None
        if earlier.fingerprint != fingerprint:
            raise StripeError(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request.",
                kind="idempotency_error",
            )
        if earlier.status != 200:
            error = earlier.answer["error"]
            raise StripeError(
                error["message"],
                status=earlier.status,
                kind=error["type"],
                code=error.get("code"),
                param=error.get("param"),
            )
        return earlier.answer

    def _keep(self, key: str | None, told: StoredAnswer) -> None:
        if key is not None:
            self.store.save_answer(key, told, self.now_s())

    # --- objects -------------------------------------------------------------------------------------------------

    def find(self, kind: str, object_id: str, account: str | None = None) -> StripeObject:
        """StripeError 404 also for what belongs to another account."""
        found = self.store.find(kind, object_id)
        if found is None or found.get("_account") != account:
            raise StripeError(f"No such {kind}: '{object_id}'", status=404, code="resource_missing", param="id")
        return found

    def check_account(self, account: str | None) -> None:
        if account is not None and self.store.find("account", account) is None:
            raise StripeError(
                f"The provided key does not have access to account '{account}' (or that account does not exist).",
                status=403,
                code="account_invalid",
            )

    def save(self, *subjects: StripeObject) -> None:
        for subject in subjects:
            self.store.save(subject)

    def tell(self, kind: str, subject: StripeObject) -> None:
        """Queues the notification, in the caller's commit."""
        now_s = self.now_s()
        self.store.add_event(event(self.new_id("evt"), kind, subject, API_VERSION, now_s), now_s)

    def expanded(self, subject: StripeObject, paths: Sequence[str]) -> StripeObject:
        """The object as the API shows it, with what was asked for in the place of its id."""
        shown = public(subject)
        for path in paths:
            here = shown
            for name in path.split("."):
                if name not in EXPANDABLE or name not in here:
                    raise StripeError(
                        f"This property cannot be expanded ({path}).", code="parameter_invalid", param="expand"
                    )
                here = self._expand_member(here, name)
                if not here:
                    break
        return shown

    def _expand_member(self, parent: StripeObject, name: str) -> StripeObject:
        """Puts the object in the place of its id; an empty dict when there is none to put."""
        value = parent[name]
        if isinstance(value, str):
            kind = EXPANDABLE[name]
            found = self.store.find(kind, value) if kind is not None else self.store.find_any(value)
            if found is None:
                return {}
            parent[name] = value = public(found)
        return value or {}

    # --- the passing of time -------------------------------------------------------------------------------------

    def on_time(self, kind: str, change: Callable[[StripeObject], None]) -> None:
        """What becomes of an object of that kind when it falls due; `change` must save it as no longer due."""
        self._changes_of_time[kind] = change

    def pass_time(self) -> None:
        """Changes what time has changed by now."""
        with self.store.transaction():
            for subject in self.store.due_objects(self.now_s(), MAX_STEPS_PER_CALL):
                self._changes_of_time[subject["object"]](subject)
