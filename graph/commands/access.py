"""``laurel access``: print who may do what."""

import click

from graph.access import access_table
from graph.schema import build_schema
from graph.settings import Settings
from plugins.manager import load_plugins


@click.command("access")
@click.pass_obj
def command(settings: Settings) -> None:
    """Print the table of every field and every role, with the plugins that are installed, as Markdown."""
    plugins = load_plugins(settings.disabled_plugins)
    click.echo(access_table(build_schema(plugins), plugins.offered_by), nl=False)
