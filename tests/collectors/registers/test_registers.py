"""The registers: the example's entries, documents that changed or went, and everything that people write wrong."""

from __future__ import annotations

import copy
import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.errors import DocumentError
from agent.model import GapKind
from tests.collecting import gather
from tests.estate import registers

TRANSFER = {
    "id": "one",
    "importer": "Example Inc.",
    "country": "US",
    "mechanism": "scc",
    "provider": "aws",
    "regions": ["us-east-1"],
    "resources": [],
    "valid_from": "2026-01-05",
    "expires": "2027-01-05",
    "owner": "Els Peeters",
    "approver": "Jan Claes",
    "document": "signed.txt",
    "document_sha256": hashlib.sha256(b"signed").hexdigest(),
}
DRILL = {
    "id": "one",
    "resource": "crm",
    "performed": "2026-05-20",
    "outcome": "success",
    "duration_minutes": 30,
    "recovery_point_age_minutes": 60,
    "validated": True,
    "expires": "2027-05-20",
    "owner": "Els Peeters",
    "approver": "Jan Claes",
    "document": "signed.txt",
    "document_sha256": hashlib.sha256(b"signed").hexdigest(),
}
KINDS = {"transfer": ("transfer_register", TRANSFER), "restore_drill": ("restore_drill_register", DRILL)}


def write(folder: Path, *entries: dict[str, Any], name: str = "register.yaml") -> str:
    (folder / "signed.txt").write_bytes(b"signed")
    path = folder / name
    path.write_text(
        yaml.safe_dump({"version": 1, "entries": [copy.deepcopy(entry) for entry in entries]}, sort_keys=False),
        encoding="utf-8",
    )
    return str(path)


def refusal(folder: Path, kind: str, *files: str) -> str:
    """What the audit says before it starts."""
    with pytest.raises(DocumentError) as caught:
        gather("registers", folder / "store", **{kind: list(files)})
    assert caught.value.exit_code == 64
    assert "\n" not in str(caught.value)
    assert not (folder / "store").exists()
    return str(caught.value)


def test_the_example_is_what_it_is_said_to_be(tmp_path: Path) -> None:
    found = gather(
        "registers",
        tmp_path,
        registers.AUDIT_TIME,
        transfer=[str(registers.TRANSFERS)],
        restore_drill=[str(registers.RESTORE_DRILLS)],
    )
    assert found.gaps == []
    for table, truth in registers.TRUTH.items():
        assert set(found.rows[table]) == set(truth)
        for key, values in truth.items():
            row = found.rows[table][key]
            assert {column: row[column] for column in values} == values
            assert row["register"] == table


def test_registers_are_there_without_a_file(tmp_path: Path) -> None:
    found = gather("registers", tmp_path)
    assert found.rows == {"transfer_register": {}, "restore_drill_register": {}}
    assert found.gaps == []


def test_an_empty_register_is_empty(tmp_path: Path) -> None:
    assert gather("registers", tmp_path / "store", transfer=[write(tmp_path)]).gaps == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_that_changed_does_not_match(tmp_path: Path, kind: str) -> None:
    table, entry = KINDS[kind]
    file = write(tmp_path, entry)
    (tmp_path / "signed.txt").write_bytes(b"signed, and altered")
    found = gather("registers", tmp_path / "store", **{kind: [file]})
    assert found.rows[table]["one"]["document_matches"] is False
    assert found.gaps == []


