"""Why it came to so many points, or to none: in typed steps, and in sentences that a member understands.

A transaction is explained by the version that judged it. ``whyNot`` finds what became of a request by its key, what was
refused among it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, cast
from zoneinfo import ZoneInfo

import strawberry

from core.books.accounts import Contra
from core.books.accounts import Entry as EntryValue
from core.books.lots import Lot as LotValue
from core.books.lots import LotMove as LotMoveValue
from core.engine.operations import Recorded
from core.errors import Refusal
from core.rulebook.explaining import Explained, Judged, Seen, Verdict, explain, kept
from core.rulebook.explaining import Step as StepValue
from core.rulebook.programmes import Version
from graph.context import Info
from graph.errors import UserError, user_error
from graph.member import MemberByInput, find_member
from graph.permissions import STAFF, query
from graph.phrases import Locale, day, moment, say, unit_name, whole
from graph.scalars import Points
from graph.tokens import Role
from graph.transaction import Transaction

LOCALE = "The language of the sentences."


@strawberry.enum
class RuleVerdict(Enum):
    """What became of a rule."""

    APPLIED = strawberry.enum_value(Verdict.APPLIED.value, description="It counted.")
    CONDITION_NOT_MET = strawberry.enum_value(
        Verdict.CONDITION_NOT_MET.value, description="Its condition does not hold for what was done."
    )
    NOT_YET_VALID = strawberry.enum_value(Verdict.NOT_YET_VALID.value, description="It holds only later.")
    NO_LONGER_VALID = strawberry.enum_value(Verdict.NO_LONGER_VALID.value, description="It held only before.")
    ANOTHER_CAME_FIRST = strawberry.enum_value(
        Verdict.ANOTHER_CAME_FIRST.value, description="Only the first of its group counts, and that was another."
    )
    ANOTHER_WAS_BETTER = strawberry.enum_value(
        Verdict.ANOTHER_WAS_BETTER.value, description="Only the best of its group counts, and that was another."
    )


@strawberry.type
class SeenFact:
    """A fact that a rule looked at."""

    name: str = strawberry.field(description="The fact, as expressions write it: order.amount.")
    value: str = strawberry.field(description="What it was.")


@strawberry.type
class JudgedRule:
    """A rule, and why it counted or did not."""

    rule: str = strawberry.field(description="The rule's id in the programme document.")
    verdict: RuleVerdict = strawberry.field(description="What became of it.")
    value: str | None = strawberry.field(
        description="The points it brings or the factor it multiplies with; null where its condition does not hold."
    )
    when: str | None = strawberry.field(description="Its condition; null when it has none.")
    amount: str = strawberry.field(description="What it brings, as the document writes it.")
    facts: list[SeenFact] = strawberry.field(description="What it looked at.")
    line: int | None = strawberry.field(description="The line it was asked about, from 1; null for the whole.")
    text: str = strawberry.field(description="That in a sentence.")


@strawberry.type
class ExplainedStep:
    """A group of rules, and the total before and after it."""

    group: str = strawberry.field(description="The group's id in the programme document.")
    adds: bool = strawberry.field(description="Whether it adds; it multiplies otherwise.")
    combines: str = strawberry.field(description="How its rules are combined: sum, best, first or product.")
    rules: list[JudgedRule] = strawberry.field(description="All its rules, those that did not count among them.")
    before: str = strawberry.field(description="The total before it, exact.")
    after: str = strawberry.field(description="The total after it, exact.")
    text: str = strawberry.field(description="That in a sentence.")


@strawberry.type
class CapCut:
    """What a limit took."""

    cap: str = strawberry.field(description="The limit: order, day, month, lifetime or programme.")
    points: Points = strawberry.field(description="How much it took.")
    text: str = strawberry.field(description="That in a sentence.")


@strawberry.type
class ExplainedAward:
    """How an award of one unit came about."""

    channel: str = strawberry.field(description="The channel whose rules gave it.")
    of: str | None = strawberry.field(description="What of the channel has the rules: the campaign's id, say.")
    unit: str = strawberry.field(description="The unit: points, growth …")
    is_open: bool = strawberry.field(description="Whether it was open then; a campaign that is not gives nothing.")
    steps: list[ExplainedStep] = strawberry.field(description="The groups, from the top.")
    exact: str = strawberry.field(description="The total before it was rounded.")
    rounding: str = strawberry.field(description="How it was rounded: floor, ceil, half_up or half_even.")
    rounded: Points = strawberry.field(description="The total after that.")
    cuts: list[CapCut] = strawberry.field(description="What limits took of it.")
    points: Points = strawberry.field(description="What was given.")
    text: str = strawberry.field(description="That in a sentence.")


@strawberry.type
class Explanation:
    """Why something came to what it did."""

    transaction: Transaction | None = strawberry.field(description="The transaction; null when it was refused.")
    refusal: UserError | None = strawberry.field(description="Why it was refused; null when it was not.")
    programme_version: int = strawberry.field(description="The number of the programme's version that judged.")
    at: datetime = strawberry.field(description="When it took effect, or was refused.")
    awards: list[ExplainedAward] = strawberry.field(
        description="What rules gave for it, step by step; empty where no rules were asked."
    )
    text: list[str] = strawberry.field(description="All of it in sentences, in their order.")


@strawberry.type
class ExplanationFields:
    """What is added to ``Transaction``."""

    @strawberry.field
    async def explanation(
        self,
        info: Info,
        locale: Annotated[Locale, strawberry.argument(description=LOCALE)] = Locale.EN,
    ) -> Explanation | None:
        """Why it came to what it did: every rule's yes or no, rounding, limits, and the lots that it touched."""
        # A field of Transaction, so it is resolved with a transaction as self.
        transaction = cast(Transaction, self)
        recorded = await _recorded(info, transaction._member_id, id=transaction._recorded.id)
        return await _explained(info, transaction._member_id, recorded, locale) if recorded else None


