"""The clauses of the agreement."""

from __future__ import annotations

import pytest

from agent.clauses import clauses, expand, order
from agent.errors import UsageError


def test_clauses_stand_in_the_agreements_order() -> None:
    names = list(clauses())
    assert names.index("3.2.a") < names.index("3.5") < names.index("3.13") < names.index("3.13.a")
    assert names == sorted(names, key=order)


def test_a_clause_says_what_it_is_about() -> None:
    found = clauses()["3.2.d"]
    assert found.parent == "3.2"
    assert found.core
    assert all(found.summary.of(language) for language in ("nl", "fr", "de", "en"))
    assert found.technical_evidence in ("full", "partial", "none")
    assert found.gdpr


def test_every_parent_exists_and_is_its_childs_prefix() -> None:
    for clause in clauses().values():
        if clause.parent is not None:
            assert clause.parent in clauses()
            assert clause.id.startswith(f"{clause.parent}.")


def test_expand_takes_a_clause_and_what_is_under_it_only() -> None:
    found = expand("3.1")
    assert found[0] == "3.1"
    assert all(name == "3.1" or name.startswith("3.1.") for name in found)
    assert "3.13" not in found
    assert expand("3.13.a") == ("3.13.a",)


@pytest.mark.parametrize("name", ["3.99", "", "3", "3.2.", "3.13.A", "art. 28"])
def test_an_unknown_clause_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="there is no clause"):
        expand(name)


def test_an_unknown_clause_gets_a_suggestion() -> None:
    with pytest.raises(UsageError, match=r"there is no clause '3\.2\.dd'; did you mean '3\.2\.d'\?"):
        expand("3.2.dd")
