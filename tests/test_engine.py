"""No evidence, no pass: the engine against an estate that can be told to fail in every way."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import collect, completion, engine, evidence, plan, policy, registry, sql
from agent.errors import DocumentError, Unanswered
from agent.model import GapKind
from agent.policy import BoundPolicy
from agent.runs import Run
from agent.steps import Steps
from agent.store import FolderStore

TEXTS = "{nl: x, fr: x, de: x, en: x}"
EXAMPLES = "[{name: a, expect: pass}, {name: b, expect: fail}, {name: c, expect: unknown}]"
AT = "2026-01-01T00:00:00Z"


def make(name: str, pass_: str, where: str = "", table: str = "lab_store") -> tuple[str, str]:
    """A policy's file."""
    chosen = f"where: {where!r}\n" if where else ""
    head = f"id: {name}\nclauses: [3.2.d]\nseverity: high\ntable: {table}\n{chosen}"
    return (
        f"{name}.yaml",
        head + f'pass: "{pass_}"\nreason: "r.name"\ntitle: {TEXTS}\nremedy: {TEXTS}\nexamples: {EXAMPLES}\n',
    )


LOCKED = make("locked", "locked")
VAULT = make("vault-locked", "locked", where="kind = 'vault'")
AGED = make("young", "days < 30")
NOBODY = make("no-foreign-keys", "NOT list_contains(keys, 'stranger')")
OWN_BACKUP = "SELECT 1 FROM lab_backup b WHERE b.bench = r.bench AND b.store = r.name"
BACKED_UP = make("backed-up", f"EXISTS ({OWN_BACKUP} AND b.good)")
NO_BAD = make(
    "no-bad-backup",
    f"NOT EXISTS ({OWN_BACKUP} AND NOT b.good)",
)
LOOSE = make("no-backup-anywhere", "NOT EXISTS (SELECT 1 FROM lab_backup b WHERE b.store = r.name)")
ALL = [LOCKED, VAULT, AGED, NOBODY, BACKED_UP, NO_BAD, LOOSE]


@dataclass
class Judged:
    verdicts: dict[str, dict[str, str]]
    """policy -> `group/resource` (or `group/*` for a whole scope) -> verdict"""
    reasons: dict[str, str]
    gaps: list[Any]
    errors: dict[str, str]
    findings: bytes


def judge(files: list[tuple[str, str]], seconds: float = 60) -> Judged:
    """Collect and judge the lab's estate, as an audit does."""
    bound = policy.bind(files, {})
    made = plan.make(bound, registry.sources())
    asked = {"lab": registry.sources()["lab"](None, AT)}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        run = Run(FolderStore(scratch / "store"), "r")
        records = collect.collect(run, made, asked, collect.discover(made, asked), Steps())
        gaps = collect.gaps(records)
        facts = evidence.build(run, made, records, [table for p in bound for table in p.reads], scratch)
        looked = {table.table for table in made.tables} - {table.table for table in collect.missing(made, records)}
        unseen = engine.Unseen(gaps=tuple(gaps), tables=frozenset(t for p in bound for t in p.reads) - looked)
        database, outcomes = engine.evaluate(facts, bound, unseen, AT, scratch, seconds=seconds)
        errors = {name: outcome.error for name, outcome in outcomes.items() if outcome.error}
        completion.complete(database, facts, bound, gaps, errors, (), AT, scratch / "findings.parquet")
        return _read(bound, facts, scratch / "findings.parquet", gaps, errors)


def _read(bound: list[BoundPolicy], facts: Path, findings: Path, gaps: list[Any], errors: dict[str, str]) -> Judged:
    names = {sql.PASS: "pass", sql.FAIL: "fail", sql.UNKNOWN: "unknown"}
    verdicts: dict[str, dict[str, str]] = {}
    reasons = {}
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{facts}' AS evidence (READ_ONLY)")
        for one in bound:
            rows = connection.execute(
                "SELECT coalesce(r._group, f.grp), coalesce(r.name, '*'), verdict, reason "
                f"FROM read_parquet('{findings}') f LEFT JOIN evidence.{one.policy.table} r ON r.rowid = f.row "
                f"WHERE policy = '{one.id}' ORDER BY 1, 2"
            ).fetchall()
            verdicts[one.id] = {f"{group}/{resource}": names[verdict] for group, resource, verdict, _ in rows}
            assert len(verdicts[one.id]) == len(rows), "one finding a policy and resource"
            reasons |= {f"{one.id}:{group}/{resource}": reason for group, resource, _, reason in rows}
    return Judged(verdicts, reasons, gaps, errors, findings.read_bytes())


