"""Table law_place: where the regions and zones of providers are."""

from __future__ import annotations

from agent.model import Call, Column, Table

_CALL = "facts:places"

TABLE = Table(
    name="law_place",
    source="law",
    scope="law",
    key="id",
    description="Where the regions and local zones of providers are, and how that stands under clause 3.13 on the "
    "audit date. Ordinary zones are not listed: their code begins with that of their region.",
    calls=(Call(name=_CALL, role="list"),),
    columns=(
        Column("id", "VARCHAR", "Provider and code, as `aws/eu-west-2`.", _CALL, "id"),
        Column("provider", "VARCHAR", "Whose code it is: `aws`, `azure`, `gcp` …", _CALL, "provider"),
        Column("code", "VARCHAR", "The region or zone, as its provider spells it.", _CALL, "code"),
        Column("kind", "VARCHAR", "`region`, `zone`, `local_zone`, `wavelength_zone` …", _CALL, "kind"),
        Column("city", "VARCHAR", "The city or area, as far as it is published.", _CALL, "city"),
        Column(
            "country",
            "VARCHAR",
            "ISO 3166-1 alpha-2 code; of a place that spans countries, the one with the weakest standing.",
            _CALL,
            "country",
        ),
        Column("countries", "VARCHAR[]", "Every country that the place spans.", _CALL, "countries"),
        Column(
            "standing",
            "VARCHAR",
            "`inside`, `adequate`, `adequate_conditional` or `none`; NULL when the facts do not say.",
            _CALL,
            "standing",
        ),
        Column("basis", "VARCHAR", "The decision or treaty; empty where there is none.", _CALL, "basis"),
        Column("valid_until", "DATE", "The last day of the basis; NULL without an end.", _CALL, "valid_until"),
    ),
)