@strawberry.type
class ExplanationQueries:
    """What can be asked about what gave nothing."""

    @query(allow=STAFF | {Role.MEMBER})
    async def why_not(
        self,
        info: Info,
        member: Annotated[MemberByInput, strawberry.argument(description="Whose request it was.")],
        channel: Annotated[str, strawberry.argument(description="The channel it was for: purchase, sign_in …")],
        idempotency_key: Annotated[str, strawberry.argument(description="The request's key: order:A-1, say.")],
        locale: Annotated[Locale, strawberry.argument(description=LOCALE)] = Locale.EN,
    ) -> Explanation | None:
        """Why a request gave what it gave, or nothing: refused with a reason, or weighed by rules that did not count.

        Null when no request with that key has arrived for the member, or the caller may not see the member.
        """
        found = await find_member(info, member)
        if found is None:
            return None
        recorded = await _recorded(info, found.member_id, channel=channel, idempotency_key=idempotency_key)
        return await _explained(info, found.member_id, recorded, locale) if recorded else None


async def _recorded(info: Info, member_id: str, **by: str) -> Recorded | None:
    rows: list[Recorded] = await info.context.loaders.rows(Recorded, member_id, **by)
    return rows[0] if rows else None


async def _explained(info: Info, member_id: str, recorded: Recorded, locale: Locale) -> Explanation:
    programmes = await info.context.programmes()
    version = programmes.version(recorded.programme_version)
    teller = _Teller(locale, version.programme.zone)
    if not recorded.accepted:
        refusal = Refusal.from_json(recorded.result)
        return Explanation(
            transaction=None,
            refusal=user_error(info, refusal),
            programme_version=version.number,
            at=recorded.recorded_at,
            awards=[],
            text=[teller.refused(recorded, refusal)],
        )
    explained = [
        award for seen in await _seen(info, member_id, recorded, version) for award in explain(version.programme, seen)
    ]
    awards = [teller.award(award) for award in explained]
    text = [teller.done(recorded)]
    for award in awards:
        text += _sentences(award)
    text += await _said(info, member_id, recorded, version, locale)
    text += await _books(info, member_id, recorded, teller)
    return Explanation(
        transaction=Transaction.of(member_id, recorded),
        refusal=None,
        programme_version=version.number,
        at=recorded.effective_at,
        awards=awards,
        text=text if len(text) > 1 else [*text, say(locale, "nothing")],
    )


async def _seen(info: Info, member_id: str, recorded: Recorded, version: Version) -> list[Seen]:
    """What rules saw: the operation's own channel's first, then those of others that reacted."""
    own = kept(version.programme, recorded.channel, recorded.result)
    seen = [] if own is None else [own]
    explainers = info.context.laurel.plugins.explainers.get((recorded.channel, recorded.kind), ())
    for explainer in explainers:
        rows = await info.context.loaders.rows(explainer.model, member_id, transaction_id=recorded.id)
        seen += explainer.seen(version.programme, rows, tuple(seen))
    return seen


async def _said(info: Info, member_id: str, recorded: Recorded, version: Version, locale: Locale) -> list[str]:
    """What channels say of it themselves."""
    text: list[str] = []
    for explainer in info.context.laurel.plugins.explainers.get((recorded.channel, recorded.kind), ()):
        rows = await info.context.loaders.rows(explainer.model, member_id, transaction_id=recorded.id)
        text += explainer.says(version.programme, rows, locale.language)
    return text


def _sentences(award: ExplainedAward) -> Iterable[str]:
    yield award.text
    if not award.is_open:
        return
    for step in award.steps:
        yield step.text
        yield from (rule.text for rule in step.rules)
    if award.steps:
        yield from (cut.text for cut in award.cuts)


async def _books(info: Info, member_id: str, recorded: Recorded, teller: "_Teller") -> list[str]:
    """What was written, and the lots that it came from or went to."""
    loaders, text = info.context.loaders, []
    entries: list[EntryValue] = await loaders.rows(EntryValue, member_id, operation_id=recorded.id)
    for entry in sorted(entries, key=lambda entry: (entry.unit, entry.seq)):
        text.append(teller.entry(entry))
        moves: list[LotMoveValue] = await loaders.rows(LotMoveValue, member_id, unit=entry.unit, seq=entry.seq)
        for move in sorted(moves, key=lambda move: move.lot_seq):
            lots: list[LotValue] = await loaders.rows(LotValue, member_id, unit=entry.unit, seq=move.lot_seq)
            text.append(teller.move(move, lots))
    return text