def denied(permission: str = "lab:x") -> Unanswered:
    return Unanswered(GapKind.DENIED, "not authorized", permission=permission)


@pytest.fixture
def estate(lab: Any) -> Any:
    """Two benches with two stores each, all as it should be."""
    for group in ("a", "b"):
        lab.items["lab:ListStores", group] = [
            {"name": "one", "kind": "vault", "aged": True},
            {"name": "two", "kind": "box", "aged": True},
        ]
        lab.items["lab:ListBackups", group] = [{"name": "b1", "store": "one"}, {"name": "b2", "store": "two"}]
        for name in ("one", "two"):
            lab.details["lab:GetLock", group, name] = {"locked": True, "keys": ["owner"]}
            lab.details["lab:GetAge", group, name] = {"days": 3}
        for name in ("b1", "b2"):
            lab.details["lab:GetState", group, name] = {"good": True}
    return lab


def test_all_seen_and_right_passes(estate: Any) -> None:
    found = judge([*ALL[:-1]])
    assert {verdict for verdicts in found.verdicts.values() for verdict in verdicts.values()} == {"pass"}
    assert found.verdicts["vault-locked"] == {"a/one": "pass", "b/one": "pass"}
    assert not found.gaps


def test_the_same_estate_gives_the_same_bytes(estate: Any) -> None:
    assert judge(ALL).findings == judge(ALL).findings


CALLS = ["lab:ListStores", "lab:GetLock", "lab:GetAge", "lab:ListBackups", "lab:GetState"]
KINDS = [Unanswered(kind, "x") for kind in GapKind] + [RuntimeError("a defect"), KeyError("x")]


PAIRS = (
    [(call, KINDS[0]) for call in CALLS]
    + [("lab:GetLock", kind) for kind in KINDS]
    + [("lab:ListBackups", k) for k in KINDS]
)


@pytest.mark.parametrize(("call", "fault"), PAIRS, ids=str)
def test_denial_matrix(estate: Any, call: str, fault: Exception) -> None:
    """Whatever keeps a call from being answered, no policy that reads what it fills passes anywhere."""
    estate.faults[call] = fault
    found = judge(ALL)
    assert {gap.call for gap in found.gaps} == {call}
    filled = {(t.name, c.name) for t in registry.tables().values() for c in t.columns if c.call == call}
    tables = {t.name for t in registry.tables().values() if t.list_call.name == call}
    for bound in policy.bind(ALL, {}):
        reads = {(table, column) for table, columns in bound.reads.items() for column in columns}
        if reads & filled or tables & set(bound.reads):
            assert "pass" not in found.verdicts[bound.id].values(), bound.id
            assert "unknown" in found.verdicts[bound.id].values(), bound.id


@pytest.mark.parametrize("call", CALLS)
def test_a_denial_on_one_bench_leaves_the_other_alone(estate: Any, call: str) -> None:
    estate.faults[f"{call}@a"] = denied()
    found = judge(ALL[:-1])
    for bound in found.verdicts:
        on_b = {verdict for resource, verdict in found.verdicts[bound].items() if resource.startswith("b/")}
        assert on_b == {"pass"}, bound


def test_a_loose_join_is_unknown_everywhere(estate: Any) -> None:
    estate.items["lab:ListBackups", "a"] = estate.items["lab:ListBackups", "b"] = []
    assert set(judge([LOOSE]).verdicts["no-backup-anywhere"].values()) == {"pass"}
    estate.faults["lab:ListBackups@a"] = denied()
    assert set(judge([LOOSE]).verdicts["no-backup-anywhere"].values()) == {"unknown"}


