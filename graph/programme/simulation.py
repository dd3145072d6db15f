"""Simulations in the schema: what would have come of the past under other rules."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Final

import strawberry
from strawberry import ID

from core.drafts.drafting import find_draft, find_version
from core.models import SimulationRow
from graph.context import Info
from graph.errors import UserError
from graph.ids import Node, global_id, parts_of
from graph.member import Member
from graph.pages import Connection, Page, newest, page_of_all, paged
from graph.permissions import actor, caller_of, mutation, query, subscription
from graph.scalars import CurrencyCode, Points
from graph.simulating.picture import picture
from graph.texts import check_text
from graph.tokens import Role

_READERS: Final = frozenset({Role.OPERATOR, Role.ANALYST})
_READING: Final = _READERS | {Role.ADMIN}
_LOOK_AGAIN_SECONDS: Final = 2.0
"""Where nothing carries changes between processes, who follows looks again by themselves."""


@strawberry.enum
class SimulationState(Enum):
    """Where a simulation stands."""

    RUNNING = strawberry.enum_value("running", description="It is being done.")
    DONE = strawberry.enum_value("done", description="Its result is there.")
    FAILED = strawberry.enum_value("failed", description="It has ended without a result; `error` says why.")
    CANCELLED = strawberry.enum_value("cancelled", description="Somebody gave it up.")


@strawberry.type
class SimulationProgress:
    """How far a simulation is."""

    step: str = strawberry.field(description="What is done: gather, today, draft, compare, and end at last.")
    done: int = strawberry.field(description="How many operations of this step are done; 1 of 1 at the end.")
    total: int = strawberry.field(description="How many it has; 0 while that is not known.")


@strawberry.type
class SimulatedUnit:
    """A unit under one set of rules: what moved in the range, and what is outstanding at its end."""

    unit: str = strawberry.field(description="The unit: points, growth …")
    issued: Points = strawberry.field(description="What was given.")
    redeemed: Points = strawberry.field(description="What was spent.")
    given_back: Points = strawberry.field(description="What came back of what was spent.")
    clawed_back: Points = strawberry.field(description="What was taken back of what was given.")
    expired: Points = strawberry.field(description="What was lost.")
    adjusted: Points = strawberry.field(description="What operators gave, less what they took.")
    outstanding: Points = strawberry.field(description="What members have at the end, pending and held included.")
    debt: Points = strawberry.field(description="What members owe at the end.")
    liability: Decimal | None = strawberry.field(
        description="What is outstanding, less what is owed, in money; null where it is not money."
    )


@strawberry.type
class SimulatedTier:
    """How many stand on a tier at the end."""

    tier: str = strawberry.field(description="The tier's id.")
    members: int = strawberry.field(description="How many members.")


@strawberry.type
class SimulatedMonth:
    """What was issued in a month."""

    month: str = strawberry.field(description="The month: 2026-01.")
    unit: str = strawberry.field(description="The unit.")
    issued: Points = strawberry.field(description="What was given.")


@strawberry.type
class SimulatedRule:
    """How often a rule was hit, and what it gave before rounding and caps."""

    channel: str = strawberry.field(description="The channel whose rule it is.")
    unit: str = strawberry.field(description="The unit that it gives.")
    group: str = strawberry.field(description="The group it stands in.")
    rule: str = strawberry.field(description="The rule; several, where only together they say what they gave.")
    times: int = strawberry.field(description="For how many awards it was hit.")
    gave: Decimal = strawberry.field(description="What it gave; below zero for what it took off.")


@strawberry.type
class SimulatedSource:
    """What operations of a kind gave."""

    channel: str = strawberry.field(description="The channel.")
    kind: str = strawberry.field(description="The kind of operation.")
    unit: str = strawberry.field(description="The unit.")
    times: int = strawberry.field(description="How often.")
    issued: Points = strawberry.field(description="How much.")


@strawberry.type
class SimulatedRefusal:
    """What was refused in a replay, or could not be performed."""

    what: str = strawberry.field(description="The kind of operation, and the refusal's code.")
    count: int = strawberry.field(description="How often.")


@strawberry.type
class SimulatedShortfall:
    """What was spent in truth and could no longer be redeemed."""

    unit: str = strawberry.field(description="The unit.")
    points: Points = strawberry.field(description="How much was missing.")
    times: int = strawberry.field(description="How often.")


@strawberry.type
class SimulatedRun:
    """What came of the range under one set of rules."""

    members: int = strawberry.field(description="How many members there are at the end.")
    orders: int = strawberry.field(description="How many orders were counted, less those that came back.")
    revenue: Decimal = strawberry.field(description="What members paid in money, less refunds.")
    redemption_cost: Decimal | None = strawberry.field(description="What redemption cost; null where points are none.")
    redemption_share: Decimal | None = strawberry.field(description="That as a share of revenue, to a millionth.")
    units: list[SimulatedUnit] = strawberry.field(description="Unit by unit.")
    tiers: list[SimulatedTier] = strawberry.field(description="Who stands where at the end.")
    months: list[SimulatedMonth] = strawberry.field(description="What was issued, month by month.")
    rules: list[SimulatedRule] = strawberry.field(description="What each rule gave.")
    sources: list[SimulatedSource] = strawberry.field(description="What each kind of operation gave.")
    refused: list[SimulatedRefusal] = strawberry.field(description="What was refused or failed, though not in truth.")
    unredeemed: list[SimulatedShortfall] = strawberry.field(description="What could no longer be redeemed.")

    @classmethod
    def of(cls, run: Mapping[str, Any]) -> "SimulatedRun":
        return cls(
            members=run["members"],
            orders=run["orders"],
            revenue=Decimal(run["revenue"]),
            redemption_cost=_decimal(run["cost"]),
            redemption_share=_decimal(run["share"]),
            units=[
                SimulatedUnit(unit=unit, **{**found, "liability": _decimal(found["liability"])})
                for unit, found in run["units"].items()
            ],
            tiers=[SimulatedTier(tier=tier, members=members) for tier, members in run["tiers"].items()],
            months=[
                SimulatedMonth(month=month, unit=unit, issued=issued)
                for month, units in run["months"].items()
                for unit, issued in units.items()
            ],
            rules=[SimulatedRule(**{**rule, "gave": Decimal(rule["gave"])}) for rule in run["rules"]],
            sources=[SimulatedSource(**source) for source in run["sources"]],
            refused=[
                SimulatedRefusal(what=what, count=count) for what, count in {**run["refused"], **run["failed"]}.items()
            ],
            unredeemed=[SimulatedShortfall(unit=unit, **short) for unit, short in run["short"].items()],
        )


@strawberry.type
class SimulatedMigration:
    """How many stand on one tier under the rules that were in force, and on another under the draft."""

    today: str = strawberry.field(description="The tier under the rules that were in force.")
    draft: str = strawberry.field(description="The tier under the draft.")
    members: int = strawberry.field(description="How many members.")


@strawberry.type
class SimulatedMember:
    """A member whom the draft would hurt or help."""

    points_today: Points = strawberry.field(description="Their points at the end under the rules that were in force.")
    points_draft: Points = strawberry.field(description="Their points under the draft.")
    tier_today: str = strawberry.field(description="Their tier under the rules that were in force.")
    tier_draft: str = strawberry.field(description="Their tier under the draft.")
    _member: strawberry.Private[str]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "SimulatedMember":
        return cls(
            points_today=found["points"]["today"],
            points_draft=found["points"]["draft"],
            tier_today=found["tier"]["today"],
            tier_draft=found["tier"]["draft"],
            _member=found["member"],
        )

    @strawberry.field
    async def member(self, info: Info) -> Member | None:
        """Who it is; null when they are no longer there."""
        return await Member.find(info, self._member)


@strawberry.type
class SimulatedOperations:
    """How many operations of a kind there were."""

    channel: str = strawberry.field(description="The channel.")
    kind: str = strawberry.field(description="The kind.")
    count: int = strawberry.field(description="How many.")


@strawberry.type
class SimulatedFidelity:
    """How far the replay under the rules that were in force is from the books, for a unit."""

    unit: str = strawberry.field(description="The unit.")
    members: int = strawberry.field(description="How many members have another balance.")
    apart: Points = strawberry.field(description="By how much all together.")
    books: Points = strawberry.field(description="What members have at the end by the books.")
    replayed: Points = strawberry.field(description="What they have by the replay.")


@strawberry.type
class SimulationResult:
    """What came of it, under the rules that were in force and under the draft."""

    currency: CurrencyCode = strawberry.field(description="The currency of all money.")
    today: SimulatedRun = strawberry.field(description="Under the rules that were in force, replayed in the same way.")
    draft: SimulatedRun = strawberry.field(description="Under the draft.")
    migration: list[SimulatedMigration] = strawberry.field(description="From which tier to which.")
    worse: int = strawberry.field(
        description="How many have fewer points under the draft, or as many and a lower tier."
    )
    better: int = strawberry.field(description="How many have more points, or only a higher tier.")
    same: int = strawberry.field(description="How many have the same.")
    hurt: list[SimulatedMember] = strawberry.field(description="The ten whom it hurts most.")
    helped: list[SimulatedMember] = strawberry.field(description="The ten whom it helps most.")
    judged_anew: list[SimulatedOperations] = strawberry.field(description="What the rules have judged again.")
    carried_over: list[SimulatedOperations] = strawberry.field(description="What stands as it was.")
    left_out: list[SimulatedOperations] = strawberry.field(description="What moved nothing, or comes about by itself.")
    fidelity: list[SimulatedFidelity] = strawberry.field(description="How far the replay is from the books.")
    fidelity_tiers: int = strawberry.field(description="How many members stand on another tier than by the books.")

    @classmethod
    def of(cls, result: Mapping[str, Any]) -> "SimulationResult":
        members, operations = result["members"], result["operations"]
        return cls(
            currency=CurrencyCode(result["currency"]),
            today=SimulatedRun.of(result["today"]),
            draft=SimulatedRun.of(result["draft"]),
            migration=[SimulatedMigration(**each) for each in result["migration"]],
            worse=members["worse"],
            better=members["better"],
            same=members["same"],
            hurt=[SimulatedMember.of(each) for each in members["hurt"]],
            helped=[SimulatedMember.of(each) for each in members["helped"]],
            judged_anew=[SimulatedOperations(**each) for each in operations["anew"]],
            carried_over=[SimulatedOperations(**each) for each in operations["carried"]],
            left_out=[SimulatedOperations(**each) for each in operations["left"]],
            fidelity=[SimulatedFidelity(unit=unit, **found) for unit, found in result["fidelity"]["units"].items()],
            fidelity_tiers=result["fidelity"]["tiers"],
        )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


@strawberry.type
class Simulation(Node):
    """What would have come of the past, had a programme judged from an instant on. The books are only read."""

    state: SimulationState = strawberry.field(description="Where it stands.")
    since: datetime = strawberry.field(description="From when the programme would have judged.")
    until: datetime = strawberry.field(description="The end of what is looked at; it is not included.")
    document: str = strawberry.field(description="The programme that would have judged.")
    actor: str = strawberry.field(description="Who began it.")
    reason: str | None = strawberry.field(description="Why; null when nobody said.")
    started_at: datetime = strawberry.field(description="When it was begun.")
    finished_at: datetime | None = strawberry.field(description="When it ended; null while it has not.")
    error: str | None = strawberry.field(description="Why it has no result; null when nothing was wrong.")
    progress: SimulationProgress = strawberry.field(description="How far it is.")
    _result: strawberry.Private[Mapping[str, Any] | None]

    @classmethod
    def of(cls, row: Any) -> "Simulation":
        return cls(
            id=global_id("Simulation", row.id),
            state=SimulationState(row.state),
            since=row.since,
            until=row.until,
            document=row.document,
            actor=row.actor,
            reason=row.reason,
            started_at=row.started_at,
            finished_at=row.finished_at,
            error=row.error,
            progress=SimulationProgress(step=row.step, done=row.done, total=row.total),
            _result=row.result,
        )

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "Simulation | None":
        match parts:
            case (id,) if caller_of(info).role in _READING:
                await info.context.laurel.simulations.reap()
                row = await SimulationRow.get_or_none(id=id)
                return None if row is None else cls.of(row)
            case _:
                return None

    @strawberry.field
    def result(self) -> SimulationResult | None:
        """What came of it; null until it is done."""
        return None if self._result is None else SimulationResult.of(self._result)

    @strawberry.field
    def picture(self) -> str | None:
        """What was issued each month under both, and who moves between tiers: SVG. Null until it is done."""
        return None if self._result is None else picture(self._result)


@strawberry.input(one_of=True)
class SimulatedProgrammeInput:
    """The programme to simulate: a document, a published version, or a draft."""

    document: str | None = strawberry.field(default=None, description="A programme document: YAML.")
    version: int | None = strawberry.field(default=None, description="The number of a published version.")
    draft: ID | None = strawberry.field(default=None, description="The id of a draft.")

    async def read(self) -> str:
        """The document. Raises VersionNotFound, DraftNotFound, InvalidId."""
        if self.document is not None:
            return check_text("document", self.document, len(self.document) or 1)
        if self.version is not None:
            return (await find_version(self.version)).document
        assert self.draft is not None, "@oneOf is enforced by the executor"
        (named,) = parts_of(self.draft, "ProgrammeDraft", 1)
        return (await find_draft(named)).document


@strawberry.input
class SimulateProgrammeInput:
    """A simulation to begin."""

    programme: SimulatedProgrammeInput = strawberry.field(description="What would have judged.")
    since: datetime = strawberry.field(description="From when it would have judged.")
    until: datetime = strawberry.field(description="The end of what is looked at, not included. Not in the future.")
    reason: str | None = strawberry.field(default=None, description="Why, 3 to 1000 characters, for the record.")


@strawberry.input
class CancelSimulationInput:
    """A simulation to give up."""

    simulation: ID = strawberry.field(description="The simulation's id.")
    reason: str = strawberry.field(description="Why. It is kept in the audit log.")


@strawberry.type
class SimulateProgrammePayload:
    """What became of the request to simulate."""

    simulation: Simulation | None = strawberry.field(default=None, description="The simulation; null when refused.")
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty when it was begun."
    )


@strawberry.type
class CancelSimulationPayload:
    """What became of the request to give a simulation up."""

    simulation: Simulation | None = strawberry.field(default=None, description="The simulation; null when refused.")
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty when it was given up."
    )


@strawberry.type
class SimulationQueries:
    """What can be asked about simulations."""

    @query(allow=_READERS)
    async def simulation(
        self, info: Info, id: Annotated[ID, strawberry.argument(description="Its id.")]
    ) -> Simulation | None:
        """A simulation by its id; null when there is none."""
        (named,) = parts_of(id, "Simulation", 1)
        return await Simulation.resolve_node(info, named)

    @query(allow=_READERS)
    @paged
    async def simulations(self, info: Info, page: Page) -> Connection[Simulation]:
        """The simulations that there were, the newest first."""
        await info.context.laurel.simulations.reap()
        return await page_of_all(info, SimulationRow, lambda _, row: Simulation.of(row), page, newest("id"))


@strawberry.type
class SimulationMutations:
    """What can be done about simulations."""

    @mutation(allow=_READERS)
    async def simulate_programme(self, info: Info, input: SimulateProgrammeInput) -> SimulateProgrammePayload:
        """Begin to replay the past under another programme, in a scratch database: nothing is changed in the books.

        `simulationProgress` tells how far it is. One runs at a time: SIMULATION_RUNNING. PROGRAMME_INVALID,
        VERSION_NOT_FOUND, DRAFT_NOT_FOUND, INVALID_INSTANT, NOTHING_TO_SIMULATE.
        """
        row = await info.context.laurel.simulations.begin(
            info.context.reader,
            await input.programme.read(),
            input.since,
            input.until,
            actor=actor(info),
            reason=input.reason,
        )
        info.context.wrote()
        return SimulateProgrammePayload(simulation=Simulation.of(row))

    @mutation(allow=_READERS)
    async def cancel_simulation(self, info: Info, input: CancelSimulationInput) -> CancelSimulationPayload:
        """Give a simulation up, whoever began it. SIMULATION_NOT_FOUND, SIMULATION_ENDED."""
        (named,) = parts_of(input.simulation, "Simulation", 1)
        row = await info.context.laurel.simulations.cancel(named)
        info.context.wrote()
        return CancelSimulationPayload(simulation=Simulation.of(row))


@strawberry.type
class SimulationSubscriptions:
    """How simulations are followed."""

    @subscription(allow=_READERS)
    async def simulation_progress(
        self, info: Info, id: Annotated[ID, strawberry.argument(description="The simulation's id.")]
    ) -> AsyncGenerator[Simulation | None, None]:
        """A simulation, at once and again whenever it is further, until it ends. Null, once, when there is none."""
        (named,) = parts_of(id, "Simulation", 1)
        told: object = None
        with info.context.laurel.changes.watch(named) as watch:
            while True:
                info.context.wrote()
                found = await Simulation.resolve_node(info, named)
                stands = found and (found.state, found.progress)
                if stands != told or found is None:
                    told = stands
                    yield found
                if found is None or found.state is not SimulationState.RUNNING:
                    return
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_AGAIN_SECONDS):
                        await watch.changed()
