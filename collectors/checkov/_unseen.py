"""What Checkov passes over in silence: manifests that are no valid YAML, and files that may not be read.

A Kubernetes manifest that does not parse, or a Helm template, is no manifest to Checkov, and it says nothing. To an
auditor that is code that nobody looked at.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

_SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__"})
"""With hidden folders, those that Checkov leaves out: they hold what others wrote."""
_SUFFIXES = (".yaml", ".yml", ".tf", ".json")
_MANIFEST = re.compile(rb"^apiVersion:.*^kind:|^kind:.*^apiVersion:", re.MULTILINE | re.DOTALL)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def unseen(directory: Path) -> Iterator[str]:
    """Files and folders under the directory that cannot be read, relative to it."""
    unreadable: list[str] = []
    for folder, folders, files in os.walk(directory, onerror=lambda error: unreadable.append(str(error.filename))):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED_FOLDERS and not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            if name.endswith(_SUFFIXES) and not _readable(path):
                yield str(path.relative_to(directory))
    yield from (str(Path(path).relative_to(directory)) for path in unreadable)


def _readable(path: Path) -> bool:
    try:
        content = path.read_bytes()
    except OSError:
        return False
    if path.suffix in (".yaml", ".yml") and _MANIFEST.search(content):
        return _parses(content)
    return True


def _parses(content: bytes) -> bool:
    try:
        for _ in yaml.load_all(content, Loader=_LOADER):
            pass
    except (yaml.YAMLError, ValueError):  # ValueError: a date that does not exist
        return False
    return True
