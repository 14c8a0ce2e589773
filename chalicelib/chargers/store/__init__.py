"""Tables `chargers` and `connections`, private to this capability: what their rows share.

`places` has locations, chargers and EVSEs; `links` how chargers are connected; `commands` what is asked of them;
`configuration` what they are set to; `groups` their groups; `claims` whose which serial number is; `cells` the index
of the map.

`connections` is a table of its own because the offline job scans it: its rows are small and nothing else is in it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.kernel.context import table_name

CHARGERS_TABLE = table_name("chargers")
CONNECTIONS_TABLE = table_name("connections")


class ByOperator(GlobalSecondaryIndex[Any]):
    """An operator's locations and chargers: `sk2` is `<kind>#<id>`."""

    class Meta:
        index_name = "by_operator"
        projection = KeysOnlyProjection()

    operator_id = UnicodeAttribute(hash_key=True)
    sk2 = UnicodeAttribute(range_key=True)


def epoch_after(moment: datetime, lifetime: timedelta) -> int:
    """When DynamoDB may remove a row: its `expires_at`."""
    return int((moment + lifetime).timestamp())
