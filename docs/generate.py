"""Writes again what is made from declarations: `make generate`. A test holds the files to it.

- docs/tables.md      every table and column, with the call that fills it
- docs/commands.md    the help of every command
- README.md          the numbers of policies and tables
- the chart's RBAC rules, and the schema of the JSON report
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from agent import plan, policy, rbac, registry
from agent.cli import clausule
from agent.reports import _document

ROOT = Path(__file__).parent.parent


def tables() -> str:
    """The reference of evidence tables."""
    lines = ["# Evidence tables", "", "Made by `make generate` from the declarations in `collectors/`.", ""]
    for table in registry.tables().values():
        lines += [f"## {table.name}", "", f"{table.description} Collected per {table.scope}; key `{table.key}`.", ""]
        lines += ["| column | type | filled by | what it is |", "|---|---|---|---|"]
        for column in registry.all_columns(table.name).values():
            call = f"`{column.call}`" if column.call else "the scope"
            lines.append(f"| `{column.name}` | {column.type} | {call} | {column.description} |")
        granted = sorted({permission for call in table.calls for permission in call.permissions})
        if granted:
            lines += ["", f"Permissions: {', '.join(f'`{permission}`' for permission in granted)}."]
        lines.append("")
    return "\n".join(lines)


def commands() -> str:
    """The reference of commands: their help as the program prints it."""
    lines = ["# Commands", "", "Made by `make generate` from the program's own help.", ""]
    for path, command in _walk(clausule, "clausule"):
        context = click.Context(command, info_name=path, max_content_width=100, terminal_width=100)
        lines += [f"## {path}", "", "```", command.get_help(context), "```", ""]
    return "\n".join(lines)


def _walk(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield from _walk(inner, f"{path} {name}")


def rules() -> str:
    """The Kubernetes permissions of an audit with every built-in policy, as RBAC rules."""
    made = plan.make(policy.load([policy.BUILT_IN]), registry.sources())
    return rbac.document(made.permissions().get("kubernetes", ()))


def readme() -> str:
    """README.md with its counts brought up to date."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    count = f"{len(policy.load([policy.BUILT_IN]))} policies over {len(registry.tables())} tables"
    return re.sub(r"\d+ policies over \d+ tables", count, text)


FILES: dict[str, Callable[[], str]] = {
    "README.md": readme,
    "docs/tables.md": tables,
    "docs/commands.md": commands,
    "deploy/helm/clausule/files/rules.yaml": rules,
    "agent/reports/schema/report-1.schema.json": lambda: _document.schema().decode(),
}


def main() -> None:
    """Write every file."""
    for name, make in FILES.items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make(), encoding="utf-8")
        print(name)


if __name__ == "__main__":
    main()
