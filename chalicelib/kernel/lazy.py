"""Packages that load a module of theirs when somebody asks for what is in it: a charger's frame needs a few of many.

For the `__init__` of a `service` package that frames call and that does far more than they need. What most frames need
it imports as ever: Lambda gives the init phase more CPU than an invocation. Importers write what they always wrote
(`from chalicelib.charging import service as charging`); the first use of a late name loads its module. The invariant:
late names come from where type checkers see them come from (tests/architecture/test_lazy.py).
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence


def names_in(package: str, modules: Mapping[str, Sequence[str]]) -> Callable[[str], object]:
    """The `__getattr__` (PEP 562) of a package: `modules` tells by module of it which names are there. A name that was
    asked for once is one of the package's own from then on."""
    module_of = {name: module for module, names in modules.items() for name in names}

    def load(name: str) -> object:
        module = module_of.get(name)
        if module is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found: object = getattr(importlib.import_module(f"{package}.{module}"), name)
        setattr(sys.modules[package], name, found)
        return found

    return load
