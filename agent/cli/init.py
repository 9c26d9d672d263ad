"""`clausule init`: a commented configuration to start from."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="init")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False), default="clausule.yaml")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def command(path: Path, force: bool) -> int:
    """Write a commented clausule.yaml. Never replaces a file unless told to."""
    from agent.errors import UsageError
    from agent.files import write_file

    if path.exists() and not force:
        raise UsageError(f"{path}: is there already; choose another name, or replace it with --force")
    template = Path(__file__).parent / "clausule.yaml"
    write_file(path, template.read_bytes())
    path.chmod(0o644)
    click.echo(f"Wrote {path}. Open it, switch on what you have, then: clausule plan")
    return 0
