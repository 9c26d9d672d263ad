"""The gate: what gets through, what does not, and what it says is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.gate import Catalog, Refused, check

CATALOG = Catalog(
    {
        "store": frozenset({"account_id", "name", "region", "size", "tags", "copies", "made"}),
        "place": frozenset({"provider", "code", "standing"}),
        "backup": frozenset({"account_id", "name", "targets"}),
    },
    {"store": ("aws", "account_id"), "place": ("law", "facts"), "backup": ("aws", "account_id")},
)

ALLOWED = {
    "name = 'a' AND size > $limit": {"store": {"name", "size"}},
    "r.name LIKE 'a%' OR NOT (size BETWEEN 1 AND 2)": {"store": {"name", "size"}},
    "tags['x'] = 'y' AND list_contains(copies, region)": {"store": {"tags", "copies", "region"}},
    "made > $audit_time - INTERVAL 30 DAYS": {"store": {"made"}},
    "made > $audit_time - to_days(CAST($limit AS INTEGER))": {"store": {"made"}},
    "CASE WHEN size IS NULL THEN NULL WHEN size > 1 THEN true ELSE false END": {"store": {"size"}},
    "(SELECT p.standing FROM place p WHERE p.provider = 'aws' AND p.code = r.region) IN ('inside')": {
        "store": {"region"},
        "place": {"standing", "provider", "code"},
    },
    "EXISTS (SELECT 1 FROM backup b WHERE b.account_id = r.account_id AND b.name = r.name)": {
        "store": {"account_id", "name"},
        "backup": {"account_id", "name"},
    },
    "NOT EXISTS (SELECT 1 FROM backup b, unnest(b.targets) AS t(code) WHERE t.code = r.region)": {
        "store": {"region"},
        "backup": {"targets"},
    },
    "(SELECT count(*) FROM backup b JOIN place p ON p.code = b.name WHERE b.account_id = r.account_id) > 1": {
        "store": {"account_id"},
        "backup": {"account_id", "name"},
        "place": {"code"},
    },
    "size > 1 -- a comment": {"store": {"size"}},
}

REFUSED = [
    # out of the parentheses
    "size) FROM store; DROP TABLE store; SELECT (size",
    "size) FROM store WHERE (size",
    "size) UNION SELECT (size",
    "size), (name",
    "size) FROM read_csv('/etc/passwd') AS x(y",
    "1; ATTACH 'x.db'",
    "",
    # other statements and set operations
    "EXISTS (WITH x AS (DELETE FROM store RETURNING *) SELECT 1 FROM x)",
    "EXISTS (WITH x AS (SELECT 1) SELECT 1 FROM store s)",
    "EXISTS (SELECT s.name FROM store s UNION SELECT p.code FROM place p)",
    "EXISTS (VALUES (1))",
    "EXISTS (FROM store)",
    "EXISTS (SELECT 1 FROM store s LIMIT 1)",
    "EXISTS (SELECT DISTINCT s.name FROM store s)",
    "EXISTS (SELECT s.name FROM store s GROUP BY s.name)",
    "EXISTS (SELECT 1 FROM store s USING SAMPLE 1)",
    "EXISTS (SELECT 1 FROM store s QUALIFY true)",
    # files, network, settings
    "read_text('/etc/passwd') = 'x'",
    "EXISTS (SELECT 1 FROM read_csv('/etc/passwd') c)",
    "EXISTS (SELECT 1 FROM '/etc/passwd' c)",
    "EXISTS (SELECT 1 FROM glob('/*') c)",
    "EXISTS (SELECT 1 FROM duckdb_settings() c)",
    "EXISTS (SELECT 1 FROM query('SELECT 1') c)",
    "current_setting('memory_limit') = 'x'",
    "getvariable('x') = 1",
    "getenv('HOME') = 'x'",
    # clocks and chance
    "now() > made",
    "current_date > made",
    "CURRENT_TIMESTAMP > made",
    "today() > made",
    "age(made) > INTERVAL 1 DAY",
    "random() > 0.5",
    "uuid() = name",
    # resources
    "repeat(name, 1000000) = name",
    "lpad(name, 1000000000, 'x') = name",
    "replace(replace(name, 'x', 'xxxx'), 'x', 'xxxx') = name",
    "len(range(1000000000)) > 1",
    "EXISTS (SELECT 1 FROM range(1000000000) x)",
    "EXISTS (SELECT 1 FROM store a, store b, store c)",
    "EXISTS (SELECT 1 FROM store a CROSS JOIN store b)",
    "EXISTS (SELECT 1 FROM store a NATURAL JOIN store b)",
    "EXISTS (SELECT 1 FROM store a POSITIONAL JOIN store b)",
    "list_reduce([1], lambda x, y: x + y) = 1",
    # names
    "sise > 1",
    "r.sise > 1",
    "_row > 1",
    "_unread IS NULL",
    "rowid > 1",
    "r = r",
    "* = 1",
    "COLUMNS(*) = 1",
    "EXISTS (SELECT 1 FROM storage s)",
    "EXISTS (SELECT 1 FROM information_schema.tables t)",
    "EXISTS (SELECT 1 FROM main.store s)",
    "EXISTS (SELECT 1 FROM store s WHERE name = 'x')",
    "EXISTS (SELECT 1 FROM store r)",
    "EXISTS (SELECT 1 FROM store _s)",
    "EXISTS (SELECT 1 FROM backup R WHERE R.account_id = r.account_id)",
    "EXISTS (SELECT 1 FROM backup b, unnest(b.targets) AS t(R) WHERE t.R = r.region)",
    "NOT " * 950 + "size > 1",
    " || ".join(["name"] * 390) + " = 'x'",
    "EXISTS (SELECT 1 FROM store s(account_id) WHERE s.name = 'x')",
    "$lmit > 1",
    "? > 1",
    "$1 > 1",
    # the rest
    "row_number() OVER () > 1",
    "any_value(name) = 'x'",
    "first(name) = 'x'",
    "name::JSON = 'x'",
    "name::STRUCT(a INT) IS NULL",
    "name COLLATE NOCASE = 'x'",
    "TRY(size) > 1",
    "nextval('s') > 1",
    "error('x') = 1",
    "size > 1 AND " * 600 + "true",
    "(" * 200 + "size > 1" + ")" * 200 + " AND " + "NOT " * 100 + "true",
]


@pytest.mark.parametrize(("expression", "reads"), ALLOWED.items())
def test_allowed_expressions_and_what_they_read(expression: str, reads: dict[str, set[str]]) -> None:
    assert check(expression, "store", frozenset({"limit"}), CATALOG).columns == reads


@pytest.mark.parametrize("expression", REFUSED)
def test_refused_expressions(expression: str) -> None:
    with pytest.raises(Refused) as caught:
        check(expression, "store", frozenset({"limit"}), CATALOG)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("where", "anywhere"),
    [
        ("b.account_id = r.account_id", False),
        ("r.account_id = b.account_id AND b.name = 'x'", False),
        ("b.account_id = r.account_id OR b.name = 'x'", True),
        ("NOT b.account_id = r.account_id", True),
        ("b.account_id <> r.account_id", True),
        ("b.account_id = r.name", True),
        ("b.name = r.account_id", True),
        ("b.name = r.name", True),
        ("true", True),
    ],
)
def test_a_join_is_held_to_the_account_only_where_sql_proves_it(where: str, anywhere: bool) -> None:
    reads = check(f"EXISTS (SELECT 1 FROM backup b WHERE {where})", "store", frozenset(), CATALOG)
    assert ("backup" in reads.anywhere) is anywhere


def test_one_loose_join_of_two_counts_as_loose() -> None:
    tight = "EXISTS (SELECT 1 FROM backup b WHERE b.account_id = r.account_id)"
    loose = "EXISTS (SELECT 1 FROM backup c WHERE c.name = r.name)"
    assert check(f"{tight} AND {loose}", "store", frozenset(), CATALOG).anywhere == {"backup"}


@given(st.text(max_size=80))
def test_any_text_is_refused_or_reads_only_known_columns(text: str) -> None:
    try:
        reads = check(text, "store", frozenset(), CATALOG)
    except Refused:
        return
    for table, columns in reads.columns.items():
        assert columns <= CATALOG.columns[table]


FRAGMENTS = [
    "name",
    "size",
    "r.",
    "(",
    ")",
    ",",
    ";",
    "SELECT",
    "FROM",
    "store s",
    "WHERE",
    "UNION",
    "--",
    "/*",
    "*/",
    "'",
    '"',
]
FRAGMENTS += [
    "1",
    "=",
    "AND",
    "EXISTS",
    "$limit",
    "read_csv",
    "[",
    "]",
    "::",
    "INT",
    "CASE",
    "WHEN",
    "END",
    "\n",
    "\\",
    "$$",
]


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=14))
def test_any_jumble_of_sql_is_refused_or_stays_inside_its_parentheses(parts: list[str]) -> None:
    text = " ".join(parts)
    try:
        check(text, "store", frozenset({"limit"}), CATALOG)
    except Refused:
        return
    assert ";" not in text or "'" in text or '"' in text or "--" in text or "/*" in text or "$$" in text
