"""`clausule plan`: what an audit would ask, and what must be granted for it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agent.cli._options import clause_option, config_option, configuration, iac_option, store_option

if TYPE_CHECKING:
    from agent.estimate import Estimate
    from agent.plan import Plan


@click.command(name="plan", short_help="Print what an audit would collect.")
@config_option
@clause_option
@iac_option
@store_option
@click.option("--all", "everything", is_flag=True, help="Plan for every source, configured or not.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    config_path: Path | None,
    clauses: tuple[str, ...],
    directories: tuple[str, ...],
    store: str | None,
    everything: bool,
    as_json: bool,
) -> int:
    """Print what an audit would collect: tables, calls per scope, permissions, and how many calls.

    Asks no API. The number of calls is estimated from the last run in the store, or from assumptions that it names.
    """
    import msgspec

    from agent import estimate, plan, registry, run
    from agent.store import open_store

    configured = configuration(config_path, directories, store)
    if not everything and not configured.sources:
        click.echo(
            "Nothing is configured: planning for every source. Write a configuration with: clausule init", err=True
        )
        everything = True
    sources = registry.sources() if everything else [*configured.sources, *run.ALWAYS]
    made = plan.make(run.choose(configured, clauses), sources)
    guess = estimate.estimate(made, estimate.last_records(open_store(configured.common.store)))
    if as_json:
        document = {"plan": made, "permissions": made.permissions(), "estimate": guess}
        encoded = msgspec.json.format(msgspec.json.encode(document, order="sorted"), indent=2)
        sys.stdout.buffer.write(encoded + b"\n")
    else:
        _print(made, guess)
    return 0


def _print(made: Plan, guess: Estimate) -> None:
    """Plain lines, one call or permission each, so that they can be copied at any width."""
    click.echo(f"{len(made.policies)} policies read {len(made.tables)} tables:\n")
    for part in made.tables:
        click.echo(f"{part.table}, per {part.scope}, {len(part.columns)} columns")
        for name in part.calls:
            click.echo(f"  {name}" if name == part.calls[0] else f"  {name}, for each row")
    for source, permissions in made.permissions().items():
        click.echo(f"\nPermissions, {source} (all read-only):")
        for permission in permissions:
            click.echo(f"  {permission}")
    click.echo(f"\nAbout {guess.calls:,} calls, {guess.saved:,} fewer than filling every column would take.")
    click.echo(f"Estimated from {guess.basis}.")
    if made.skipped:
        click.echo(f"{len(made.skipped)} policies are left out: nothing of their source is configured.")
