"""The forms in docs/registers.md are registers, and its table of mechanisms is true."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from agent.law import mechanism_kind, mechanisms
from tests.collecting import AUDIT_TIME, gather

TEXT = (Path(__file__).parents[3] / "docs" / "registers.md").read_text(encoding="utf-8")
FORMS = re.findall(r"## [^\n]+\n+```yaml\n(.*?)```", TEXT, re.DOTALL)
ROWS = re.findall(r"^\| (`.*?) \|[^|]*\| (\w[^|:]*)[^|]*\|$", TEXT, re.MULTILINE)


@pytest.mark.parametrize(("kind", "form"), list(zip(("transfer", "restore_drill"), FORMS, strict=True)))
def test_the_forms_are_accepted(tmp_path: Path, kind: str, form: str) -> None:
    path = tmp_path / "register.yaml"
    path.write_text(form, encoding="utf-8")
    found = gather("registers", tmp_path / "store", **{kind: [str(path)]})
    assert len(found.rows[f"{kind}_register"]) == 1
    assert [gap.columns for gap in found.gaps] == [("document_matches",)]  # the example's document is not there


def test_the_table_of_mechanisms_is_complete_and_true() -> None:
    told = {word: worth.strip() for words, worth in ROWS for word in re.findall(r"`([^`]+)`", words)}
    date = dt.datetime.fromisoformat(AUDIT_TIME).date()
    kinds = {word: mechanism_kind(word, date).replace("_", " ") for word in told}
    assert set(told) == set(mechanisms())
    assert told | {"adequacy": "adequacy"} == kinds
