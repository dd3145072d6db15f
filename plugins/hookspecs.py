"""Every hook there is: a signature, a docstring, no code.

Hooks are of three kinds. ``register_...`` is a plain function without arguments, asked once at start-up. ``react`` is a
coroutine that sees an event inside its member's ``Work``, in the same transaction. ``after_...`` is a coroutine that
is told an event after the commit, at least once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from core.channels.annual import Recaller
from core.channels.suggestions import Suggester
from core.engine.aside import Aside
from core.engine.operations import Operation
from core.engine.work import Work
from core.errors import Refusal
from core.ladder.judging import Judge
from core.ladder.tiers import FactKind
from core.oversight.verify import Invariant
from core.people.erasing import PersonalData
from core.rulebook.explaining import Explainer
from core.rulebook.programme import ChannelSettings
from core.scheduling.jobs import Job
from core.simulating.anew import Anew
from core.store.databases import Tables
from core.telling.carriers import Carrier
from core.telling.destinations import Destinations
from core.telling.event_types import EventType
from core.telling.events import Delivery, Event
from core.telling.outbox import Submit
from plugins import hookspec

Row = Mapping[str, Any]
"""One row of an imported file, by column: text from CSV, JSON values from JSON lines; empty cells are left out."""


class Importing(NamedTuple):
    """What is the same for all rows of an import.

    A time of a row without an offset is in ``zone``. With ``replaying`` the operation's own clock is the row's time,
    so that the past is lived through again; otherwise what is imported happens now.
    """

    zone: ZoneInfo
    actor: str
    replaying: bool = False


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message of another system that becomes what a row of the importer would.

    ``columns`` are what its type says. With a refusal whose code is among ``waits_for``, what it builds upon may still
    be on its way, and it is tried again later.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    waits_for: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Importer:
    """What ``laurel import NAME FILE`` reads, and what webhooks and a broker bring.

    ``columns`` describes every column there may be; a file without one of ``required`` is refused as a whole.
    ``operation`` makes what a row asks for, and raises a Refusal for a row that cannot be meant. Its idempotency key
    comes from the row, so that a second run imports nothing twice. ``messages`` are those that it takes, by type.
    ``of_nobody`` makes what a row without a ``member`` asks for, where ``--guests`` says that there are such.
    """

    name: str
    columns: Mapping[str, str]
    required: frozenset[str]
    operation: Callable[[Row, Importing], Operation]
    messages: Mapping[str, Message] = field(default_factory=dict)
    of_nobody: Callable[[Row, Importing], Aside] | None = None


@hookspec
def register_settings() -> type[ChannelSettings]:
    """Offer the class that validates the plugin's section of the programme, ``channels: <plugin>:``.

    Its ``facts`` are what the expressions in the section see.
    """
    raise NotImplementedError


@hookspec
def register_facts() -> Mapping[str, FactKind]:
    """Offer facts that tiers can ask for, by the name of the tally that counts them (``work.count``)."""
    raise NotImplementedError


@hookspec
def register_countables() -> Mapping[str, str]:
    """Offer tallies that a quest or a badge can count: each name (``work.count``) with what it counts.

    Facts that are whole numbers can be counted without that.
    """
    raise NotImplementedError


@hookspec
def register_models() -> Tables:
    """Offer tables of the plugin's own: modules of Tortoise models, and the package of their migrations.

    The app's label is the plugin's name. Each model's ``key`` begins with ``bucket, member_id``.
    """
    raise NotImplementedError


@hookspec
def register_personal_data() -> Sequence[PersonalData]:
    """Say which columns of the plugin's tables may hold personal data, and what is to stand there instead.

    They are cleared in the transaction in which a member is erased. What is kept of a member elsewhere, in rows of
    others or rows that members share, is cleared by ``react`` to ``MEMBER_ERASED``.
    """
    raise NotImplementedError


@hookspec
def register_refusals() -> Sequence[type[Refusal]]:
    """Offer the plugin's refusals; each becomes a type in the schema that implements ``UserError``."""
    raise NotImplementedError


@hookspec
def register_queries() -> Sequence[type]:
    """Offer Strawberry classes whose fields are added to ``Query``."""
    raise NotImplementedError


@hookspec
def register_mutations() -> Sequence[type]:
    """Offer Strawberry classes whose fields are added to ``Mutation``."""
    raise NotImplementedError


@hookspec
def register_subscriptions() -> Sequence[type]:
    """Offer Strawberry classes whose fields are added to ``Subscription``."""
    raise NotImplementedError


