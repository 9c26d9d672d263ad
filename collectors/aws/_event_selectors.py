"""Which events a CloudTrail trail records, from its event selectors, classic or advanced.

A selector counts if it records for the whole account: one that leaves some resources out is not proof for the others.
Leaving out KMS and the RDS Data API, which both kinds of selector offer against volume, is allowed.
"""

from __future__ import annotations

import re

from agent.model import Json

READS, WRITES = frozenset({"read"}), frozenset({"write"})
_CLASSIC = {"All": READS | WRITES, "ReadOnly": READS, "WriteOnly": WRITES}
_ALL_BUCKETS = re.compile(r"arn:[^:]+:s3(:::)?")
_VOLUMINOUS = frozenset({"kms.amazonaws.com", "rdsdata.amazonaws.com"})
_S3_OBJECTS = "AWS::S3::Object"


def records_management_events(response: Json) -> bool | None:
    """Whether management events are recorded, reads and writes; None if the answer has no selectors."""
    classic = [s for s in response.get("EventSelectors", []) if s.get("IncludeManagementEvents")]
    advanced = [_fields(s) for s in response.get("AdvancedEventSelectors", [])]
    found = [_CLASSIC[s["ReadWriteType"]] for s in classic]
    found += [_directions(s) for s in advanced if _category(s) == ["Management"] and _is_whole(s)]
    return _records(response, READS | WRITES, found)


def records_s3_write_events(response: Json) -> bool | None:
    """Whether writes of objects are recorded for all buckets; None if the answer has no selectors."""
    classic = [s for s in response.get("EventSelectors", []) if any(map(_is_all_buckets, s.get("DataResources", [])))]
    advanced = [_fields(s) for s in response.get("AdvancedEventSelectors", [])]
    found = [_CLASSIC[s["ReadWriteType"]] for s in classic]
    found += [_directions(s) for s in advanced if _is_s3_objects(s)]
    return _records(response, WRITES, found)


def _records(response: Json, wanted: frozenset[str], found: list[frozenset[str]]) -> bool | None:
    if not response.get("EventSelectors") and not response.get("AdvancedEventSelectors"):
        return None
    return wanted <= frozenset().union(*found)


def _fields(selector: Json) -> dict[str, Json]:
    return {field["Field"]: field for field in selector["FieldSelectors"]}


def _category(fields: dict[str, Json]) -> list[str]:
    equals: list[str] = fields.get("eventCategory", {}).get("Equals", [])
    return equals


def _directions(fields: dict[str, Json]) -> frozenset[str]:
    """Reads, writes or both: the field readOnly chooses, and both are recorded without it."""
    if "readOnly" not in fields:
        return READS | WRITES
    return {("true",): READS, ("false",): WRITES}.get(tuple(fields["readOnly"].get("Equals", [])), frozenset())


def _is_whole(fields: dict[str, Json]) -> bool:
    source = {key: value for key, value in fields.get("eventSource", {}).items() if value and key != "Field"}
    left_out = source.pop("NotEquals", [])
    return set(fields) <= {"eventCategory", "readOnly", "eventSource"} and not source and set(left_out) <= _VOLUMINOUS


def _is_all_buckets(resource: Json) -> bool:
    return resource["Type"] == _S3_OBJECTS and any(_ALL_BUCKETS.fullmatch(value) for value in resource["Values"])


def _is_s3_objects(fields: dict[str, Json]) -> bool:
    return (
        _category(fields) == ["Data"]
        and fields.get("resources.type", {}).get("Equals") == [_S3_OBJECTS]
        and set(fields) <= {"eventCategory", "resources.type", "readOnly"}
    )
