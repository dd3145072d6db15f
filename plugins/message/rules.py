"""The plugin's section of the programme: who is told what, when and in which words. Everything is pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from core.books.tallies import ORDERS
from core.rulebook.document import Identifier, QuotedDecimal, Section
from core.rulebook.expressions import Expression, ExpressionInvalid, Scope
from core.rulebook.programme import ChannelSettings, Misfit, Programme
from core.rulebook.rules import Compilation, Countable, compilation_of
from core.suggest import did_you_mean
from core.telling.event_types import EventType
from core.time.calendar import next_day
from core.wording.words import Said, Words
from core.wording.words import Topic as Chapter

from .facts import (
    SAMPLE_MEMBER,
    Blank,
    MemberFacts,
    ProgrammeFacts,
    as_condition,
    as_text,
    conditional,
    fields_of,
    sample,
)
from .rendering import CannotRender, Style, TextInvalid, check, render, wider

CHANNEL: Final = "message"
TEXT_MAX: Final = 10_000
SUBJECT_MAX: Final = 200


@lru_cache(maxsize=1_024)
def locale_of(tag: str) -> str:
    """A language as it is written everywhere here: zh_Hant_TW for zh-TW. Raises ValueError for none that there is.

    >>> locale_of("en-gb")
    'en_GB'
    """
    try:
        return str(Locale.parse(tag[:40], sep="_" if "_" in tag else "-"))
    except UnknownLocaleError as unknown:
        raise ValueError("no such language") from unknown


def _locale(tag: str) -> str:
    try:
        return locale_of(tag)
    except ValueError:
        raise PydanticCustomError("locale", "{reason}", {"reason": f"no language {tag[:40]!r}"}) from None


def _clock(value: Any) -> time:
    if isinstance(value, time):
        return value
    try:
        found = time.fromisoformat(value) if isinstance(value, str) and len(value) == 5 else None
    except ValueError:
        found = None
    if found is None:
        raise PydanticCustomError("clock", 'not a time of day, such as "22:00"')
    return found


Language = Annotated[str, AfterValidator(_locale)]
ClockTime = Annotated[time, BeforeValidator(_clock)]


class QuietHours(Section):
    """The time of day in which nobody is written to who can wait, in the programme's zone or the member's own."""

    since: ClockTime = Field(alias="from")
    until: ClockTime = Field(alias="to")
    zone: Literal["programme", "member"] = "programme"

    @model_validator(mode="after")
    def _has_two_ends(self) -> Self:
        if self.since == self.until:
            raise PydanticCustomError("quiet", "begins when it ends")
        return self

    def over_at(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """When the quiet hours in which it is ``now`` are over; None when it is none of them.

        >>> night = QuietHours.model_validate({"from": "22:00", "to": "08:00"})
        >>> night.over_at(datetime.fromisoformat("2026-06-01T23:30:00+00:00"), ZoneInfo("UTC")).isoformat()
        '2026-06-02T08:00:00+00:00'
        """
        local = now.astimezone(zone)
        clock, day = local.time().replace(tzinfo=None, fold=0), local.date()
        if self.since < self.until:
            if not self.since <= clock < self.until:
                return None
        elif clock >= self.since:
            day = next_day(day)
        elif clock >= self.until:
            return None
        ends = datetime.combine(day, self.until, zone).astimezone(now.tzinfo)
        # Where the clocks went back, the hour that ends them comes twice.
        return ends if ends > now else datetime.combine(day, self.until.replace(fold=1), zone).astimezone(now.tzinfo)


class Topic(Section):
    """What messages are about, for members to choose by.

    Transactional ones tell a member what they must know: they cannot be turned off, count towards no limit and do not
    wait for the morning unless ``quiet`` says so. Of marketing a member may want none; with ``opt_in`` it goes only to
    those who have asked for it.
    """

    kind: Literal["transactional", "marketing"] = "marketing"
    opt_in: Annotated[bool, Field(strict=True)] = False
    quiet: Annotated[bool, Field(strict=True)] | None = None

    @model_validator(mode="after")
    def _can_be_chosen(self) -> Self:
        if self.opt_in and not self.is_optional:
            raise PydanticCustomError("topic", "what everybody must know is not asked for")
        return self

    @property
    def is_optional(self) -> bool:
        return self.kind == "marketing"

    @property
    def waits(self) -> bool:
        """Whether it waits for quiet hours to be over."""
        return self.is_optional if self.quiet is None else self.quiet

    def is_wanted(self, choice: bool | None) -> bool:
        """Whether who has made this choice, or none, is written to."""
        if not self.is_optional:
            return True
        return not self.opt_in if choice is None else choice


class Text(Section):
    """A message in one language."""

    subject: Annotated[str, Field(max_length=SUBJECT_MAX)] = ""
    text: Annotated[str, Field(min_length=1, max_length=TEXT_MAX)]
    html: Annotated[str, Field(min_length=1, max_length=TEXT_MAX)] | None = None

    def parts(self) -> Iterator[tuple[str, str]]:
        """Each part by its name."""
        yield from (("subject", self.subject), ("text", self.text))
        if self.html is not None:
            yield "html", self.html


class Message(Section):
    """What is told of one type of event, when, and by which carriers, of which the first that reaches the member does.

    With ``fresh_hours`` it is not told later than that after the event.
    """

    id: Identifier
    event: str
    topic: Identifier
    carriers: Annotated[tuple[str, ...], Field(min_length=1, max_length=10)]
    when: str | None = None
    fresh_hours: Annotated[int, Field(strict=True, ge=1, le=8_784)] | None = None
    texts: Annotated[dict[Language, Text], Field(min_length=1, max_length=50)]

    _type: EventType = PrivateAttr()
    _when: Expression[bool] | None = PrivateAttr(default=None)

    @model_validator(mode="wrap")
    @classmethod
    def _told_by_what_is_there(cls, value: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        made = handler(value)
        made._compile(compilation_of(info))
        return made

    @property
    def type(self) -> EventType:
        """The type of its events."""
        return self._type

    def holds(self, event: Any, member: MemberFacts) -> bool:
        """Whether it is to be told, for an event's data (``facts.as_condition``) and the member as of now."""
        return self._when is None or self._when.evaluate({"event": event, "member": member})

    def text_for(self, locale: str, fallback: str) -> tuple[str, Text]:
        """The words for readers of a language, or of the fallback; and the language they are written in."""
        for near in wider(locale):
            if near in self.texts:
                return locale, self.texts[near]
        return fallback, self.texts[fallback]

    def _compile(self, compilation: Compilation) -> None:
        types, carriers = compilation.outside.event_types, compilation.outside.carriers
        if self.event not in types:
            _refuse(f"no event {self.event!r} is told outside{did_you_mean(self.event, types)}")
        for carrier in self.carriers:
            if carrier not in carriers:
                _refuse(f"no carrier {carrier!r} is installed{did_you_mean(carrier, carriers)}")
        if len(set(self.carriers)) < len(self.carriers):
            _refuse("a carrier is named twice")
        if not types[self.event].of_member:
            _refuse(f"event {self.event!r} is of no member")
        self._type = types[self.event]
        if self.when is not None:
            facts = {"event": conditional(self._type.data), "member": MemberFacts}
            lists = {name: tuple(members) for name, members in compilation.order.lists.items()}
            try:
                self._when = Scope(facts, lists=lists, zone=compilation.order.zone).compile(self.when, bool)
                self._when.evaluate({"event": as_condition(sample(self._type.data)), "member": SAMPLE_MEMBER})
            except ExpressionInvalid as error:
                _refuse(f"when: {error}", error.position)
        for locale, text in self.texts.items():
            for part, source in text.parts():
                self._check(source, f"texts.{locale}.{part}", locale, compilation)

    def _check(self, source: str, where: str, locale: str, compilation: Compilation) -> None:
        known = {
            "event": fields_of(self._type.data),
            "member": {**MemberFacts.__annotations__, "attributes": dict},
            "programme": ProgrammeFacts.__annotations__,
        }
        try:
            check(source, known)
            render(source, sample_values(self._type), Style(locale, str(compilation.order.zone), "CNY"))
        except TextInvalid as error:
            _refuse(f"{where}: {error}", error.position)
        except CannotRender as error:
            _refuse(f"{where}: {error}")


