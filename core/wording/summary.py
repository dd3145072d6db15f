"""The whole programme as a member reads it: how points come and go, the tiers, and what is to be known beside."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from core.ladder.keeping import Keep
from core.ladder.tiers import Criterion, Ladder, Tier
from core.rulebook.expiry import ExpiryPolicy, ExpiryTerms
from core.rulebook.programme import Programme
from core.rulebook.rules import RuleSet
from core.time.windows import Window
from core.units import GROWTH, POINTS
from core.wording.facts import Both
from core.wording.language import Language
from core.wording.words import Path, Said, Topic, Words

TITLES: Final[Mapping[Topic, Both]] = {
    Topic.EARNING: ("How you earn", "如何获得"),
    Topic.SPENDING: ("How you spend", "如何使用"),
    Topic.EXPIRY: ("When points expire", "有效期"),
    Topic.TIERS: ("Tiers", "会员等级"),
    Topic.BENEFITS: ("Benefits", "会员权益"),
    Topic.TOGETHER: ("Badges, boards and groups", "勋章、排行榜与社群"),
    Topic.REFUNDS: ("Refunds", "退款"),
    Topic.SERVICE: ("Good to know", "其他说明"),
}
"""The sections, in their order."""

_MODES: Final[Mapping[str, Both]] = {
    "floor": ("What you earn is rounded down to a whole number, once, at the end.", "所得在最后一步向下取整。"),
    "ceil": ("What you earn is rounded up to a whole number, once, at the end.", "所得在最后一步向上取整。"),
    "half_up": (
        "What you earn is rounded to the nearest whole number, once, at the end.",
        "所得在最后一步四舍五入取整。",
    ),
    "half_even": (
        "What you earn is rounded to the nearest whole number, once, at the end; a half to the even one.",
        "所得在最后一步取整，逢半取偶。",
    ),
}  # fmt: skip
_ENDS: Final[Mapping[str, Both]] = {
    "month": ("month", "当月"),
    "quarter": ("quarter", "当季"),
    "year": ("year", "当年"),
}
_CLAW_BACK: Final[Mapping[str, Both]] = {
    "lot_only": (
        "What you have spent of them already is not asked for.",
        "其中已使用的部分不再追回。",
    ),
    "lots": (
        "What you have spent of them already is taken from your other points, as far as there are any.",
        "其中已使用的部分从您的其他积分中扣除，不足部分不再追回。",
    ),
    "lots_then_debt": (
        "What you have spent of them already is taken from your other points, and what is missing from the next ones.",
        "其中已使用的部分从您的其他积分中扣除，不足部分从之后获得的积分中抵扣。",
    ),
}


class Sentence(NamedTuple):
    """A sentence: whose it is (None is the programme's own), and the part of the document it tells of."""

    channel: str | None
    text: str
    path: Path


class Chapter(NamedTuple):
    """The sentences about one topic."""

    topic: Topic
    title: str
    sentences: tuple[Sentence, ...]


class Summary(NamedTuple):
    """What the programme is called, and its rules by topic; topics of which there is nothing to say are left out."""

    title: str
    chapters: tuple[Chapter, ...]


@lru_cache(maxsize=64)
def summary(programme: Programme, language: Language) -> Summary:
    """The rules in a language."""
    words = Words(programme, language)
    by_topic: dict[Topic, list[Sentence]] = {topic: [] for topic in TITLES}
    for said in _worth(words):
        by_topic[said.topic].append(Sentence(None, said.text, said.path))
    for topic_of, sentence in _channels(words):
        by_topic[topic_of].append(sentence)
    for topic, text, path in (*_rounding(words), *_expiry(words), *_tiers(words), *_refunds(words)):
        by_topic[topic].append(Sentence(None, text, path))
    chapters = (Chapter(topic, words.say(*TITLES[topic]), tuple(said)) for topic, said in by_topic.items() if said)
    return Summary(programme.name or programme.id, tuple(chapters))


def _channels(words: Words) -> Iterator[tuple[Topic, Sentence]]:
    for name, settings in words.programme.channels.items():
        bound = words.of(name)
        for said in settings.says(bound):
            yield said.topic, Sentence(name, said.text, ("channels", name, *said.path))
        for unit, terms in settings.expiry.items():
            text = bound.say(
                "From {occasion}: {text}", "{occasion}所得：{text}",
                occasion=bound.say(*bound.occasion), text=_lower(bound, terms_in_words(bound, unit, terms)),
            )  # fmt: skip
            yield Topic.EXPIRY, Sentence(name, text, ("channels", name, "expiry", unit))


def _lower(words: Words, text: str) -> str:
    return text[:1].lower() + text[1:] if words.language == "en" else text


# -- the programme's own ------------------------------------------------------------------------------


def _worth(words: Words) -> Iterator[Said]:
    programme = words.programme
    if programme.point_value:
        count = Decimal(1) / programme.point_value
        whole = count == count.to_integral_value()
        count, worth = (count, Decimal(1)) if whole else (Decimal(100), programme.point_value * 100)
        text = words.say(
            "{points} are worth {money}.", "{points}价值{money}。", points=words.amount(count), money=words.money(worth)
        )
        yield Said(Topic.SPENDING, text, ("point_value",))
    if programme.starts_on is not None:
        text = words.say(
            "The programme begins on {day}; what was before does not count.", "本计划自{day}起，此前的消费不计入。",
            day=words.day(programme.starts_on),
        )  # fmt: skip
        yield Said(Topic.SERVICE, text, ("starts_on",))


def _rounding(words: Words) -> Iterator[Said]:
    if _earns(words.programme):
        yield Said(Topic.EARNING, words.say(*_MODES[words.programme.rounding.mode]), ("rounding",))


def _earns(programme: Programme) -> bool:
    return any(
        isinstance(rules, RuleSet)
        for settings in programme.channels.values()
        for rules in _sets(getattr(settings, "earn", None))
    )


def _sets(earn: object) -> Iterable[object]:
    return earn.values() if isinstance(earn, Mapping) else (earn,)


def units_used(programme: Programme) -> list[str]:
    """The units of which members hear: points, what channels bring, what tiers ask for."""
    brought = {unit for settings in programme.channels.values() for unit in _brought(settings)}
    asked = {
        criterion.fact.removesuffix("_earned")
        for tier in (programme.tiers.ladder if programme.tiers else ())
        for criterion in _criteria(tier)
    }
    return [unit for unit in programme.unit_names if unit == POINTS or unit in brought | asked]


def _brought(settings: object) -> Iterable[str]:
    earn = getattr(settings, "earn", None)
    return earn if isinstance(earn, Mapping) else ()


def _expiry(words: Words) -> Iterator[Said]:
    for name in units_used(words.programme):
        unit = words.programme.unit(name)
        path: Path = ("expiry",) if name == POINTS else ("units", name, "expiry")
        yield Said(Topic.EXPIRY, terms_in_words(words, name, unit.expiry), path)
        if not unit.spendable:
            text = words.say(
                "{unit} cannot be spent; it only counts for tiers.", "{unit}不能使用，仅用于评定等级。",
                unit=_first(words, words.unit(name)),
            )  # fmt: skip
            yield Said(Topic.EXPIRY, text, ("units", name, "spendable"))
        for text in _policy(words, unit.expiry, name):
            yield Said(Topic.EXPIRY, text, path)


def _first(words: Words, text: str) -> str:
    return text[:1].upper() + text[1:] if words.language == "en" else text


def _policy(words: Words, policy: ExpiryPolicy, unit: str) -> Iterator[str]:
    if policy.mode == "never" or not words.programme.unit(unit).spendable:
        return
    yield words.say("What expires soonest is spent first.", "先到期的先使用。")
    if policy.remind_days:
        days = sorted(policy.remind_days, reverse=True)
        shown = words.listed([words.number(each) for each in days])
        yield words.say(
            "You are reminded {days} {unit} before you lose any.", "到期前{days}天提醒您。",
            days=shown, unit="day" if days == [1] else "days",
        )  # fmt: skip
    if policy.grace_days is not None:
        yield words.say(
            "What comes back to you after its expiry, as of a refund, can be used for another {days}.",
            "到期后退回的部分（如退款）可再使用{days}。",
            days=words.days(policy.grace_days),
        )


def terms_in_words(words: Words, unit: str, terms: ExpiryTerms) -> str:
    """A sentence: how long what was earned of a unit lasts."""
    name = _first(words, words.unit(unit))
    one = unit == GROWTH
    expires = "expires" if one else "expire"
    match terms.mode:
        case "never":
            return words.say(
                "{name} never {expires}.", "{name}永不过期。", name=name, expires="expires" if one else "expire"
            )
        case "calendar":
            assert terms.end_of is not None
            end = words.say(*_ENDS[terms.end_of])
            if terms.after_months is None:
                return words.say(
                    "{name} {expires} at the end of the {end} in which you earn {it}.", "{name}于获得{end}末到期。",
                    name=name, expires=expires, end=end, it="it" if one else "them",
                )  # fmt: skip
            return words.say(
                "{name} {expires} {months} after the end of the {end} in which you earn {it}.",
                "{name}于获得{end}结束后再过{months}到期。",
                name=name, expires=expires, months=words.months(terms.after_months), end=end,
                it="it" if one else "them",
            )  # fmt: skip
        case "renewed":
            assert terms.months is not None
            return words.say(
                "{name} {expires} {months} after what you did last: {activity}. Each time all of {it} last{s} "
                "that long again.",
                "自您最近一次活动（{activity}）起{months}后，{name}到期；每次活动都使全部{name}重新计算有效期。",
                name=name, expires=expires, months=words.months(terms.months), s="s" if one else "",
                activity=words.activity(terms.activities), it="it" if one else "them",
            )  # fmt: skip
    assert terms.months is not None
    said = words.say(
        "{name} {expires} {months} after the day on which you earn {it}.", "{name}自获得之日起{months}内有效。",
        name=name, expires=expires, months=words.months(terms.months), it="it" if one else "them",
    )  # fmt: skip
    if terms.mode == "per_lot":
        return said
    assert terms.window_months is not None
    assert terms.extend_months is not None
    longer = words.say(
        "Doing something in the last {window} of that time ({activity}) gives them {more} more.",
        "在到期前{window}内有活动（{activity}），有效期延长{more}。",
        window=words.months(terms.window_months), more=words.months(terms.extend_months),
        activity=words.activity(terms.activities),
    )  # fmt: skip
    return words.say("{said} {longer}", "{said}{longer}", said=said, longer=longer)


def _refunds(words: Words) -> Iterator[Said]:
    if not any(settings.adds_to() for settings in words.programme.channels.values()):
        return
    yield Said(
        Topic.REFUNDS,
        words.say(
            "When an order is refunded, wholly or in part, what it brought is taken back for that part.",
            "订单全部或部分退款时，收回相应部分所得。",
        ),
    )
    yield Said(Topic.REFUNDS, words.say(*_CLAW_BACK[words.programme.claw_back]), ("claw_back",))


# -- tiers ------------------------------------------------------------------------------------------------


def _tiers(words: Words) -> Iterator[Said]:
    ladder = words.programme.tiers
    if ladder is None:
        return
    yield Said(
        Topic.TIERS,
        words.say("Everybody begins as {tier}.", "入会即为{tier}。", tier=words.tier(ladder.entry)),
        ("tiers", "ladder", ladder.entry),
    )
    for tier in ladder.ladder[1:]:
        text = words.say(
            "{tier}: {asked}.", "{tier}：{asked}。", tier=words.tier(tier.id), asked=criteria(words, ladder, tier)
        )
        yield Said(Topic.TIERS, text, ("tiers", "ladder", tier.id))
    if len(ladder.ladder) > 1:
        yield Said(
            Topic.TIERS,
            words.say("You rise as soon as you have what a tier asks for.", "达到条件即刻升级。"),
            ("tiers", "window"),
        )
        yield from _keeping(words, ladder)


def criteria(words: Words, ladder: Ladder, tier: Tier) -> str:
    """What a tier asks for: 5,000 growth and 10 orders within 12 months."""
    asked = [
        (criterion.window or ladder.window, words.tally(criterion.fact, criterion.at_least))
        for criterion in _criteria(tier)
    ]
    between = (" and ", "且") if tier.mode == "all" else (" or ", "或")
    windows = dict.fromkeys(window for window, _ in asked)
    if len(windows) == 1:
        return _within(words, next(iter(windows)), words.joined([text for _, text in asked], *between))
    # What is counted over the whole membership says so, as the span of the next would be read of it as well.
    said = [
        _within(words, window, text) if words.window(window) else words.say("{text} in all", "{text}", text=text)
        for window, text in asked
    ]
    return words.joined(said, *between)


def criterion_in_words(words: Words, ladder: Ladder, criterion: Criterion) -> str:
    """One thing that a tier asks for."""
    window = criterion.window or ladder.window
    return _within(words, window, words.tally(criterion.fact, criterion.at_least))


def _criteria(tier: Tier) -> tuple[Criterion, ...]:
    return tier.all_of or tier.any_of or ()


def _within(words: Words, window: Window, text: str) -> str:
    span = words.window(window)
    return words.say("{text} {span}", "{span}{text}", text=text, span=span) if span else text


def _keeping(words: Words, ladder: Ladder) -> Iterator[Said]:
    keep = ladder.keep
    at = ("tiers", "keep")
    if keep is None:
        yield Said(
            Topic.TIERS, words.say("A tier that you have reached is yours for good.", "达到的等级永久保留。"), at
        )
        return
    yield Said(Topic.TIERS, _reviewed(words, keep), (*at, "review"))
    yield Said(Topic.TIERS, _enough(words, ladder, keep), (*at, "ratio"))
    if keep.grace_days:
        text = words.say(
            "Whoever has less has {days} more for a last spurt.",
            "未达到者另有{days}宽限期。",
            days=words.days(keep.grace_days),
        )
        yield Said(Topic.TIERS, text, (*at, "grace_days"))
    falls = (
        words.say("Whoever does not keep a tier falls by one tier.", "未能保级者降一级。")
        if keep.steps_down == "one"
        else words.say(
            "Whoever does not keep a tier falls to the highest that is still kept.",
            "未能保级者降至仍满足条件的最高等级。",
        )
    )
    yield Said(Topic.TIERS, falls, (*at, "steps_down"))
    if keep.warn_days:
        text = words.say(
            "Whoever would fall is told {days} before.",
            "可能降级者提前{days}收到提醒。",
            days=words.days(keep.warn_days),
        )
        yield Said(Topic.TIERS, text, (*at, "warn_days"))
    if keep.taken_back != "at_review":
        text = words.say(
            "A tier that was reached with what was refunded later is lost at once.",
            "以其后退款的消费达到的等级即刻取消。",
        )
        yield Said(Topic.TIERS, text, (*at, "taken_back"))


def _reviewed(words: Words, keep: Keep) -> str:
    review = keep.review
    if review.end_of is not None:
        end = words.say(*_ENDS[review.end_of])
        return words.say(
            "Tiers are reviewed at the end of each {end}.", "每{end}末评定等级。",
            end=end if words.language == "en" else end.removeprefix("当"),
        )  # fmt: skip
    assert review.months is not None
    if review.months == 12:
        return words.say("Your tier is reviewed each year after you reached it.", "等级自达到之日起每年评定一次。")
    return words.say(
        "Your tier is reviewed every {months} after you reached it.", "等级自达到之日起每{months}评定一次。",
        months=words.months(review.months),
    )  # fmt: skip


def _enough(words: Words, ladder: Ladder, keep: Keep) -> str:
    window = words.window(keep.window or ladder.window)
    if keep.ratio == 1:
        return words.say(
            "To keep it, have again what it asks for{window}.", "保级须{window}再次满足该等级条件。",
            window=f" {window}" if window and words.language == "en" else window,
        )  # fmt: skip
    return words.say(
        "To keep it, {share} of what it asks for is enough{window}.", "保级须{window}达到该等级条件的{share}。",
        share=words.percent(keep.ratio), window=f" {window}" if window and words.language == "en" else window,
    )  # fmt: skip


__all__ = ["TITLES", "Chapter", "Sentence", "Summary", "criteria", "criterion_in_words", "summary", "terms_in_words"]