def test_a_denied_detail_of_one_joined_row_makes_its_bench_unknown(estate: Any) -> None:
    """Which of the joined rows would have counted is not known: `NOT EXISTS` would have passed without it."""
    estate.details["lab:GetState", "a", "b2"] = {"good": "not a boolean"}
    found = judge([NO_BAD])
    assert found.verdicts["no-bad-backup"] == {"a/one": "unknown", "a/two": "unknown", "b/one": "pass", "b/two": "pass"}


def test_a_denied_list_adds_one_unknown_for_the_scope(estate: Any) -> None:
    estate.faults["lab:ListStores@a"] = denied("lab:ListStores")
    found = judge([LOCKED])
    assert found.verdicts["locked"] == {"a/*": "unknown", "b/one": "pass", "b/two": "pass"}
    assert "denied" in found.reasons["locked:a/*"]


def test_a_list_cut_short_keeps_its_rows_and_adds_an_unknown(estate: Any) -> None:
    estate.cut["lab:ListStores"] = 1
    assert judge([LOCKED]).verdicts["locked"] == {"a/*": "unknown", "a/one": "pass", "b/*": "unknown", "b/one": "pass"}


def test_benches_that_could_not_be_listed_are_unknown(estate: Any) -> None:
    estate.unlisted = ["c"]
    found = judge([LOCKED])
    assert found.verdicts["locked"]["c/*"] == "unknown"
    assert found.verdicts["locked"]["a/one"] == "pass"


def test_an_answer_that_is_nothing_is_a_gap_not_a_null(estate: Any) -> None:
    """A policy that asks for absence must not pass because a source answered with nothing."""
    estate.details["lab:GetLock", "a", "one"] = None
    found = judge([make("no-keys", "keys IS NULL OR len(keys) < 9")])
    assert found.verdicts["no-keys"] == {"a/one": "unknown", "a/two": "pass", "b/one": "pass", "b/two": "pass"}
    assert [gap.columns for gap in found.gaps] == [("keys",)]


def test_null_is_unknown_and_says_so(estate: Any) -> None:
    estate.details["lab:GetLock", "a", "one"] = {"locked": None, "keys": None}
    found = judge([LOCKED, NOBODY])
    assert found.verdicts["locked"]["a/one"] == found.verdicts["no-foreign-keys"]["a/one"] == "unknown"
    assert found.reasons["locked:a/one"].startswith(sql.NOT_DECIDABLE)


def test_where_null_is_unknown_not_left_out(estate: Any) -> None:
    estate.items["lab:ListStores", "a"] = [{"name": "one", "kind": None, "aged": True}]
    assert judge([VAULT]).verdicts["vault-locked"]["a/one"] == "unknown"


def test_a_row_that_is_surely_not_meant_is_left_out_though_unread(estate: Any) -> None:
    estate.faults["lab:GetLock"] = denied()
    assert judge([VAULT]).verdicts["vault-locked"] == {"a/one": "unknown", "b/one": "unknown"}


@pytest.mark.parametrize(
    "odd", ["\ud800", object(), 2**63, "2026-01-01T00:00:00+02:00"], ids=["text", "object", "int", "time"]
)
def test_a_value_that_cannot_be_kept_is_a_gap(estate: Any, odd: object) -> None:
    """One odd answer must neither end the audit nor be taken for something else."""
    estate.details["lab:GetAge", "a", "one"] = {"days": odd}
    found = judge([AGED])
    assert found.verdicts["young"]["b/one"] == "pass"
    assert found.verdicts["young"].get("a/one", "unknown") == "unknown"
    assert [gap.kind for gap in found.gaps] == [GapKind.UNEXPECTED]


@pytest.mark.usefixtures("lab")
def test_a_policy_must_read_something() -> None:
    with pytest.raises(DocumentError, match="pass: reads no column"):
        policy.bind([make("always", "true")], {})


def test_a_call_not_asked_by_its_condition_leaves_null(estate: Any) -> None:
    estate.items["lab:ListStores", "a"] = [{"name": "one", "kind": "box", "aged": False}]
    found = judge([AGED])
    assert found.verdicts["young"]["a/one"] == "unknown"
    assert not found.gaps