def _refuse(reason: str, position: int | None = None) -> None:
    raise PydanticCustomError("message", "{reason}", {"reason": reason, "position": position})


def sample_values(kind: EventType) -> Mapping[str, Any]:
    """What a text speaks of, as it may be."""
    return values(as_text(sample(kind.data)), SAMPLE_MEMBER, {}, ProgrammeFacts("shop", "Shop"))


def values(
    event: Mapping[str, Any], member: MemberFacts, attributes: Mapping[str, Any], programme: ProgrammeFacts
) -> Mapping[str, Any]:
    """What a text speaks of."""
    known = {**member.__dict__, "attributes": Blank(attributes)}
    return {"event": event, "member": Blank(known), "programme": Blank(programme.__dict__)}


class Absence(Section):
    """After how many days without any of the ``activities`` it is told that a member is absent."""

    days: Annotated[tuple[Annotated[int, Field(strict=True, ge=1, le=3_660)], ...], Field(min_length=1, max_length=5)]
    activities: Annotated[tuple[Countable, ...], Field(min_length=1, max_length=20)] = (ORDERS,)


class MessageSettings(ChannelSettings):
    """The programme's section ``channels: message:``.

    Who has chosen no language, or one that a message does not have, is written to in ``locale``, which every message
    has. A member is sent ``per_day`` messages of marketing a day at most. Within reach of the next tier is who has this
    part of the way behind them, and absent who has done nothing for as long as ``absence`` says. What was sent is
    listed for ``keep_days``.
    """

    called = ("Message", "消息")

    locale: Language
    quiet_hours: QuietHours | None = None
    per_day: Annotated[int, Field(strict=True, ge=1, le=100)] | None = None
    within_reach: QuotedDecimal | None = None
    absence: Absence | None = None
    keep_days: Annotated[int, Field(strict=True, ge=1, le=3_660)] = 400
    topics: Annotated[dict[Identifier, Topic], Field(min_length=1, max_length=50)]
    messages: Annotated[tuple[Message, ...], Field(max_length=200)] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.within_reach is not None and not 0 < self.within_reach < 1:
            raise PydanticCustomError("reach", "within_reach lies between 0 and 1")
        return self

    def check(self, programme: Programme) -> Iterable[Misfit]:
        seen = set[str]()
        for number, message in enumerate(self.messages):
            if message.id in seen:
                yield Misfit(("messages", number, "id"), f"id {message.id!r} is used twice")
            seen.add(message.id)
            if message.topic not in self.topics:
                near = did_you_mean(message.topic, self.topics)
                yield Misfit(("messages", number, "topic"), f"no topic {message.topic!r}{near}")
            if self.locale not in message.texts:
                yield Misfit(
                    ("messages", number, "texts"), f"has no text in {self.locale}, which all others fall back to"
                )

    @cached_property
    def by_id(self) -> Mapping[str, Message]:
        return {message.id: message for message in self.messages}

    @cached_property
    def by_event(self) -> Mapping[str, tuple[Message, ...]]:
        """The messages by the type of event that they tell of."""
        found: dict[str, tuple[Message, ...]] = {}
        for message in self.messages:
            found[message.event] = (*found.get(message.event, ()), message)
        return found

    @cached_property
    def carriers(self) -> Collection[str]:
        """All carriers that messages name, in the order in which they do."""
        return tuple(dict.fromkeys(carrier for message in self.messages for carrier in message.carriers))

    def kept_since(self, now: datetime) -> datetime:
        """What is older is listed no more."""
        return now - timedelta(days=self.keep_days)

    def says(self, words: Words) -> Iterable[Said]:
        for name, topic in self.topics.items():
            about = words.quoted(words.term(name))
            if not topic.is_optional:
                text = words.say(
                    "We write to you about {about} whenever you must know.", "{about}类通知为必要通知。", about=about
                )
            elif topic.opt_in:
                text = words.say(
                    "We write to you about {about} only if you ask for it.", "{about}类消息须您订阅。", about=about
                )
            else:
                text = words.say(
                    "We write to you about {about}; you can turn it off.", "{about}类消息可随时退订。", about=about
                )
            yield Said(Chapter.SERVICE, text, ("topics", name))
        if self.quiet_hours is not None:
            quiet = self.quiet_hours
            text = words.say(
                "What can wait is not sent from {since} to {until}.", "{since}至{until}不发送非必要消息。",
                since=f"{quiet.since:%H:%M}", until=f"{quiet.until:%H:%M}",
            )  # fmt: skip
            yield Said(Chapter.SERVICE, text, ("quiet_hours",))
        if self.per_day is not None:
            text = words.count(
                self.per_day,
                "Of what you can turn off you get {n} message a day at most.",
                "Of what you can turn off you get {n} messages a day at most.",
                "可退订的消息每日最多 {n} 条。",
            )
            yield Said(Chapter.SERVICE, text, ("per_day",))


def style_of(programme: Programme, locale: str) -> Style:
    """How values are written for readers of a language."""
    tiers = programme.tiers.ladder if programme.tiers else ()
    return Style(
        locale, programme.timezone, programme.currency, tuple((tier.id, tier.name or tier.id) for tier in tiers)
    )
