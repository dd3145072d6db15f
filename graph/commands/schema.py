"""``laurel schema``: print the GraphQL schema."""

import click

from graph.schema import print_sdl
from graph.settings import Settings
from plugins.manager import load_plugins


@click.command("schema")
@click.pass_obj
def command(settings: Settings) -> None:
    """Print the schema of the plugins that are installed, in GraphQL's own language."""
    click.echo(print_sdl(load_plugins(settings.disabled_plugins)), nl=False)
