"""Where a node or a volume is: provider, zone and region, from the marks that `providers.yaml` lists.

Decisions. What is not marked is None, never a guess: a cluster's zones are only names to Kubernetes. A volume that may
be in several zones has no zone, and has a region only where every one of them lies inside that one region: a local
zone carries its parent's region but can stand in another country.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from agent.documents import load

_SEPARATOR = "__"
"""Between the zones of a regional disk, in the zone label of its persistent volume."""


class _Marks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schemes: dict[str, str]
    csi_drivers: dict[str, str]
    volume_plugins: dict[str, str]
    zone_keys: tuple[str, ...]
    region_keys: tuple[str, ...]
    region_in_zone: dict[str, str]
    zone_inside_region: dict[str, str]


@cache
def _marks() -> _Marks:
    return load(Path(__file__).with_name("providers.yaml"), _Marks)


def node_provider(provider_id: str) -> str | None:
    """The provider that a node's `spec.providerID` tells, as in `law_place`; None when it tells none that is known."""
    scheme, found, _ = provider_id.partition("://")
    return _marks().schemes.get(scheme) if found else None


def volume_provider(spec: Mapping[str, Any]) -> str | None:
    """The provider that a volume's CSI driver or volume plugin belongs to."""
    if "csi" in spec:
        return _marks().csi_drivers.get(spec["csi"]["driver"])
    return next((provider for plugin, provider in _marks().volume_plugins.items() if plugin in spec), None)


def node_zone(labels: Mapping[str, str]) -> str | None:
    """The zone label of a node, the current key before the deprecated one."""
    return next((labels[key] for key in _marks().zone_keys[:2] if labels.get(key)), None)


def node_region(labels: Mapping[str, str]) -> str | None:
    """The region label of a node, the current key before the deprecated one."""
    return next((labels[key] for key in _marks().region_keys[:2] if labels.get(key)), None)


def volume_zone(volume: Mapping[str, Any]) -> str | None:
    """The one zone that a volume can be in; None when none or several are told."""
    return _only(_zones(volume))


def volume_region(volume: Mapping[str, Any]) -> str | None:
    """The one region that a volume can be in: as told, or as its zones' codes contain it."""
    told = _told(volume, _marks().region_keys)
    if told:
        return _only(told)
    zones, provider = _zones(volume), volume_provider(volume["spec"])
    inside = _marks().zone_inside_region.get(provider or "")
    if len(zones) > 1 and not all(inside and re.fullmatch(inside, zone) for zone in zones):
        return None
    return _only({_region_in(zone, provider) for zone in zones})


def _zones(volume: Mapping[str, Any]) -> set[str]:
    return _told(volume, _marks().zone_keys)


def _told(volume: Mapping[str, Any], keys: Iterable[str]) -> set[str]:
    """The values that a volume's node affinity allows for these keys; where it allows any, those of its labels."""
    affinity = volume["spec"].get("nodeAffinity") or {}
    terms = [_allowed(term, keys) for term in (affinity.get("required") or {}).get("nodeSelectorTerms") or ()]
    if terms and all(terms):  # one term is enough to match, so one that names no place allows every place
        return set().union(*terms)
    labels = volume["metadata"].get("labels") or {}
    told = next((labels[key] for key in keys if labels.get(key)), "")
    return {part for part in told.split(_SEPARATOR) if part}


def _allowed(term: Mapping[str, Any], keys: Iterable[str]) -> set[str]:
    """The values that one term allows: all its conditions hold together. Empty when it does not name them."""
    named = [
        {value for value in condition.get("values") or () if value}
        for condition in term.get("matchExpressions") or ()
        if condition["key"] in keys and condition["operator"] == "In"
    ]
    return set.intersection(*named) if named else set()


def _region_in(zone: str, provider: str | None) -> str | None:
    pattern = _marks().region_in_zone.get(provider or "")
    match = re.fullmatch(pattern, zone) if pattern else None
    return match[1] if match else None


def _only(values: Iterable[str | None]) -> str | None:
    found = list(values)
    return found[0] if len(found) == 1 else None
