"""`clausule completion`: shell completion."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command(name="completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    eval "$(clausule completion bash)"      in ~/.bashrc
    """
    from agent.cli import clausule

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - the choices above are click's own
    click.echo(kind(clausule, {}, "clausule", "_CLAUSULE_COMPLETE").source())
