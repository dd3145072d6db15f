"""Laurel put together: a database, the plugins, the programme and the committer, opened and closed as one.

The HTTP application, every command and every test open it here.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace

from core.books.members import new_id
from core.engine.batch import Rules
from core.engine.committer import BATCH_MAX, Committer
from core.key_figures.kept import Kept
from core.people import following
from core.rulebook.outside import Outside
from core.rulebook.programme import Programme, load_programme
from core.rulebook.programmes import Programmes
from core.sandbox.advancing import Sandbox
from core.sandbox.clock import ProgrammeClock, SandboxNotLive
from core.scheduling.chores import CHORES
from core.scheduling.jobs import Job, Jobs
from core.scheduling.overdue import job_of
from core.store import Store
from core.store.databases import Tables, connect
from core.store.migrating import require_migrated
from core.telling.carriers import Carrier
from core.telling.carrying import Carrier as ChangesCarrier
from core.telling.carrying import line_of
from core.telling.changes import Changes
from core.telling.outbox import Deliverer
from core.telling.routes import Routes
from core.time.clock import Clock, SystemClock
from graph.authentication import Authenticator
from graph.broker import events as broker
from graph.collecting import settle
from graph.loaders import Gathered
from graph.settings import Settings
from graph.simulating.running import Simulations
from plugins.manager import Plugins, load_plugins

CORE = "core"
"""What the core itself hears of is told to it under this name, which no plugin has."""
CORE_TABLES = Tables(("core.models",), "core.migrations")


@dataclass(frozen=True, kw_only=True)
class Laurel:
    """Everything a request or a command needs.

    ``clock`` is the programme's, which is ahead of the ``machine``'s in a sandbox. Whatever is between processes or
    systems goes by the machine's: tokens, keys, signatures, leases.
    ``tiers_seen`` are the tiers in which members were seen last: by them it is foreseen what is going to be asked of a
    member, and nothing is answered.
    """

    settings: Settings
    plugins: Plugins
    store: Store
    gathered: Gathered
    kept_figures: Kept
    programmes: Programmes
    committer: Committer
    deliverer: Deliverer
    authenticator: Authenticator
    jobs: Jobs
    clock: ProgrammeClock
    machine: Clock
    sandbox: Sandbox
    changes: Changes
    simulations: Simulations
    carriers: Mapping[str, Carrier]
    tiers_seen: dict[str, str] = field(default_factory=dict)

    async def load(self, document: str) -> Programme:
        """The programme of a document, with the channels that are installed. Raises ProgrammeInvalid."""
        return await self.programmes.read(document)


def tables(plugins: Plugins) -> Mapping[str, Tables]:
    """The tables of the core and of each plugin that has some, by label."""
    return {"core": CORE_TABLES, **plugins.tables}


def load_document(plugins: Plugins, document: str) -> Programme:
    """The programme of a document, with what these plugins offer it. Raises ProgrammeInvalid."""
    outside = Outside(plugins.event_types, plugins.carriers)
    return load_programme(document, plugins.settings, plugins.facts, plugins.countables, outside)


def jobs_of(plugins: Plugins) -> Sequence[Job]:
    """The jobs that there are to run with these plugins."""
    return (*CHORES, *([job_of(plugins.judges)] if plugins.judges else ()), *plugins.jobs)


def as_sandbox(settings: Settings) -> Settings:
    """The settings of an installation whose database is a sandbox. Raises SandboxNotLive when they say it is live."""
    if settings.live and "LAUREL_LIVE" in settings.variables:
        raise SandboxNotLive("LAUREL_LIVE is yes, and the database is a sandbox: nothing that is live has such a clock")
    return replace(settings, live=False)


@asynccontextmanager
async def open_laurel(
    settings: Settings,
    *,
    plugins: Plugins | None = None,
    clock: Clock | None = None,
    batch_max: int = BATCH_MAX,
    at_once: int = 1,
) -> AsyncIterator[Laurel]:
    """Open the database and start the committer; what it has accepted is performed before this ends.

    ``clock`` is the machine's; ``batch_max`` and ``at_once`` are the committer's. Raises DatabaseUnreachable,
    MigrationsPending when the database is older than the code, SandboxNotLive, and CannotCarry when changes are to be
    carried between processes and nothing can do so.
    """
    plugins = plugins or load_plugins(settings.disabled_plugins)
    machine = clock or SystemClock()
    clock = ProgrammeClock(machine)
    apps = tables(plugins)
    # Requests are tasks of the server, not below this one.
    async with connect(settings.database_url, apps, every_task=True) as context:
        await require_migrated(context, settings.database_url, apps)
        store = Store()
        programmes = Programmes(lambda document: load_document(plugins, document), clock)
        await clock.look(store.reader())
        await programmes.refresh(store.reader())
        # Whoever could not judge what comes does not start; a version of the past stands in nobody's way.
        programmes.latest(clock.now())
        if clock.is_sandbox:
            settings = as_sandbox(settings)
        routes = Routes({CORE: following.OUTGOING, **plugins.outgoing})
        places = dict(plugins.destinations)
        if settings.of_plugin(broker.NAME).get("url"):
            places[broker.NAME] = broker.BrokerEvents
        carriers = {
            name: kind(settings.of_plugin(plugins.carried_by[name]), machine) for name, kind in plugins.carriers.items()
        }
        destinations = {
            name: kind(
                settings.of_plugin(name),
                clock,
                plugins.event_types,
                programmes=programmes,
                carriers=carriers,
                machine=machine,
            )
            for name, kind in places.items()
        }
        rules = Rules(
            programmes=programmes,
            clock=clock,
            new_id=new_id,
            reactions=plugins.reactions,
            personal=plugins.personal_data,
            judges=plugins.judges,
            routes=routes,
        )
        changes = Changes()
        line = line_of(settings.database_url, settings.redis_url) if settings.carries else None
        # The deliverer ends first: what it submits must still be taken.
        async with (
            ChangesCarrier(changes, line) if line else nullcontext(),
            _all_of(carriers.values()),
            Committer(store, rules, batch_max=batch_max, changes=changes, at_once=at_once) as committer,
            Deliverer(
                {CORE: following.deliver, **plugins.consumers},
                committer.submit,
                clock,
                destinations=destinations,
                routes=routes,
                machine=machine,
            ) as deliverer,
            Authenticator(settings, store, machine) as authenticator,
            Simulations(settings, programmes, clock, changes, machine=machine) as simulations,
            Kept() as kept_figures,
        ):
            settle()
            jobs = Jobs(jobs_of(plugins), store, committer, programmes, clock, machine=machine)
            yield Laurel(
                settings=settings,
                plugins=plugins,
                store=store,
                gathered=Gathered(store),
                kept_figures=kept_figures,
                programmes=programmes,
                committer=committer,
                deliverer=deliverer,
                authenticator=authenticator,
                jobs=jobs,
                clock=clock,
                machine=machine,
                sandbox=Sandbox(clock, programmes, jobs, deliverer, store),
                changes=changes,
                simulations=simulations,
                carriers=carriers,
            )


@asynccontextmanager
async def _all_of(contexts: Iterable[AbstractAsyncContextManager[object]]) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for context in contexts:
            await stack.enter_async_context(context)
        yield
