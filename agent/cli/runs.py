"""`clausule runs`: the runs in a store."""

from __future__ import annotations

from pathlib import Path

import click

from agent.cli._options import config_option, configuration, store_option


@click.command(name="runs", short_help="List the stored runs.")
@config_option
@store_option
@click.option(
    "--verify", is_flag=True, help="Check every finished run's files against its manifest, and the chain of manifests."
)
def command(config_path: Path | None, store: str | None, verify: bool) -> None:
    """List the runs in the store, oldest first, and which of them are unfinished."""
    from agent.errors import StoreError
    from agent.runs import runs, verify_chain
    from agent.store import open_store

    target = open_store(configuration(config_path, (), store).common.store)
    found = runs(target)
    for run in found:
        state = "finished" if run.finished() else f"unfinished; finish it with: clausule audit --resume {run.id}"
        click.echo(f"{run.id}  {state}")
    if verify:
        count = verify_chain(found)
        if not count:
            raise StoreError(f"{target.location} holds no finished run to verify")
        click.echo(f"{count} finished runs are what their manifests say, each following the one before it.")
