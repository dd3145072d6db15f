"""Edits of a draft in the schema: what an operator does to the rules, each thing with fields of its own."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final

import strawberry
from strawberry import ID, UNSET

from core.drafts import drafting, edits
from core.drafts.editing import NODES_MAX, Value
from core.drafts.edits import EDITS_MAX, Edit, groups_of
from core.errors import InvalidValue
from graph.context import Info
from graph.errors import UserError
from graph.permissions import mutation
from graph.programme.drafts import DRAFT, REVISION, ProgrammeDraft, hand, id_of
from graph.texts import NUL
from graph.tokens import Role

_CHANNEL = "The channel: purchase."
_UNIT = "The unit that is earned."
_GROUP = "The group's id."
_POSITION = "Its number among them, from 1. Left out: where it is, or the last."
_PATH: Final = (
    "Where it is: the names of keys, and of members of lists by their `id`, by themselves where they are words, or by "
    'their number from 0. `["channels", "lottery", "pools", "wheel", "price"]`.'
)
_PATH_MAX: Final = 20


@strawberry.enum
class GroupPer(Enum):
    """What a group looks at."""

    ORDER = strawberry.enum_value("order", description="The whole of what was done.")
    LINE = strawberry.enum_value("line", description="Each of its lines by itself.")


@strawberry.enum
class GroupAdd(Enum):
    """How the points of a group's rules are put together."""

    SUM = strawberry.enum_value("sum", description="All that apply are added.")
    BEST = strawberry.enum_value("best", description="The largest counts.")
    FIRST = strawberry.enum_value("first", description="The first that applies counts.")


@strawberry.enum
class GroupMultiply(Enum):
    """How the factors of a group's rules are put together."""

    BEST = strawberry.enum_value("best", description="The largest counts.")
    FIRST = strawberry.enum_value("first", description="The first that applies counts.")
    PRODUCT = strawberry.enum_value("product", description="All that apply are multiplied.")


@strawberry.enum
class ExpiryMode(Enum):
    """How it is decided when points expire."""

    PER_LOT = strawberry.enum_value("per_lot", description="So many months after the day they were earned.")
    CALENDAR = strawberry.enum_value("calendar", description="All of a month, quarter or year together.")
    ACTIVITY = strawberry.enum_value("activity", description="Later for who is active in their last months.")
    RENEWED = strawberry.enum_value("renewed", description="All together, so many months after the last activity.")
    NEVER = strawberry.enum_value("never", description="They do not.")


@strawberry.enum
class PeriodEnd(Enum):
    """An end in the calendar."""

    MONTH = strawberry.enum_value("month", description="Of the month.")
    QUARTER = strawberry.enum_value("quarter", description="Of the quarter.")
    YEAR = strawberry.enum_value("year", description="Of the year.")


@strawberry.enum
class RoundingMode(Enum):
    """How the one rounding of an award is done."""

    FLOOR = strawberry.enum_value("floor", description="Down.")
    CEIL = strawberry.enum_value("ceil", description="Up.")
    HALF_UP = strawberry.enum_value("half_up", description="To the nearest, a half up.")
    HALF_EVEN = strawberry.enum_value("half_even", description="To the nearest, a half to the even one.")


@strawberry.enum
class StepsDown(Enum):
    """How far who does not keep a tier falls."""

    ONE = strawberry.enum_value("one", description="One tier.")
    MATCH = strawberry.enum_value("match", description="To the highest whose thresholds are met.")


# -- any value -----------------------------------------------------------------------------------------


@strawberry.input(one_of=True)
class ProgrammeValueInput:
    """A value of a document."""

    text: str | None = strawberry.field(default=UNSET, description="A text, a name or an expression.")
    number: Decimal | None = strawberry.field(default=UNSET, description="A number that may have a point; exact.")
    whole: int | None = strawberry.field(default=UNSET, description="A whole number.")
    flag: bool | None = strawberry.field(default=UNSET, description="Yes or no.")
    at: datetime | None = strawberry.field(default=UNSET, description="An instant.")
    day: date | None = strawberry.field(default=UNSET, description="A day.")
    items: "list[ProgrammeValueInput] | None" = strawberry.field(
        default=UNSET, name="list", description="A list of values."
    )
    pairs: "list[ProgrammeFieldInput] | None" = strawberry.field(
        name="fields", default=UNSET, description="Keys with their values: a prize, a reward, a campaign."
    )

    def to_value(self) -> Value:
        """Raises InvalidValue."""
        budget = [NODES_MAX]
        return self._value(budget)

    def _value(self, budget: "list[int]") -> Value:
        budget[0] -= 1
        if budget[0] < 0:
            raise InvalidValue(field="value", reason=f"it has more than {NODES_MAX} parts")
        if isinstance(self.items, Sequence):
            return [one._value(budget) for one in self.items]
        if isinstance(self.pairs, Sequence):
            return {_clean("key", one.key): one.value._value(budget) for one in self.pairs}
        plain = (self.text, self.number, self.whole, self.flag, self.at, self.day)
        (value,) = [one for one in plain if one is not UNSET and one is not None]
        return _clean("text", value) if isinstance(value, str) else value