@hookspec
def register_member_fields() -> Sequence[type]:
    """Offer Strawberry classes whose fields are added to ``Member``."""
    raise NotImplementedError


@hookspec
def register_capabilities() -> Mapping[str, str]:
    """Offer single things that a partner may be let do, each name with what it allows.

    A mutation says which it needs: ``mutation(allow={Role.PARTNER}, capability="stock")``. A token or key names it
    with its plugin, ``rewards.stock``, and reaches nothing else of the channel.
    """
    raise NotImplementedError


@hookspec
def register_importers() -> Sequence[Importer]:
    """Offer what ``laurel import`` can read: rows of a file, each of which becomes an operation."""
    raise NotImplementedError


@hookspec
def register_jobs() -> Sequence[Job]:
    """Offer what has to be done when nobody asks: every so often, or daily at a time of the programme's zone.

    A job finds what is due and submits operations with keys made of it, so that any number of processes may run it,
    twice or late. ``run.since`` is when it last succeeded. The name is the plugin's, or begins with it.
    """
    raise NotImplementedError


@hookspec
def register_judge() -> type[Judge]:
    """Offer the operation that judges a member when its time has come, where what the plugin keeps turns with time.

    ``work.set_judgement`` says when that is. It is performed, effective at that instant, before the member's next
    operation or by a job, and for all members when a version changes the plugin's section of the programme.
    """
    raise NotImplementedError


@hookspec
def register_suggestions() -> Suggester:
    """Offer a coroutine function of ``info`` and ``member`` that says what of the plugin fits a member now, and why.

    Asked where the programme in force has the plugin's section. It asks through ``info.context.loaders`` alone, so that
    a page of members costs as many statements as one.
    """
    raise NotImplementedError


@hookspec
def register_highlights() -> Recaller:
    """Offer a coroutine function of ``info``, ``member`` and ``year`` that says what to tell of a member's year.

    Asked where the programme in force has the plugin's section; what the plugin counts is in the report anyway. It asks
    through ``info.context.loaders`` alone.
    """
    raise NotImplementedError


@hookspec
def register_explainers() -> Sequence[Explainer]:
    """Say what rules saw of an operation, where its result does not (``Awarded.seen``) but rows of the plugin's do.

    An award is explained by the version that judged it, rule by rule. Explainers are asked only when somebody wants to
    know: that of the operation's own channel first, then the others by the names of their plugins.
    """
    raise NotImplementedError


@hookspec
def register_anew() -> Sequence[Anew]:
    """Say which operations of the plugin can be judged anew, when a programme is simulated over what happened.

    The plugin makes them again of what it has kept. Whatever no plugin offers is carried over: it gives and takes what
    it gave and took in truth.
    """
    raise NotImplementedError


@hookspec
def register_invariants() -> Sequence[Invariant]:
    """Say what always holds of the plugin's tables, for ``laurel verify``: each a query that must return no row.

    The name is the plugin's, or begins with it. The query is one that all databases understand, with ``member_id``
    and what is wrong among its columns.
    """
    raise NotImplementedError


@hookspec
async def react(event: Event, work: Work) -> None:
    """See an event of any channel, while its member is locked and before anything is written.

    May do whatever ``work`` offers. A Refusal raised here refuses the whole operation. It is called for every event,
    so look at ``event.name`` first, or mark it with those that it ``hears`` (``core.telling.events``). A plugin with a
    section of the programme (``register_settings``) sees none where no version of the programme ever had its section.
    """


@hookspec
def register_outgoing() -> Sequence[str]:
    """Name the events that ``after_event`` is to be told; events that nobody names are not kept."""
    raise NotImplementedError


@hookspec
def register_event_types() -> Sequence[EventType]:
    """Say what events of the plugin look like that may be told outside: to webhooks, a broker, carriers of messages.

    The shape is a promise: it only ever gains fields, and has another version otherwise.
    """
    raise NotImplementedError


@hookspec
def register_destinations() -> type[Destinations]:
    """Offer places outside that events are carried to, at least once and in order for each member."""
    raise NotImplementedError


@hookspec
def register_carriers() -> Mapping[str, type[Carrier]]:
    """Offer what brings messages to members, by the name that the programme calls it: e-mail, SMS, an app's push.

    Which message goes to whom, and when, is the programme's and the member's to say.
    """
    raise NotImplementedError


@hookspec
async def after_event(event: Delivery, submit: Submit) -> None:
    """Hear of an event after its commit, at least once: ``event.id`` tells a repetition.

    What another member is to get is submitted as an operation, with an idempotency key made of the event's id. An
    event is told again until it is heard without an exception.
    """
