"""Table restore_drill_register: restores that were tried, and how they went."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from agent.model import Column, Table
from collectors.registers._columns import CALLS, LIST, shared
from collectors.registers._file import Complain, Entry, require_date, require_order, require_text

Minutes = Annotated[int, msgspec.Meta(ge=0)]


class RestoreDrill(Entry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One drill of one resource."""

    resource: str
    performed: str
    outcome: Literal["success", "failure"]
    validated: bool
    duration_minutes: Minutes | None = None
    recovery_point_age_minutes: Minutes | None = None

    def check(self, complain: Complain) -> None:
        """See `Entry.check`."""
        super().check(complain)
        require_text(self, "resource", complain)
        require_date(self, "performed", complain)
        require_order(self, "performed", "expires", complain)


TABLE = Table(
    name="restore_drill_register",
    source="registers",
    scope="restore_drill_register",
    key="id",
    description="Restore drills as registered: what was restored, when, how long it took and whether it was validated.",
    calls=CALLS,
    columns=(
        Column("id", "VARCHAR", "The entry's own name, unique in the register.", LIST, "id"),
        Column("resource", "VARCHAR", "What was restored: an ARN, or the name of a data store.", LIST, "resource"),
        Column("performed", "DATE", "The day of the drill.", LIST, "performed"),
        Column("outcome", "VARCHAR", "`success` or `failure`.", LIST, "outcome"),
        Column("duration_minutes", "BIGINT", "How long it took; NULL if not recorded.", LIST, "duration_minutes"),
        Column(
            "recovery_point_age_minutes",
            "BIGINT",
            "How old the restored data was; NULL if not recorded.",
            LIST,
            "recovery_point_age_minutes",
        ),
        Column("validated", "BOOLEAN", "Whether someone checked the restored data.", LIST, "validated"),
        *shared(),
    ),
)
