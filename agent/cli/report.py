"""`clausule report RUN`: a report of a stored run."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from agent.cli._options import config_option, configuration, language_option, store_option


@click.command(name="report", short_help="Render a stored run again.")
@click.argument("run", default="latest")
@click.option("-f", "--format", "name", default="terminal", show_default=True, metavar="NAME", help="Which report.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file instead of printing."
)
@config_option
@store_option
@language_option
def command(
    run: str, name: str, output: Path | None, config_path: Path | None, store: str | None, language: str
) -> int:
    """Render a stored run again, without any network.

    RUN is a run's id, or `latest`. Its files are checked against its manifest first. Exits 0 when the report was made.
    """
    from agent import publish
    from agent.run import open_result
    from agent.runs import find
    from agent.store import open_store

    publish.choose([name])
    target = open_store(configuration(config_path, (), store).common.store)
    with open_result(find(target, run)) as result:
        if output:
            publish.write_one(result, name, output, language)
        else:
            publish.show(result, name, sys.stdout.buffer, language)
    return 0
