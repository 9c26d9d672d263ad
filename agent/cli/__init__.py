"""The command `clausule`: one module of this package per command.

Commands are found by name and imported when they are needed, and import what is heavy inside their functions, so that
`clausule --help` answers at once. Exit codes: 0 done and the clauses hold, 1 something fails, 2 evidence is missing,
3 the audit could not be done, 64 bad use or configuration.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys

import click

from agent import __version__
from agent.errors import ClausuleError

USAGE, FAILED = 64, 3


class Commands(click.Group):
    """A group whose commands are the modules beside this one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, sorted."""
        del ctx
        return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; None for a name that is none."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").command
        return command


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="clausule")
def clausule() -> None:
    """Show whether the infrastructure keeps the promises of a processor agreement (GDPR art. 28).

    \b
    Exit codes of an audit: 0 every assessed clause holds, 1 something fails,
    2 evidence is missing, 3 the audit could not be done, 64 bad use or configuration.
    """


def main() -> None:
    """Run the command line; never exits with a code that means something else."""
    sys.exit(_main())


def _main() -> int:  # noqa: PLR0911 - one return for each way it can end
    try:
        code = clausule.main(standalone_mode=False, prog_name="clausule")
    except click.UsageError as error:
        hint = f" (see: {error.ctx.command_path} --help)" if error.ctx else ""
        return _say(f"{error.format_message()}{hint}", USAGE)
    except click.ClickException as error:
        return _say(error.format_message(), USAGE)
    except ClausuleError as error:
        return _say(str(error), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return _say("interrupted; clausule runs says what can be finished with: clausule audit --resume RUN", 130)
    except SystemExit as ended:  # click's way with a closed pipe, whose code would read as a verdict
        return int(ended.code or 0) if "_CLAUSULE_COMPLETE" in os.environ else FAILED
    except Exception:  # noqa: BLE001 - a defect: shown whole, and never with an exit code that reads as a verdict
        import traceback

        traceback.print_exc()
        return _say("this is a defect in Clausule; please report it with the lines above", FAILED)
    return int(code or 0)


def _say(text: str, code: int) -> int:
    line = " ".join(text.split())
    click.echo(f"clausule: {line}", err=True)
    return code