@strawberry.input
class ProgrammeFieldInput:
    """A key and its value."""

    key: str = strawberry.field(description="The key.")
    value: ProgrammeValueInput = strawberry.field(description="Its value.")


@strawberry.input
class SetValueInput:
    """A value to put where a path leads. All but the path's last name must be there."""

    path: list[str] = strawberry.field(description=_PATH)
    value: ProgrammeValueInput = strawberry.field(description="What shall stand there.")

    def edit(self) -> Edit:
        path, value = _path(self.path), self.value.to_value()
        return lambda document: edits.set_at(document, path, value)


@strawberry.input
class InsertValueInput:
    """A value to put into a list: a prize into a pool, a reward into the store."""

    path: list[str] = strawberry.field(description=f"Where the list is. {_PATH}")
    value: ProgrammeValueInput = strawberry.field(description="What shall be in it.")
    position: int | None = strawberry.field(default=None, description=_POSITION)

    def edit(self) -> Edit:
        path, value, position = _path(self.path), self.value.to_value(), _place(self.position)
        return lambda document: edits.insert_at(document, path, value, position)


@strawberry.input
class RemoveValueInput:
    """Something to take out."""

    path: list[str] = strawberry.field(description=_PATH)

    def edit(self) -> Edit:
        path = _path(self.path)
        return lambda document: edits.remove_at(document, path)


# -- what activities earn ------------------------------------------------------------------------------


@strawberry.input
class RuleInput:
    """A rule: when it applies, and the points it brings or the factor it multiplies with."""

    id: str = strawberry.field(description="Its id: lower-case words joined by _ or -.")
    when: str | None = strawberry.field(default=None, description="An expression; always if left out.")
    points: str | None = strawberry.field(default=None, description="An expression, in a group that adds.")
    factor: Decimal | None = strawberry.field(default=None, description="In a group that multiplies.")
    from_: datetime | None = strawberry.field(default=None, name="from", description="From when it applies.")
    until: datetime | None = strawberry.field(default=None, description="Until when it applies, this instant excluded.")

    def to_value(self) -> dict[str, Any]:
        valid = _given({"from": self.from_, "to": self.until})
        points: Any = self.points
        if points is not None and points.isascii() and points.isdigit():
            points = int(points[:18])
        return _given(
            {"id": self.id, "when": self.when, "points": points, "factor": self.factor, "valid": valid or None}
        )


@strawberry.input
class PutRuleInput:
    """A rule to put into a group of a channel's rule set, in the place of the one with its id if there is one."""

    channel: str = strawberry.field(default="purchase", description=_CHANNEL)
    unit: str = strawberry.field(default="points", description=_UNIT)
    group: str = strawberry.field(description=_GROUP)
    rule: RuleInput = strawberry.field(description="The rule.")
    position: int | None = strawberry.field(default=None, description=_POSITION)

    def edit(self) -> Edit:
        groups, rule, position = groups_of(self.channel, self.unit), self.rule.to_value(), _place(self.position)
        return lambda document: edits.put_rule(document, groups, self.group, rule, position)


@strawberry.input
class RemoveRuleInput:
    """A rule to take out of a group."""

    channel: str = strawberry.field(default="purchase", description=_CHANNEL)
    unit: str = strawberry.field(default="points", description=_UNIT)
    group: str = strawberry.field(description=_GROUP)
    rule: str = strawberry.field(description="The rule's id.")

    def edit(self) -> Edit:
        groups = groups_of(self.channel, self.unit)
        return lambda document: edits.remove_rule(document, groups, self.group, self.rule)


