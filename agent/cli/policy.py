"""`clausule policy`: list, show and test policies."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from agent.cli._options import clause_option, config_option, configuration, language_option


@click.group(name="policy")
def command() -> None:
    """List policies, show one, or run their examples."""


@command.command(name="list")
@config_option
@clause_option
@language_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_policies(config_path: Path | None, clauses: tuple[str, ...], language: str, as_json: bool) -> None:
    """List the policies, by clause."""
    import msgspec

    from agent.run import choose

    found = choose(configuration(config_path, (), None), clauses)
    if as_json:
        encoded = msgspec.json.encode([policy.policy for policy in found])
        sys.stdout.buffer.write(msgspec.json.format(encoded, indent=2) + b"\n")
        return
    width = max((len(policy.id) for policy in found), default=0)
    for policy in sorted(found, key=lambda policy: (policy.policy.clauses, policy.id)):
        title = policy.policy.title.of(language)
        click.echo(f"{policy.policy.clauses[0]:<7} {policy.policy.severity:<8} {policy.id:<{width}}  {title}")


@command.command(name="show")
@click.argument("policy_id", metavar="ID")
@config_option
def show(policy_id: str, config_path: Path | None) -> None:
    """Print a policy's file and what it reads."""
    from agent.documents import suggest
    from agent.errors import UsageError
    from agent.run import choose

    found = {policy.id: policy for policy in choose(configuration(config_path, (), None), ())}
    if policy_id not in found:
        raise UsageError(f"there is no policy '{policy_id}'; {suggest(policy_id, found)}")
    policy = found[policy_id]
    click.echo(policy.text.rstrip())
    click.echo("\n# It reads:")
    for table, columns in policy.reads.items():
        click.echo(f"#   {table}: {', '.join(columns)}")


@command.command(name="test")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("-q", "--quiet", is_flag=True, help="Only what went wrong.")
def test(paths: tuple[Path, ...], quiet: bool) -> int:
    """Check policies and run their examples: the built-in ones, or those of files and directories.

    Exits 0 when every example has the verdict that it expects, else 1.
    """
    from agent import examples, policy

    bound = policy.load(paths or [policy.BUILT_IN])
    results = list(examples.run(bound))
    wrong = [result for result in results if not result.ok]
    for result in wrong:
        click.echo(
            f"{result.policy}: {result.example}: expected {result.expected}, found {result.found} ({result.reason})"
        )
    if not quiet:
        click.echo(f"{len(bound)} policies, {len(results)} examples, {len(wrong)} wrong")
    return 1 if wrong else 0
