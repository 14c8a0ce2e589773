"""The index by which locations are found on the map.

Its attributes change, against the rule of this table's other indexes: with the coordinates and the state of a
location, which is to say hardly ever. Such a write then pays for the index; all others do not, and rows of closed
locations and of those without coordinates are not in it.
"""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection


class ByCell(GlobalSecondaryIndex[Any]):
    """`cell` and `spot` as `model.nearby` makes them: its keys alone tell how far away a location is."""

    class Meta:
        index_name = "by_cell"
        projection = KeysOnlyProjection()

    cell = UnicodeAttribute(hash_key=True)
    spot = UnicodeAttribute(range_key=True)
