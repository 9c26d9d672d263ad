"""Table law_jurisdiction: how each country stands under clause 3.13."""

from __future__ import annotations

from agent.model import Call, Column, Table

_CALL = "facts:jurisdictions"

TABLE = Table(
    name="law_jurisdiction",
    source="law",
    scope="law",
    key="country",
    description="How each country, and each organisation with a decision of its own, stands under clause 3.13 on the "
    "audit date.",
    calls=(Call(name=_CALL, role="list"),),
    columns=(
        Column("country", "VARCHAR", "ISO 3166-1 alpha-2 code, or the organisation's short name.", _CALL, "country"),
        Column("name", "VARCHAR", "English name.", _CALL, "name"),
        Column(
            "standing",
            "VARCHAR",
            "`inside`, `adequate`, `adequate_conditional` or `none`; NULL when the facts do not say.",
            _CALL,
            "standing",
        ),
        Column("basis", "VARCHAR", "The decision or treaty; empty where there is none.", _CALL, "basis"),
        Column("conditions", "VARCHAR[]", "What must hold for the decision to apply.", _CALL, "conditions"),
        Column("valid_until", "DATE", "The last day of the basis; NULL without an end.", _CALL, "valid_until"),
    ),
)
