"""A bounded memory of a warm process, for facts that never change (a connection, a version of a tariff) or may be
a little old (`ttl_s`).

Owned by the context (`ctx.cache(name)`), so that tests and several stacks in one process never see each other's.
Never for business state: what decides is read from the store. None is not remembered.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Cache(Generic[Value]):
    """At most `size` values; the oldest makes room. With `ttl_s` a value is forgotten that many seconds after `put`."""

    def __init__(self, size: int, now: Callable[[], datetime], ttl_s: float | None = None) -> None:
        self._size = size
        self._now = now
        self._ttl = None if ttl_s is None else timedelta(seconds=ttl_s)
        self._values: dict[Hashable, tuple[Value, datetime | None]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Value | None:
        entry = self._values.get(key)
        if entry is None:
            return None
        value, expires_at = entry
        return None if expires_at is not None and self._now() >= expires_at else value

    def put(self, key: Hashable, value: Value) -> None:
        expires_at = None if self._ttl is None else self._now() + self._ttl
        with self._lock:
            self._values.pop(key, None)
            if len(self._values) >= self._size:
                del self._values[next(iter(self._values))]
            self._values[key] = (value, expires_at)

    def forget(self, key: Hashable) -> None:
        with self._lock:
            self._values.pop(key, None)

    def get_or_load(self, key: Hashable, load: Callable[[], Value | None]) -> Value | None:
        """The remembered value, else what `load` gives (remembered unless None). Two threads may both load."""
        value = self.get(key)
        if value is None:
            value = load()
            if value is not None:
                self.put(key, value)
        return value