@strawberry.input
class PutGroupInput:
    """A group to put into a channel's rule set, or to change. One that adds or one that multiplies."""

    channel: str = strawberry.field(default="purchase", description=_CHANNEL)
    unit: str = strawberry.field(default="points", description=_UNIT)
    id: str = strawberry.field(description=_GROUP)
    per: GroupPer | None = strawberry.field(default=None, description="What it looks at; the order if never said.")
    add: GroupAdd | None = strawberry.field(default=None, description="How it adds.")
    multiply: GroupMultiply | None = strawberry.field(default=None, description="How it multiplies.")
    rules: list[RuleInput] = strawberry.field(
        default_factory=list, description="Its rules; of a group that is there, those to put into it."
    )
    position: int | None = strawberry.field(default=None, description=_POSITION)

    def edit(self) -> Edit:
        groups, position = groups_of(self.channel, self.unit), _place(self.position)
        group = _given({"id": self.id, "per": _of(self.per), "add": _of(self.add), "multiply": _of(self.multiply)})
        rules = [rule.to_value() for rule in self.rules]
        return lambda document: edits.put_group(document, groups, group, rules, position)


@strawberry.input
class RemoveGroupInput:
    """A group to take out of a rule set, with its rules."""

    channel: str = strawberry.field(default="purchase", description=_CHANNEL)
    unit: str = strawberry.field(default="points", description=_UNIT)
    group: str = strawberry.field(description=_GROUP)

    def edit(self) -> Edit:
        groups = groups_of(self.channel, self.unit)
        return lambda document: edits.remove_group(document, groups, self.group)


@strawberry.input
class SetCapsInput:
    """The most that a member can be given. A cap that is left out stays; one that is null is taken away."""

    channel: str = strawberry.field(default="purchase", description=_CHANNEL)
    unit: str = strawberry.field(default="points", description=_UNIT)
    order: int | None = strawberry.field(default=UNSET, description="By one order, or whatever was done.")
    day: int | None = strawberry.field(default=UNSET, description="In a day.")
    month: int | None = strawberry.field(default=UNSET, description="In a month.")
    lifetime: int | None = strawberry.field(default=UNSET, description="Ever.")

    def edit(self) -> Edit:
        caps = {"order": self.order, "day": self.day, "month": self.month, "lifetime": self.lifetime}
        caps = {key: cap for key, cap in caps.items() if cap is not UNSET}
        return lambda document: edits.set_caps(document, self.channel, self.unit, caps)


# -- tiers ---------------------------------------------------------------------------------------------


@strawberry.input
class CriterionInput:
    """A fact and the least that it must be."""

    fact: str = strawberry.field(description="The fact: growth_earned, orders, spend …")
    at_least: Decimal = strawberry.field(description="The least that it must be.")
    months: int | None = strawberry.field(
        default=None, description="Over so many months; over the ladder's window if left out."
    )

    def to_value(self) -> dict[str, Any]:
        whole = self.at_least == self.at_least.to_integral_value()
        window = None if self.months is None else {"months": self.months}
        least = int(self.at_least) if whole else self.at_least
        return _given({"fact": self.fact, "at_least": least, "window": window})


@strawberry.input
class TierInput:
    """A tier, and what one must meet to reach it: all of the criteria, or any of them. The first tier has none."""

    id: str = strawberry.field(description="Its id: lower-case words joined by _ or -.")
    name: str | None = strawberry.field(default=None, description="What members call it; its id if left out.")
    all: list[CriterionInput] = strawberry.field(default_factory=list, description="All of these must be met.")
    any: list[CriterionInput] = strawberry.field(default_factory=list, description="One of these must be met.")

    def to_value(self) -> dict[str, Any]:
        criteria = {"all": [one.to_value() for one in self.all], "any": [one.to_value() for one in self.any]}
        return _given({"id": self.id, "name": self.name, **{key: of or None for key, of in criteria.items()}})


@strawberry.input
class PutTierInput:
    """A tier to put on the ladder, in the place of the one with its id if there is one."""

    tier: TierInput = strawberry.field(description="The tier.")
    above: str | None = strawberry.field(
        default=None, description="The id of the tier right below it. Left out: where it is, or on top."
    )

    def edit(self) -> Edit:
        tier = self.tier.to_value()
        return lambda document: edits.put_tier(document, tier, self.above)


@strawberry.input
class RemoveTierInput:
    """A tier to take off the ladder."""

    tier: str = strawberry.field(description="The tier's id.")
    replaced_by: str | None = strawberry.field(
        default=None,
        description="The tier on which its members stand then; the highest whose criteria they meet if not said.",
    )

    def edit(self) -> Edit:
        return lambda document: edits.remove_tier(document, self.tier, self.replaced_by)


