"""Options that several commands share, and what they mean."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from agent.config import Config

F = TypeVar("F", bound=Callable[..., Any])
LANGUAGES = click.Choice(["nl", "fr", "de", "en"])


def config_option(function: F) -> F:
    """`--config FILE`."""
    kind = click.Path(path_type=Path, dir_okay=False)
    return click.option(
        "-c", "--config", "config_path", type=kind, help="Configuration. [default: clausule.yaml, if it is there]"
    )(function)


def store_option(function: F) -> F:
    """`--store LOCATION`."""
    return click.option(
        "--store", metavar="LOCATION", help="Folder or s3://, gs://, az:// URL of the runs. [default: .clausule]"
    )(function)


def clause_option(function: F) -> F:
    """`--clause ID`, repeatable."""
    return click.option(
        "--clause", "clauses", multiple=True, metavar="ID", help="Only this clause, such as 3.13 or 3.2.d; repeatable."
    )(function)


def iac_option(function: F) -> F:
    """`--iac DIR`, repeatable."""
    return click.option(
        "--iac", "directories", multiple=True, metavar="DIR", help="A directory of infrastructure code; repeatable."
    )(function)


def language_option(function: F) -> F:
    """`--language`."""
    return click.option(
        "-l", "--language", type=LANGUAGES, default="en", show_default=True, help="Language of the report."
    )(function)


def verbosity_options(function: F) -> F:
    """`-q` and `-v`."""
    function = click.option("-q", "--quiet", is_flag=True, help="Only errors, and the exit code.")(function)
    return click.option("-v", "--verbose", count=True, help="Log what is done; twice for every detail.")(function)


def log_to_stderr(verbose: int) -> None:
    """Clausule's own log lines; other libraries stay silent unless asked for every detail."""
    level = {0: logging.WARNING, 1: logging.INFO}.get(verbose, logging.DEBUG)
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    logging.getLogger("clausule").setLevel(level)


def configuration(path: Path | None, directories: tuple[str, ...], store: str | None) -> Config:
    """The configuration with what the command line adds to it."""
    import msgspec

    from agent import config

    found = config.load(path)
    if directories:
        given = found.sources.get("checkov") or config.settings("checkov", {})
        merged = msgspec.structs.replace(given, directories=tuple(dict.fromkeys((*given.directories, *directories))))
        found = msgspec.structs.replace(found, sources={**found.sources, "checkov": merged})
    if store:
        if config.looks_secret(store):
            raise click.UsageError(f"--store: holds what looks like a secret; {config.WHERE_SECRETS_GO}")
        found = msgspec.structs.replace(found, common=msgspec.structs.replace(found.common, store=store))
    return found
