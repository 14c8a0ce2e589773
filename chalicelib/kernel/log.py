"""Logging: one standard-library logger. On Lambda the runtime writes its records as JSON (`LoggingConfig`)."""

from __future__ import annotations

import logging

logger = logging.getLogger("wattfare")