def test_a_joined_table_of_which_nothing_was_looked_at_is_unknown(estate: Any) -> None:
    cross = make("has-place", "EXISTS (SELECT 1 FROM k8s_node n WHERE n.name = r.name) OR true")
    assert set(judge([cross]).verdicts["has-place"].values()) == {"unknown"}


def test_only_needed_calls_are_made(estate: Any) -> None:
    judge([LOCKED])
    assert {call.split("@")[0] for call in estate.asked} == {"lab:ListStores", "lab:GetLock"}
    assert len(estate.asked) == len(set(estate.asked)) + 2  # GetLock once for each of two stores on each bench


def test_a_policy_that_breaks_is_unknown_and_leaves_the_others_alone(estate: Any) -> None:
    found = judge([make("cast", "CASE WHEN kind = 'x' THEN true ELSE CAST(kind AS INTEGER) = 1 END"), LOCKED])
    assert "Could not convert" in found.errors["cast"]
    assert set(found.verdicts["cast"].values()) == {"unknown"}
    assert set(found.verdicts["locked"].values()) == {"pass"}


def test_a_policy_that_takes_too_long_is_stopped(estate: Any) -> None:
    for group in ("a", "b"):
        many = [{"name": f"s{n}", "kind": "box", "aged": False} for n in range(3000)]
        estate.items["lab:ListStores", group] = many
    slow = make(
        "slow",
        "(SELECT sum(len(a.name) + len(b.name) + len(c.name)) FROM lab_store a JOIN lab_store b ON a.kind = b.kind "
        "JOIN lab_store c ON c.kind = b.kind) > 0",
    )
    quick = make("quick", "kind = 'box'")
    found = judge([quick, slow], seconds=2)
    assert found.errors == {"slow": "took longer than 2 seconds"}
    assert set(found.verdicts["slow"].values()) == {"unknown"}
    assert set(found.verdicts["quick"].values()) == {"pass"}


def test_a_policy_that_eats_memory_is_stopped(estate: Any) -> None:
    estate.items["lab:ListStores", "a"] = [{"name": "n" * 5_000_000, "kind": "box", "aged": False}]
    huge = "concat(" + ", ".join(["name"] * 590) + ")"
    found = judge([make("eats", f"len({huge}) > 1"), make("quick", "kind = 'box'", where="kind = 'box'")])
    assert set(found.errors) == {"eats"}
    assert found.verdicts["quick"]["a/" + "n" * 5_000_000] == "pass"


maybe = st.none() | st.booleans()


@settings(max_examples=40)
@given(
    rows=st.lists(
        st.tuples(maybe, st.sampled_from(["vault", "box", None]), st.booleans(), st.booleans()), min_size=1, max_size=8
    ),
    listed=st.booleans(),
)
def test_oracle(lab: Any, rows: list[tuple[bool | None, str | None, bool, bool]], listed: bool) -> None:
    """Verdicts equal those of a plain-Python reading of the rules, for any values, denials and unlisted benches."""
    lab.__init__()
    lab.groups = ["a"]
    lab.items["lab:ListStores", "a"] = [{"name": f"s{n}", "kind": row[1], "aged": False} for n, row in enumerate(rows)]
    for n, (locked, _, readable, shaped) in enumerate(rows):
        value = locked if shaped else "not a boolean"
        lab.details["lab:GetLock", "a", f"s{n}"] = {"locked": value} if readable else None
    if not listed:
        lab.cut["lab:ListStores"] = len(rows) - 1
    found = judge([VAULT, LOCKED]).verdicts
    seen = rows if listed else rows[:-1]

    def verdict(row: tuple[bool | None, str | None, bool, bool]) -> str:
        locked, _, readable, shaped = row
        if not readable or not shaped or locked is None:
            return "unknown"
        return "pass" if locked else "fail"

    scope = {} if listed else {"a/*": "unknown"}
    assert found["locked"] == {f"a/s{n}": verdict(row) for n, row in enumerate(seen)} | scope
    vaults = {f"a/s{n}": row for n, row in enumerate(seen) if row[1] != "box"}
    expected = {name: "unknown" if row[1] is None else verdict(row) for name, row in vaults.items()}
    assert found["vault-locked"] == expected | scope
