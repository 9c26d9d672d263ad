"""Table lab_backup."""

from agent.model import Call, Column, Table

TABLE = Table(
    name="lab_backup",
    source="lab",
    scope="bench",
    key="name",
    description="Backups on a bench.",
    calls=(
        Call(name="lab:ListBackups", role="list", permissions=("lab:ListBackups",)),
        Call(name="lab:GetState", permissions=("lab:GetState",)),
    ),
    columns=(
        Column("name", "VARCHAR", "Its name.", "lab:ListBackups", "name"),
        Column("store", "VARCHAR", "Which store it is of.", "lab:ListBackups", "store"),
        Column("good", "BOOLEAN", "Whether it can be restored.", "lab:GetState", "good"),
    ),
)
