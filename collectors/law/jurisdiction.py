"""Table law_jurisdiction."""

from agent.model import Call, Column, Table

_CALL = "facts:jurisdictions"

TABLE = Table(
    name="law_jurisdiction",
    source="law",
    scope="law",
    key="country",
    description="How each country stands under clause 3.13 on the audit date.",
    calls=(Call(name=_CALL, role="list"),),
    columns=(
        Column("country", "VARCHAR", "ISO 3166-1 alpha-2 code.", _CALL, "country"),
        Column("name", "VARCHAR", "English name.", _CALL, "name"),
        Column("standing", "VARCHAR", "`inside`, `adequate`, `adequate_conditional` or `none`.", _CALL, "standing"),
        Column("basis", "VARCHAR", "The decision or treaty; empty for `none`.", _CALL, "basis"),
        Column("conditions", "VARCHAR[]", "What must be shown of the importer.", _CALL, "conditions"),
        Column("valid_until", "DATE", "The last day of that standing; NULL without an end.", _CALL, "valid_until"),
    ),
)
