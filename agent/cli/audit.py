"""`clausule audit`: collect, judge, report."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

import click

from agent.cli._options import (
    clause_option,
    config_option,
    configuration,
    iac_option,
    language_option,
    log_to_stderr,
    store_option,
    verbosity_options,
)


@click.command(name="audit", short_help="Collect evidence, judge it, write reports.")
@config_option
@clause_option
@iac_option
@store_option
@click.option(
    "-f",
    "--format",
    "formats",
    multiple=True,
    metavar="NAME",
    help="Report to write; repeatable. [default: html, json, prometheus]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the reports. [default: in the store]",
)
@click.option(
    "--metrics-file", type=click.Path(path_type=Path, dir_okay=False), help="Also write the Prometheus text file here."
)
@click.option("--json", "as_json", is_flag=True, help="Print the JSON report instead of the summary.")
@language_option
@click.option("--as-of", metavar="DATE", help="Judge as of this date or time (UTC). [default: now]")
@click.option("--resume", "resumed", metavar="RUN", help="Finish this run: scopes that are done are not asked again.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 when the audit was done, whatever it found (for CronJobs).")
@click.option("--no-progress", is_flag=True, help="Plain lines instead of a progress bar.")
@verbosity_options
def command(
    config_path: Path | None,
    clauses: tuple[str, ...],
    directories: tuple[str, ...],
    store: str | None,
    formats: tuple[str, ...],
    output: Path | None,
    metrics_file: Path | None,
    as_json: bool,
    language: str,
    as_of: str | None,
    resumed: str | None,
    exit_zero: bool,
    no_progress: bool,
    quiet: bool,
    verbose: int,
) -> int:
    """Collect evidence, judge it against the policies, and write reports.

    \b
    clausule audit                      everything that clausule.yaml names
    clausule audit --clause 3.13        only where data is
    clausule audit --iac infra/         a directory of Terraform or manifests, no configuration
    clausule audit --resume RUN         go on where a stopped run was
    """
    from agent import publish, run
    from agent.cli._progress import steps
    from agent.errors import AuditError
    from agent.store import open_store

    if resumed and (clauses or directories or as_of):
        raise click.UsageError("--resume takes the clauses, directories and date of its run; leave the others out")
    log_to_stderr(verbose)
    chosen = publish.choose(formats)
    configured = configuration(config_path, directories, store)
    target = open_store(configured.common.store)
    publish.check_targets(output, metrics_file)
    moment = _moment(as_of)
    with ExitStack() as stack:
        told = stack.enter_context(steps(quiet=quiet, bar=not no_progress))
        if resumed:
            made, result = stack.enter_context(run.resume(target, resumed, told))
        else:
            made, result = stack.enter_context(
                run.audit(configured, target, clauses=clauses, audit_time=moment, steps=told)
            )
        told.__exit__(None, None, None)
        if output:
            written = publish.write(result, chosen, output, language)
        else:
            written = publish.keep(result, chosen, target, language)
        if metrics_file:
            publish.write_one(result, "prometheus", metrics_file, language)
        if as_json:
            publish.show(result, "json", sys.stdout.buffer, language)
        elif not quiet:
            publish.show(result, "terminal", sys.stdout.buffer, language)
            _say_where(made.id, written)
        if result.exit_code == AuditError.exit_code:
            raise AuditError("there was nothing to assess: what is configured holds nothing that a policy is about")
        return 0 if exit_zero else result.exit_code


def _moment(as_of: str | None) -> str:
    from agent.run import audit_moment

    try:
        return audit_moment(as_of) if as_of else ""
    except ValueError:
        raise click.UsageError(f"--as-of: '{as_of}' is not a date; write YYYY-MM-DD, or YYYY-MM-DDTHH:MM:SSZ") from None


def _say_where(run: str, written: list[str]) -> None:
    click.echo(f"Run {run}")
    for path in written:
        click.echo(f"  {path}")