class _Teller:
    """Tells in one language, with days as they are in one zone."""

    def __init__(self, locale: Locale, zone: ZoneInfo) -> None:
        self._locale = locale
        self._zone = zone

    def done(self, recorded: Recorded) -> str:
        return self._say(
            "done",
            channel=recorded.channel,
            kind=recorded.kind,
            at=moment(self._locale, recorded.effective_at, self._zone),
            version=str(recorded.programme_version),
        )

    def refused(self, recorded: Recorded, refusal: Refusal) -> str:
        return self._say(
            "refused",
            channel=recorded.channel,
            kind=recorded.kind,
            at=moment(self._locale, recorded.recorded_at, self._zone),
            reason=refusal.said_in(self._locale.language),
        )

    def award(self, explained: Explained) -> ExplainedAward:
        award, unit = explained.award, unit_name(self._locale, explained.unit)
        of = f"{explained.channel}.{explained.of}" if explained.of else explained.channel
        if not explained.open:
            text = self._say("closed", of=of)
        elif explained.given < award.points:
            text = self._say("less", points=self._number(award.points), given=self._number(explained.given), unit=unit)
        else:
            text = self._say("award", of=of, given=self._number(explained.given), unit=unit)
        if explained.open and explained.exact != award.uncapped:
            rounded = self._say(
                "rounding",
                exact=self._number(explained.exact),
                how=self._say(f"how.{explained.rounding}"),
                whole=self._number(award.uncapped),
            )
            text = f"{text} {rounded}"
        return ExplainedAward(
            channel=explained.channel,
            of=explained.of or None,
            unit=explained.unit,
            is_open=explained.open,
            steps=[self._step(step) for step in explained.steps],
            exact=format(explained.exact, "f"),
            rounding=explained.rounding,
            rounded=Points(award.uncapped),
            cuts=[self._cut(cap, cut) for cap, cut in award.cut],
            points=Points(explained.given),
            text=text,
        )

    def entry(self, entry: EntryValue) -> str:
        unit = unit_name(self._locale, entry.unit)
        if not entry.amount:
            key = "entry.held" if entry.held > 0 else "entry.held.back"
            return self._say(key, amount=self._number(abs(entry.held)), unit=unit)
        key, amount = f"entry.{entry.contra}", entry.amount
        if entry.contra == Contra.ADJUSTMENT:
            return self._say(key, amount=f"{amount:+d}", unit=unit)
        gives = entry.contra in {Contra.ISSUANCE, Contra.OPENING}
        if (amount > 0) != gives:
            key = f"{key}.back"
        return self._say(key, amount=self._number(abs(amount)), unit=unit)

    def move(self, move: LotMoveValue, lots: Sequence[LotValue]) -> str:
        amount = self._number(abs(move.amount))
        if not lots:
            return self._say("move.debt", amount=amount)
        [lot] = lots
        until = "" if lot.expires_at is None else self._say("until", day=day(self._locale, lot.expires_at, self._zone))
        return self._say("move", amount=amount, earned=day(self._locale, lot.earned_at, self._zone), until=until)

    def _step(self, step: StepValue) -> ExplainedStep:
        return ExplainedStep(
            group=step.group,
            adds=step.adds,
            combines=step.combines,
            rules=[self._rule(rule) for rule in step.rules],
            before=format(step.before, "f"),
            after=format(step.after, "f"),
            text=self._say(
                "adds" if step.adds else "multiplies",
                group=step.group,
                before=self._number(step.before),
                after=self._number(step.after),
            ),
        )

    def _rule(self, rule: Judged) -> JudgedRule:
        facts = ", ".join(f"{fact.name} = {fact.value}" for fact in rule.facts)
        text = self._say(
            f"rule.{rule.verdict}",
            rule=rule.rule,
            value="" if rule.value is None else self._number(rule.value),
            line="" if rule.line is None else self._say("line", number=str(rule.line)),
            when=rule.when or "",
            seen=self._say("seen", facts=facts) if facts else "",
            since="" if rule.since is None else moment(self._locale, rule.since, self._zone),
            until="" if rule.until is None else moment(self._locale, rule.until, self._zone),
        )
        return JudgedRule(
            rule=rule.rule,
            verdict=RuleVerdict(rule.verdict.value),
            value=None if rule.value is None else format(rule.value, "f"),
            when=rule.when,
            amount=rule.amount,
            facts=[SeenFact(name=fact.name, value=fact.value) for fact in rule.facts],
            line=rule.line,
            text=text,
        )

    def _cut(self, cap: str, cut: int) -> CapCut:
        text = self._say("cap", cap=self._say(f"cap.{cap}"), cut=self._number(cut))
        return CapCut(cap=cap, points=Points(cut), text=text)

    def _number(self, value: Decimal | int) -> str:
        return whole(self._locale, value)

    def _say(self, key: str, **parts: Any) -> str:
        return say(self._locale, key, **parts)
