"""Finds what is installed: each folder of `collectors/` is a source, each module in it with a `TABLE` is a table.

Adding a table is adding a module; nothing here names one. Modules whose name starts with an underscore are helpers.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import ModuleType

from agent.model import Column, Source, Table

_ROOT = "collectors"


def _modules(package: ModuleType) -> list[str]:
    found = pkgutil.iter_modules(package.__path__)
    return sorted(module.name for module in found if not module.name.startswith("_"))


@cache
def sources() -> dict[str, type[Source]]:
    """Every source by name, in the order of their folders' names."""
    root = importlib.import_module(_ROOT)
    packages = [importlib.import_module(f"{_ROOT}.{name}") for name in _modules(root)]
    return {package.SOURCE.name: package.SOURCE for package in packages}


@cache
def tables() -> dict[str, Table]:
    """Every table by name."""
    found: dict[str, Table] = {}
    for source in sources().values():
        package = importlib.import_module(f"{_ROOT}.{source.name}")
        for name in _modules(package):
            table: Table = importlib.import_module(f"{package.__name__}.{name}").TABLE
            found[table.name] = table
    return found


def scope_columns(table: Table) -> tuple[Column, ...]:
    """The columns that a row gets from its scope rather than from a call."""
    declared = sources()[table.source].scope_columns[table.scope]
    return tuple(Column(name, "VARCHAR", text, "", name) for name, text in declared.items())


@cache
def all_columns(name: str) -> dict[str, Column]:
    """Scope columns and own columns of a table, by name."""
    table = tables()[name]
    return {column.name: column for column in (*scope_columns(table), *table.columns)}
