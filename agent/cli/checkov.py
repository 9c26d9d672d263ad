"""`clausule checkov`: Checkov's own environment."""

from __future__ import annotations

import click


@click.group(name="checkov")
def command() -> None:
    """Set up Checkov, which reads infrastructure code.

    Checkov pins an old boto3, so it lives in an environment of its own beside Clausule's.
    """


@command.command(name="install")
def install() -> None:
    """Install the pinned Checkov into its own environment (about 300 MB)."""
    from collectors.checkov import _environment

    path = _environment.install(lambda line: click.echo(line, err=True))
    click.echo(path)