@strawberry.input
class SetTierKeepingInput:
    """How tiers are kept. What is left out stays. Without a review a tier is reached for ever."""

    review_months: int | None = strawberry.field(default=None, description="A tier is judged after so many months.")
    review_end_of: PeriodEnd | None = strawberry.field(default=None, description="Or at this end in the calendar.")
    ratio: Decimal | None = strawberry.field(
        default=None, description="What of a tier's thresholds is enough to keep it: 0.8."
    )
    steps_down: StepsDown | None = strawberry.field(default=None, description="How far who does not keep it falls.")
    grace_days: int | None = strawberry.field(default=None, description="So many days longer for a last spurt.")
    warn_days: int | None = strawberry.field(default=None, description="So many days before, who would fall is warned.")

    def edit(self) -> Edit:
        review: Any = None
        if self.review_months is not None:
            review = {"months": self.review_months}
        elif self.review_end_of is not None:
            review = {"end_of": self.review_end_of.value}
        keep = _given(
            {
                "review": review,
                "ratio": self.ratio,
                "steps_down": _of(self.steps_down),
                "grace_days": self.grace_days,
                "warn_days": self.warn_days,
            }
        )
        return lambda document: edits.set_keeping(document, keep)


# -- the programme -------------------------------------------------------------------------------------


@strawberry.input
class SetListInput:
    """A list of words that rules look into, as a whole."""

    name: str = strawberry.field(description="The list's name.")
    words: list[str] = strawberry.field(description="Its words.")

    def edit(self) -> Edit:
        words = [_clean("words", word) for word in self.words]
        return lambda document: edits.set_list(document, self.name, words)


@strawberry.input
class ChangeListInput:
    """Words to add to a list and to remove from it."""

    name: str = strawberry.field(description="The list's name.")
    add: list[str] = strawberry.field(default_factory=list, description="Words to add; those that it has stay once.")
    remove: list[str] = strawberry.field(default_factory=list, description="Words to remove.")

    def edit(self) -> Edit:
        add = [_clean("add", word) for word in self.add]
        return lambda document: edits.change_list(document, self.name, add, self.remove)


@strawberry.input
class SetExpiryInput:
    """How long points last. Lots that are there keep their dates."""

    mode: ExpiryMode = strawberry.field(description="How it is decided.")
    unit: str | None = strawberry.field(default=None, description="Of this unit; what the programme says if left out.")
    channel: str | None = strawberry.field(default=None, description="Of what this channel gives; of all if left out.")
    months: int | None = strawberry.field(default=None, description="So many months.")
    end_of: PeriodEnd | None = strawberry.field(default=None, description="The end that CALENDAR means.")
    after_months: int | None = strawberry.field(default=None, description="So many months after that end.")
    window_months: int | None = strawberry.field(default=None, description="ACTIVITY: the last months of their life.")
    extend_months: int | None = strawberry.field(default=None, description="ACTIVITY: so many months more.")
    by: list[str] | None = strawberry.field(default=None, description="What counts as activity; an order if left out.")

    def edit(self) -> Edit:
        terms = _given(
            {
                "mode": self.mode.value,
                "months": self.months,
                "end_of": _of(self.end_of),
                "after_months": self.after_months,
                "window_months": self.window_months,
                "extend_months": self.extend_months,
                "by": self.by,
            }
        )
        return lambda document: edits.set_expiry(document, terms, self.unit, self.channel)


@strawberry.input
class SetRedemptionCostInput:
    """Between which shares of what members pay the cost of redemption should lie."""

    at_least: Decimal | None = strawberry.field(default=None, description="The least: 0.01. It stays if left out.")
    at_most: Decimal | None = strawberry.field(default=None, description="The most: 0.03. It stays if left out.")
    days: int | None = strawberry.field(default=None, description="Over so many days. It stays if left out.")

    def edit(self) -> Edit:
        band = _given({"at_least": self.at_least, "at_most": self.at_most, "days": self.days})

        def set_band(document: Any) -> None:
            for key, value in band.items():
                document.set(("redemption_cost", key), value, make=True)

        return set_band


@strawberry.input
class SetRoundingInput:
    """How the one rounding of an award is done."""

    mode: RoundingMode = strawberry.field(description="How.")

    def edit(self) -> Edit:
        mode = _of(self.mode)
        return lambda document: edits.set_or_remove(document, ("rounding", "mode"), mode)


@strawberry.input
class SetPointValueInput:
    """What one point is worth."""

    value: Decimal | None = strawberry.field(description="In the programme's currency; null where points are no money.")

    def edit(self) -> Edit:
        return lambda document: edits.set_or_remove(document, ("point_value",), self.value)


