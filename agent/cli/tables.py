"""`clausule tables`: what evidence there is."""

from __future__ import annotations

import click


@click.command(name="tables", short_help="List the evidence tables.")
@click.argument("name", required=False, metavar="[TABLE]")
def command(name: str | None) -> None:
    """List the evidence tables, or show the columns of one: type, call and meaning."""
    from agent import registry
    from agent.documents import suggest
    from agent.errors import UsageError

    tables = registry.tables()
    if name is None:
        width = max(map(len, tables))
        for table in tables.values():
            click.echo(f"{table.name:<{width}}  per {table.scope:<9}  {table.description}")
        return
    if name not in tables:
        raise UsageError(f"there is no table '{name}'; {suggest(name, tables)}")
    table = tables[name]
    click.echo(f"{table.name}: {table.description}\n\nOne row for each {table.key}, collected per {table.scope}.\n")
    for column in registry.all_columns(name).values():
        click.echo(f"  {column.name} {column.type}\n      {column.description} [{column.call or 'scope'}]")
