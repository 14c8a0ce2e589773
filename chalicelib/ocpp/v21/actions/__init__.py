"""Charger → us, as far as 2.1 adds to 2.0.1 or answers otherwise. One file per action."""