@strawberry.input(one_of=True)
class ProgrammeEditInput:
    """One change of a draft's document."""

    put_rule: PutRuleInput | None = strawberry.field(default=UNSET, description="Put a rule into a group.")
    remove_rule: RemoveRuleInput | None = strawberry.field(default=UNSET, description="Take a rule out of a group.")
    put_group: PutGroupInput | None = strawberry.field(default=UNSET, description="Put a group into a rule set.")
    remove_group: RemoveGroupInput | None = strawberry.field(
        default=UNSET, description="Take a group out of a rule set."
    )
    set_caps: SetCapsInput | None = strawberry.field(default=UNSET, description="Set caps of a rule set.")
    put_tier: PutTierInput | None = strawberry.field(default=UNSET, description="Put a tier on the ladder.")
    remove_tier: RemoveTierInput | None = strawberry.field(default=UNSET, description="Take a tier off the ladder.")
    set_tier_keeping: SetTierKeepingInput | None = strawberry.field(
        default=UNSET, description="Say how tiers are kept."
    )
    set_list: SetListInput | None = strawberry.field(default=UNSET, description="Set a list of words.")
    change_list: ChangeListInput | None = strawberry.field(
        default=UNSET, description="Add words to a list, and remove some."
    )
    set_expiry: SetExpiryInput | None = strawberry.field(default=UNSET, description="Say how long points last.")
    set_rounding: SetRoundingInput | None = strawberry.field(default=UNSET, description="Say how awards are rounded.")
    set_point_value: SetPointValueInput | None = strawberry.field(
        default=UNSET, description="Say what a point is worth."
    )
    set_redemption_cost: SetRedemptionCostInput | None = strawberry.field(
        default=UNSET, description="Say which cost of redemption is right."
    )
    set_value: SetValueInput | None = strawberry.field(default=UNSET, description="Put any value where a path leads.")
    insert_value: InsertValueInput | None = strawberry.field(default=UNSET, description="Put any value into a list.")
    remove_value: RemoveValueInput | None = strawberry.field(
        default=UNSET, description="Take out whatever is where a path leads."
    )

    def edit(self) -> Edit:
        """Raises InvalidValue."""
        (chosen,) = [one for one in vars(self).values() if one is not UNSET and one is not None]
        edit: Edit = chosen.edit()
        return edit


@strawberry.input
class EditProgrammeDraftInput:
    """Changes of a draft's document: all of them are made, or none."""

    draft: ID = strawberry.field(description=DRAFT)
    revision: int = strawberry.field(description=REVISION)
    edits: list[ProgrammeEditInput] = strawberry.field(
        description=f"The changes, one after another, at most {EDITS_MAX}."
    )
    reason: str | None = strawberry.field(default=None, description="Why, for the audit log.")


@strawberry.type
class EditProgrammeDraftPayload:
    """What became of the request to edit a draft."""

    draft: ProgrammeDraft | None = strawberry.field(default=None, description="The draft; null when it was refused.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why it was refused; empty if not.")


@strawberry.type
class EditMutations:
    """Editing a draft in parts."""

    @mutation(allow={Role.OPERATOR})
    async def edit_programme_draft(self, info: Info, input: EditProgrammeDraftInput) -> EditProgrammeDraftPayload:
        """Change parts of a draft's document: rules, tiers, caps, lists, or any value. All edits are made, or none.

        Comments and layout of the document stay. EDIT_INVALID says which edit names what is not there, and what is
        nearest; DRAFT_CHANGED that somebody was faster; PROGRAMME_INVALID that the document is no YAML that could be
        edited. Whether the rules are right is what `problems` of the draft says.
        """
        made = [one.edit() for one in input.edits]
        row = await drafting.change_draft(
            hand(info), id_of(input.draft), input.revision, lambda text: edits.apply_edits(text, made)
        )
        info.context.wrote()
        return EditProgrammeDraftPayload(draft=ProgrammeDraft.of(row))


def _path(path: Sequence[str]) -> tuple[str, ...]:
    if not 1 <= len(path) <= _PATH_MAX:
        raise InvalidValue(field="path", reason=f"a path has 1 to {_PATH_MAX} names")
    return tuple(_clean("path", name) for name in path)


def _place(position: int | None) -> int | None:
    """From 0, as the core counts."""
    if position is None:
        return None
    if position < 1:
        raise InvalidValue(field="position", reason="it counts from 1")
    return position - 1


def _clean(field: str, text: str) -> str:
    if NUL in text:
        raise InvalidValue(field=field, reason="it holds the character U+0000")
    return text


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _of(choice: Enum | None) -> Any:
    return None if choice is None else choice.value
