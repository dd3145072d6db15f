"""``laurel schema``: print the GraphQL schema."""

import click

from graph.schema import print_sdl
from graph.settings import Settings, Subgraph
from plugins.manager import load_plugins


@click.command("schema")
@click.option("--subgraph", is_flag=True, help="As a subgraph of a federated schema, for composition.")
@click.pass_obj
def command(settings: Settings, subgraph: bool) -> None:
    """Print the schema of the plugins that are installed, in GraphQL's own language."""
    part = settings.subgraph or Subgraph() if subgraph else None
    click.echo(print_sdl(load_plugins(settings.disabled_plugins), part), nl=False)