@pytest.mark.parametrize("document", ["gone.txt", ".", "signed.txt/inside"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_document_that_cannot_be_read_is_a_gap(tmp_path: Path, kind: str, document: str) -> None:
    table, entry = KINDS[kind]
    found = gather("registers", tmp_path / "store", **{kind: [write(tmp_path, {**entry, "document": document})]})
    assert "document_matches" not in found.rows[table]["one"]
    (gap,) = found.gaps
    assert (gap.kind, gap.columns, gap.resource) == (GapKind.UNREADABLE, ("document_matches",), "one")
    assert document in gap.detail


def test_several_files_are_one_register(tmp_path: Path) -> None:
    first = write(tmp_path, TRANSFER, name="a.yaml")
    second = write(tmp_path, {**TRANSFER, "id": "two"}, name="b.yaml")
    found = gather("registers", tmp_path / "store", transfer=[first, second, first])
    rows = found.rows["transfer_register"]
    assert {key: row["file"] for key, row in rows.items()} == {"one": first, "two": second}


def test_an_alias_becomes_the_country_that_the_law_knows(tmp_path: Path) -> None:
    entry = {**TRANSFER, "country": "UK", "mechanism": "adequacy", "provider": "", "regions": []}
    row = gather("registers", tmp_path / "store", transfer=[write(tmp_path, entry)]).rows["transfer_register"]["one"]
    assert (row["country"], row["mechanism_kind"]) == ("GB", "adequacy")


@pytest.mark.parametrize(
    ("mechanism", "kind"),
    [("bcr", "safeguard"), ("consent", "derogation"), ("scc-2010-87", "ended"), ("art28-clauses", "no_transfer_tool")],
)
def test_what_a_mechanism_is_worth_on_the_audit_date(tmp_path: Path, mechanism: str, kind: str) -> None:
    file = write(tmp_path, {**TRANSFER, "mechanism": mechanism})
    row = gather("registers", tmp_path / "store", transfer=[file]).rows["transfer_register"]["one"]
    assert row["mechanism_kind"] == kind


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"country": "Norway"}, "entries[0].country: there is no country 'Norway'; write the ISO 3166-1 code"),
        ({"country": ""}, "entries[0].country: there is no country ''"),
        ({"mechanism": "sccs"}, "entries[0].mechanism: there is no mechanism 'sccs'; did you mean 'scc'?"),
        ({"mechanism": "handshake"}, "entries[0].mechanism: there is no mechanism 'handshake'; known: adequacy"),
        ({"provider": "asw"}, "entries[0].provider: there is no provider 'asw'; did you mean 'aws'?"),
        ({"provider": ""}, "entries[0].provider: there is no provider ''"),
        ({"regions": ["us-eas-1"]}, "there is no region or local zone 'us-eas-1' of aws; did you mean 'us-east-1'?"),
        ({"valid_from": "05-01-2026"}, "entries[0].valid_from: '05-01-2026' is not a date; write YYYY-MM-DD"),
        ({"expires": "2026-02-30"}, "entries[0].expires: '2026-02-30' is not a date; write YYYY-MM-DD"),
        ({"expires": "20270105"}, "entries[0].expires: '20270105' is not a date"),
        ({"expires": "2026-01-04"}, "entries[0].expires: 2026-01-04 is before valid_from, 2026-01-05"),
        ({"importer": " "}, "entries[0].importer: is empty"),
        ({"id": ""}, "entries[0].id: is empty"),
        ({"document": ""}, "entries[0].document: is empty"),
        ({"document_sha256": "abc"}, "entries[0].document_sha256: is not a SHA-256"),
        ({"document_sha256": "A" * 64}, "entries[0].document_sha256: is not a SHA-256"),
        ({"expiry": "2027-01-05"}, "entries[0].expiry: is not a known key; did you mean 'expires'?"),
        ({"owner": 5}, "entries[0].owner: expected `str`, got `int`"),
        ({"resources": "crm"}, "entries[0].resources: expected `array`, got `str`"),
    ],
)
def test_a_wrong_transfer_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    file = write(tmp_path, {**TRANSFER, **change})
    text = refusal(tmp_path, "transfer", file)
    assert text.startswith(f"{file}:")
    assert said in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"resource": ""}, "entries[0].resource: is empty"),
        ({"performed": "yesterday"}, "entries[0].performed: 'yesterday' is not a date"),
        ({"expires": "2026-05-19"}, "entries[0].expires: 2026-05-19 is before performed, 2026-05-20"),
        ({"outcome": "fine"}, "entries[0].outcome: invalid enum value 'fine'"),
        ({"duration_minutes": -1}, "entries[0].duration_minutes: expected `int` >= 0"),
        ({"duration_minutes": "30"}, "entries[0].duration_minutes: expected `int | null`, got `str`"),
        ({"validated": "yes"}, "entries[0].validated: expected `bool`, got `str`"),
    ],
)
def test_a_wrong_drill_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    assert said in refusal(tmp_path, "restore_drill", write(tmp_path, {**DRILL, **change}))


@pytest.mark.parametrize("key", sorted(set(TRANSFER) - {"provider", "regions", "resources"}))
def test_a_missing_key_is_refused(tmp_path: Path, key: str) -> None:
    file = write(tmp_path, {name: value for name, value in TRANSFER.items() if name != key})
    assert f"object missing required field `{key}`" in refusal(tmp_path, "transfer", file)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("entries: []", "missing required field `version`"),
        ("version: 2\nentries: []", "version: invalid enum value 2"),
        ("version: 1\nentries: {}", "entries: expected `array`, got `object`"),
        ("version: 1\nentry: []\nentries: []", "entry: is not a known key; did you mean 'entries'?"),
        ("version: 1\nentries: [", "is not valid YAML"),
        ("version: 1\nentries: [{country: NO}]", ":2: entries[0].country: NO would be read as a boolean; write 'NO'"),
    ],
)
def test_a_file_that_is_no_register_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "register.yaml"
    path.write_text(text, encoding="utf-8")
    assert said in refusal(tmp_path, "transfer", str(path))


def test_an_error_names_the_line_of_the_key(tmp_path: Path) -> None:
    file = write(tmp_path, TRANSFER, {**TRANSFER, "id": "two", "expires": "soon"})
    line = 1 + Path(file).read_text().splitlines().index("  expires: soon")
    assert refusal(tmp_path, "transfer", file).startswith(f"{file}:{line}: entries[1].expires: 'soon'")


def test_an_id_stands_once_in_a_register(tmp_path: Path) -> None:
    first, second = write(tmp_path, TRANSFER, name="a.yaml"), write(tmp_path, TRANSFER, name="b.yaml")
    assert f"entries[0].id: 'one' stands already in {first}" in refusal(tmp_path, "transfer", first, second)


def test_a_register_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path, "transfer", str(tmp_path / "gone.yaml"))
    assert "cannot be read: Is a directory" in refusal(tmp_path, "restore_drill", str(tmp_path))
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe")
    assert "it is not UTF-8 text" in refusal(tmp_path, "transfer", str(tmp_path / "binary.yaml"))
