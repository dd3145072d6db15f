"""The command ``laurel``, also ``python -m graph``: what an operator does on the machine itself.

A command is a module of ``graph.commands``, imported when it is asked for, so that none pays for another. Exit status
0 is done, 1 is "look at what was printed" (findings, problems, rows that did not go in), 2 is an error.
"""

import importlib
import logging
import os
from dataclasses import replace
from typing import Any, Final

import click

from core.errors import LaurelError
from core.store.databases import lost_connection
from graph.collecting import collect_rarely
from graph.settings import Settings

_COMMANDS: Final = {
    "init": "graph.commands.init",
    "serve": "graph.commands.serve",
    "migrate": "graph.commands.migrate",
    "programme": "graph.commands.programme",
    "import": "graph.commands.importing",
    "export": "graph.commands.exporting",
    "report": "graph.commands.report",
    "verify": "graph.commands.verify",
    "expire": "graph.commands.expire",
    "jobs": "graph.commands.jobs",
    "clock": "graph.commands.clock",
    "token": "graph.commands.token",
    "key": "graph.commands.key",
    "disclose": "graph.commands.disclose",
    "schema": "graph.commands.schema",
    "access": "graph.commands.access",
    "plugin": "graph.commands.plugin",
}


_DATABASES: Final = frozenset({"tortoise", "sqlite3", "asyncpg", "asyncmy"})
"""What the ORM lets through as it is, a failed COMMIT for one, comes in each driver's own classes."""


class _Laurel(click.Group):
    """Finds commands by their modules, and says what went wrong in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = _COMMANDS.get(cmd_name)
        if module is None:
            return None
        command = importlib.import_module(module).command
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except LaurelError as error:
            raise _Failure(str(error)) from error
        except Exception as error:
            if lost_connection(error):
                raise _Failure(f"the database went away: {error}") from error
            if type(error).__module__.partition(".")[0] in _DATABASES:
                raise _Failure(f"the database does not do it: {error}") from error
            raise


class _Failure(click.ClickException):
    exit_code = 2

    def show(self, file: Any = None) -> None:
        click.secho(f"laurel: {self.message}", err=True, fg="red")


@click.group(cls=_Laurel, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--database", metavar="URL", help="The database; otherwise LAUREL_DATABASE_URL says.")
@click.option("--verbose", is_flag=True, help="Log what happens inside.")
@click.version_option(package_name="laurel", message="%(version)s")
@click.pass_context
def laurel(ctx: click.Context, database: str | None, verbose: bool) -> None:
    """Laurel, a membership points system. Settings come from the environment: see docs/cli.md."""
    logging.basicConfig(level=logging.INFO if verbose else logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
    settings = Settings.from_environment(os.environ)
    ctx.obj = settings if database is None else replace(settings, database_url=database)


def main() -> None:
    """Run the command that was typed."""
    collect_rarely()
    laurel(prog_name="laurel")
