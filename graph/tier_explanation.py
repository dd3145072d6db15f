"""Why a member came to a tier: its cause, and each criterion with the figure of that moment, in words as well.

The figures are those that were kept with the change (``core.ladder.grounds``), so a later refund does not alter the
answer.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Annotated, cast
from zoneinfo import ZoneInfo

import strawberry

from core.books.members import TierCause
from core.books.members import TierChange as TierChangeValue
from core.engine.operations import Recorded
from core.ladder import grounds
from core.ladder.grounds import Grounds
from core.rulebook.programme import Programme
from core.time.calendar import local_day
from graph.context import Info
from graph.phrases import Locale, fact_name, moment, say, whole
from graph.tier import ProgressMode, Tier, TierChange, Window

LOCALE = "The language of the sentences."


@strawberry.type
class JudgedCriterion:
    """A criterion of a tier, and the figure that was held against it."""

    fact: str = strawberry.field(description="What is counted: points_earned, spend, orders …")
    description: str = strawberry.field(description="What is counted, in words.")
    window: Window | None = strawberry.field(description="How far back it is counted; null for the whole membership.")
    since: date | None = strawberry.field(
        description="The first day that counted, in the programme's time zone; null for the whole membership."
    )
    until: date = strawberry.field(description="The last day that counted.")
    current: Decimal = strawberry.field(description="What the member had at that moment.")
    required: Decimal = strawberry.field(description="What would have been enough.")
    is_met: bool = strawberry.field(description="Whether it was.")
    text: str = strawberry.field(description="That in a sentence.")


@strawberry.type
class JudgedTier:
    """A tier that was asked about, and whether what it asks for was met."""

    tier: Tier = strawberry.field(description="The tier.")
    for_keeping: bool = strawberry.field(description="Whether it was about keeping it; about reaching it otherwise.")
    mode: ProgressMode = strawberry.field(description="How the criteria belong together.")
    is_met: bool = strawberry.field(description="Whether they were met, all or any.")
    criteria: list[JudgedCriterion] = strawberry.field(description="The criteria, one by one.")
    text: str = strawberry.field(description="That in a sentence.")


@strawberry.type
class TierExplanation:
    """Why a member came to a tier."""

    programme_version: int | None = strawberry.field(
        description="The number of the programme's version whose tiers held; null for what happened before it was kept."
    )
    judged: list[JudgedTier] = strawberry.field(
        description="The tiers that were asked about, with the figures of that moment: of a rise the one that was "
        "reached and the next above it, of a fall the one that was lost and those below it down to what was met. "
        "Empty where criteria did not decide."
    )
    text: list[str] = strawberry.field(description="All of it in sentences, in their order.")


@strawberry.type
class TierExplanationFields:
    """What is added to ``TierChange``."""

    @strawberry.field
    async def explanation(
        self,
        info: Info,
        locale: Annotated[Locale, strawberry.argument(description=LOCALE)] = Locale.EN,
    ) -> TierExplanation:
        """Why: the cause, and each criterion with its figure at that moment, whatever has been refunded since."""
        # A field of TierChange, so it is resolved with one as self.
        change = cast(TierChange, self)
        value, programmes = change._value, await info.context.programmes()
        if value.version is None:
            version = programmes.latest(value.at) or await info.context.version()
        else:
            version = programmes.version(value.version)
        found: list[Recorded] = await info.context.loaders.rows(Recorded, change._member_id, id=value.operation_id)
        teller = _Teller(info, locale, version.programme)
        judged = [] if value.grounds is None else list(teller.judged(Grounds.from_json(value.grounds), value))
        return TierExplanation(
            programme_version=value.version,
            judged=judged,
            text=[teller.cause(value, version.number, found), *_sentences(judged), *teller.left_out(value)],
        )


def _sentences(judged: Iterable[JudgedTier]) -> Iterable[str]:
    for tier in judged:
        yield tier.text
        yield from (criterion.text for criterion in tier.criteria)


class _Teller:
    """Tells in one language, by the programme that held then."""

    def __init__(self, info: Info, locale: Locale, programme: Programme) -> None:
        self._facts = info.context.laurel.plugins.facts
        self._locale = locale
        self._programme = programme
        self._zone: ZoneInfo = programme.zone

    def cause(self, change: TierChangeValue, version: int, found: list[Recorded]) -> str:
        key = f"tier.{change.cause}"
        ladder, former = self._programme.tiers, change.former or ""
        if change.cause == TierCause.MERGER and ladder is not None and ladder.rank(change.tier) < ladder.rank(former):
            key += ".back"
        return say(
            self._locale,
            key,
            tier=self._name(change.tier),
            former=self._name(former),
            at=moment(self._locale, change.at, self._zone),
            version=str(version),
            channel=found[0].channel if found else "",
            kind=found[0].kind if found else "",
            reason=str(found[0].result.get("reason", "")) if found else "",
        )

    def left_out(self, change: TierChangeValue) -> Iterable[str]:
        """That figures are missing, where criteria decided before they were kept."""
        if change.version is None and change.cause in {TierCause.EARNED, TierCause.REVIEW, TierCause.TAKEN_BACK}:
            yield say(self._locale, "tier.not_kept")

    def judged(self, found: Grounds, change: TierChangeValue) -> Iterable[JudgedTier]:
        until = found.until or local_day(change.at, self._zone)
        for tier in found.tiers:
            yield JudgedTier(
                tier=Tier.of(self._programme, tier.tier),
                for_keeping=found.keeping,
                mode=ProgressMode(tier.mode),
                is_met=tier.met,
                criteria=[self._criterion(one, found.on, until) for one in tier.criteria],
                text=say(
                    self._locale,
                    "judged.keeping" if found.keeping else "judged",
                    tier=self._name(tier.tier),
                    mode=say(self._locale, f"mode.{tier.mode}"),
                    met=self._met(tier.met),
                ),
            )

    def _criterion(self, one: grounds.JudgedCriterion, on: date, until: date) -> JudgedCriterion:
        since, kind = one.window.start(on), self._facts.get(one.fact)
        return JudgedCriterion(
            fact=one.fact,
            description=one.fact if kind is None else kind.description,
            window=Window.of(one.window),
            since=since,
            until=until,
            current=one.current,
            required=one.required,
            is_met=one.met,
            text=say(
                self._locale,
                "criterion",
                fact=fact_name(self._locale, one.fact),
                window=say(
                    self._locale,
                    "window.life" if since is None else "window.since",
                    since="" if since is None else since.isoformat(),
                    until=until.isoformat(),
                ),
                current=whole(self._locale, one.current),
                required=whole(self._locale, one.required),
                met=self._met(one.met),
            ),
        )

    def _met(self, met: bool) -> str:
        return say(self._locale, "met" if met else "not_met")

    def _name(self, code: str) -> str:
        return Tier.of(self._programme, code).name
