"""`clausule evaluate RUN`: judge stored evidence again."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from agent.cli._options import (
    config_option,
    configuration,
    language_option,
    log_to_stderr,
    store_option,
    verbosity_options,
)


@click.command(name="evaluate", short_help="Judge a stored run again.")
@click.argument("run", default="latest")
@config_option
@store_option
@click.option("--json", "as_json", is_flag=True, help="Print the JSON report instead of the summary.")
@language_option
@verbosity_options
def command(
    run: str, config_path: Path | None, store: str | None, as_json: bool, language: str, quiet: bool, verbose: int
) -> int:
    """Judge the evidence of a stored run again by its own policies, without any network.

    Says whether the verdicts are byte for byte those recorded. The run itself is not touched. Exits like an
    audit; 3 when the run was changed, or when the verdicts differ from those recorded.
    """
    from agent import publish
    from agent.cli._progress import steps
    from agent.errors import AuditError
    from agent.run import evaluate
    from agent.runs import find
    from agent.store import open_store

    log_to_stderr(verbose)
    target = open_store(configuration(config_path, (), store).common.store)
    with steps(quiet=True, bar=False) as told, evaluate(find(target, run), told) as (result, same):
        if as_json:
            publish.show(result, "json", sys.stdout.buffer, language)
        elif not quiet:
            publish.show(result, "terminal", sys.stdout.buffer, language)
        if not same:
            raise AuditError(f"run {result.run.id}: judged again, its verdicts differ from those recorded")
        if not quiet and not as_json:
            click.echo(f"Run {result.run.id}: the verdicts are byte for byte those recorded.")
        return result.exit_code
