"""Table transfer_register: transfers outside the Union, and the mechanism that each rests on."""

from __future__ import annotations

import datetime as dt
from typing import Any

from agent import law
from agent.documents import suggest
from agent.model import Column, Table
from agent.places import places
from collectors.registers._columns import CALLS, LIST, shared
from collectors.registers._file import Complain, Entry, require_date, require_order, require_text


class Transfer(Entry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One transfer to one importer in one country."""

    importer: str
    country: str
    mechanism: str
    valid_from: str
    provider: str = ""
    regions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()

    def check(self, complain: Complain) -> None:
        """See `Entry.check`."""
        super().check(complain)
        require_text(self, "importer", complain)
        require_date(self, "valid_from", complain)
        require_order(self, "valid_from", "expires", complain)
        if law.at(dt.date.fromisoformat(self.valid_from)).jurisdiction(self.country) is None:
            remedy = 'write the ISO 3166-1 code in quotes, such as "US"'
            raise complain("country", f"there is no country '{self.country}'", remedy)
        if self.mechanism not in law.mechanisms():
            remedy = suggest(self.mechanism, law.mechanisms()) or f"known: {', '.join(law.mechanisms())}"
            raise complain("mechanism", f"there is no mechanism '{self.mechanism}'", remedy)
        self._check_places(complain)

    def _check_places(self, complain: Complain) -> None:
        """What is misspelt here would never match a resource."""
        known = {provider for provider, _ in places()}
        if (self.provider or self.regions) and self.provider not in known:
            remedy = suggest(self.provider, known) or f"known: {', '.join(sorted(known))}"
            raise complain("provider", f"there is no provider '{self.provider}'", remedy)
        codes = {code for provider, code in places() if provider == self.provider}
        for region in self.regions:
            if region not in codes:
                problem = f"there is no region or local zone '{region}' of {self.provider}"
                raise complain("regions", problem, suggest(region, codes))

    def fields(self, date: dt.date) -> dict[str, Any]:
        """See `Entry.fields`; the country goes by its ISO code, also where an alias was written."""
        country = law.at(date).jurisdiction(self.country)
        return {
            **super().fields(date),
            "country": country.code if country else self.country,
            "mechanism_kind": law.mechanism_kind(self.mechanism, date),
        }


TABLE = Table(
    name="transfer_register",
    source="registers",
    scope="transfer_register",
    key="id",
    description="Transfers of personal data outside the Union, as registered: importer, country, mechanism, validity.",
    calls=CALLS,
    columns=(
        Column("id", "VARCHAR", "The entry's own name, unique in the register.", LIST, "id"),
        Column("importer", "VARCHAR", "Who receives the data.", LIST, "importer"),
        Column("country", "VARCHAR", "Where, as ISO 3166-1 alpha-2 code.", LIST, "country"),
        Column(
            "mechanism",
            "VARCHAR",
            "What the transfer rests on: `adequacy`, `scc`, `bcr`, `code`, `cert`, `adhoc`, `public`, `consent` …",
            LIST,
            "mechanism",
        ),
        Column(
            "mechanism_kind",
            "VARCHAR",
            "What that is worth on the audit date: `adequacy`, `safeguard`, `derogation`, `ended` or "
            "`no_transfer_tool`.",
            LIST,
            "mechanism_kind",
        ),
        Column("provider", "VARCHAR", "The provider whose places `regions` are; '' if none.", LIST, "provider"),
        Column("regions", "VARCHAR[]", "The regions that it covers; empty for all in the country.", LIST, "regions"),
        Column("resources", "VARCHAR[]", "The resources that it covers; empty for all.", LIST, "resources"),
        Column("valid_from", "DATE", "The first day that it counts.", LIST, "valid_from"),
        *shared(),
    ),
)
