"""Charger → us. One file per action: `handle(uow, call)` gives the payload of the answer."""
