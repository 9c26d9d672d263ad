"""Table lab_store."""

from agent.model import Call, Column, Table

TABLE = Table(
    name="lab_store",
    source="lab",
    scope="bench",
    key="name",
    description="Stores on a bench.",
    calls=(
        Call(name="lab:ListStores", role="list", permissions=("lab:ListStores",)),
        Call(name="lab:GetLock", permissions=("lab:GetLock",)),
        Call(name="lab:GetAge", permissions=("lab:GetAge",), when="aged"),
    ),
    columns=(
        Column("name", "VARCHAR", "Its name.", "lab:ListStores", "name"),
        Column("kind", "VARCHAR", "What kind it is.", "lab:ListStores", "kind"),
        Column("locked", "BOOLEAN", "Whether it is locked.", "lab:GetLock", "locked"),
        Column("keys", "VARCHAR[]", "Who holds keys.", "lab:GetLock", "keys"),
        Column("days", "BIGINT", "Its age.", "lab:GetAge", lambda response: response["days"]),
    ),
)
