"""The network, for the people who run it: locations, chargers and their configuration, connection attempts.

An operator sees its own; the platform's people see everybody's, naming the operator in lists. What belongs to
another operator answers 404, like what does not exist.
"""

from chalicelib.chargers.api_operator import (
    attempts,
    chargers,
    configuration,
    groups,
    instructions,
    labels,
    locations,
    map,
    placements,
    templates,
)
from chalicelib.chargers.api_operator.common import api

__all__ = [
    "api",
    "attempts",
    "chargers",
    "configuration",
    "groups",
    "instructions",
    "labels",
    "locations",
    "map",
    "placements",
    "templates",
]
