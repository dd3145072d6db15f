"""``laurel serve``: the HTTP application, by uvicorn."""

import asyncio
import errno
import os
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

import click
import uvicorn
from uvicorn.supervisors import Multiprocess

from core.errors import LaurelError
from core.telling.carrying import can_carry
from graph.app import create_app
from graph.collecting import collect_rarely
from graph.commands.clock import said_of
from graph.commands.listening import SHARES, port_of_workers
from graph.commands.sample import ACTOR, FACES, is_sample, open_shop
from graph.laurel import open_laurel, tables
from graph.observing.logs import configure
from graph.observing.metrics import MULTIPLE
from graph.settings import Settings
from graph.starting.access import addresses, kept_secret, ways_in
from graph.starting.opening import make_tables
from graph.transport.connections import connection_options
from plugins.manager import load_plugins


class CannotServe(LaurelError):
    """The address cannot be listened on, or nothing was said to sign tokens with."""


@click.command("serve")
@click.option("--host", help="The address to listen on; otherwise LAUREL_HOST, or this machine only.")
@click.option("--port", type=click.IntRange(1, 65_535), help="The port to listen on; otherwise LAUREL_PORT, or 8000.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="How many processes.")
@click.option("--sample", is_flag=True, help="A shop to try: tables, a programme, members and real purchases.")
@click.option("--sandbox", is_flag=True, help="With --sample: let a new database be a sandbox, whose clock is moved.")
@click.pass_obj
def command(settings: Settings, host: str | None, port: int | None, workers: int, sample: bool, sandbox: bool) -> None:
    """Serve GraphQL until it is interrupted; what was accepted is finished first.

    With --sample the database is made, migrated and filled if it is new, and a token for each role is printed.
    """
    settings = replace(settings, host=host or settings.host, port=port or settings.port)
    check_address(settings)
    if sandbox and not sample:
        raise click.UsageError(
            "--sandbox goes with --sample; elsewhere: laurel migrate --sandbox, laurel init --sandbox"
        )
    if sample:
        settings = replace(settings, live=False, secret=settings.secret or kept_secret(settings))
        settings = asyncio.run(_sample(settings, sandbox=sandbox))
    elif not (settings.secret or settings.jwks):
        raise CannotServe("LAUREL_SECRET is not set: it signs the tokens (32 bytes or more, and to be kept secret)")
    else:
        settings = asyncio.run(_check_database(settings))
        for line in addresses(settings):
            click.echo(line)
    run(settings, workers)


def run(settings: Settings, workers: int) -> None:
    """Serve until it is interrupted."""
    # The workers are processes of their own, and read their settings as this one did.
    os.environ["LAUREL_DATABASE_URL"] = settings.database_url
    os.environ["LAUREL_SECRET"] = settings.secret
    os.environ["LAUREL_LIVE"] = "yes" if settings.live else "no"
    os.environ["LAUREL_HOST"] = settings.host
    os.environ["LAUREL_SAMPLE_MEMBERS"] = " ".join(settings.sample_members)
    if workers > 1 and can_carry(settings.database_url, settings.redis_url):
        # A client follows what any of them commits.
        os.environ.setdefault("LAUREL_CARRY_CHANGES", "yes")
    with TemporaryDirectory(prefix="laurel-metrics-") as together:
        if settings.metrics_token and workers > 1:
            # Each of them knows its own numbers only; here they put them together.
            os.environ.setdefault(MULTIPLE, together)
        options: dict[str, Any] = {
            "app": f"{__name__}:application",
            "factory": True,
            "host": settings.host,
            "port": settings.port,
            "workers": workers,
            "log_config": None,
            "log_level": "warning",
            "access_log": False,
            **connection_options(settings),
            # A client that does not read would keep the process for ever.
            "timeout_graceful_shutdown": 10,
            # On a busy machine a worker imports for longer than the five seconds after which it is taken for hung.
            "timeout_worker_healthcheck": 60,
        }
        if workers > 1 and SHARES:
            with ExitStack() as held:
                try:
                    port = held.enter_context(port_of_workers(settings.host, settings.port))
                except OSError as error:
                    raise _cannot_listen(settings, error) from error
                Multiprocess(uvicorn.Config(**options), [port]).run()
        else:
            uvicorn.run(**options)


def application() -> object:
    """The application of one worker."""
    settings = Settings.from_environment(os.environ)
    configure(settings.log_format, settings.log_level)
    app = create_app(settings)
    collect_rarely()
    for number in (signal.SIGINT, signal.SIGTERM):
        _before(number, app.state.end_streams)
    return app


def _before(number: int, end: Callable[[], None]) -> None:
    """Have streams ended when the signal comes, as what uvicorn does then is to wait for them."""
    then, loop = signal.getsignal(number), asyncio.get_running_loop()

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(end)
        if callable(then):
            then(number, frame)

    signal.signal(number, handle)


def check_address(settings: Settings) -> None:
    """Raise CannotServe now, in one line, for what uvicorn would find out later."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[
            0
        ]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise _cannot_listen(settings, error) from error


def _cannot_listen(settings: Settings, error: OSError) -> CannotServe:
    taken = error.errno == errno.EADDRINUSE
    reason = "is taken: choose another with --port" if taken else f"cannot be listened on: {error.strerror or error}"
    return CannotServe(f"port {settings.port} of {settings.host} {reason}")


async def _check_database(settings: Settings) -> Settings:
    """The settings that hold there. Raises what keeps a worker from starting: no database, or one not migrated."""
    async with open_laurel(settings) as laurel:
        if laurel.clock.is_sandbox:
            click.echo(said_of(laurel))
        return laurel.settings


async def _sample(settings: Settings, *, sandbox: bool) -> Settings:
    """Fill the database if it is new, and print how to get in; the settings, with whom anybody may be."""
    plugins = load_plugins(settings.disabled_plugins)
    await make_tables(settings, tables(plugins), sandbox=sandbox)
    async with open_laurel(settings, plugins=plugins) as laurel:
        if laurel.clock.is_sandbox:
            click.echo(said_of(laurel))
        if not laurel.programmes.versions:
            click.echo("opening the shop: members and a year of purchases …")
        shop = await open_shop(laurel)
        if is_sample(laurel):
            settings = replace(settings, samples=FACES)
    for line in ways_in(settings, subject=ACTOR, member=shop):
        click.echo(line)
    return settings
