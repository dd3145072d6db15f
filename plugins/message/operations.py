"""What members choose, and the event that the next tier is near."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, Final
from zoneinfo import available_timezones

from core.books.tallies import fact_value
from core.engine.operations import Operation
from core.engine.work import Work
from core.errors import InvalidValue
from core.ladder.tiers import Ladder
from core.suggest import did_you_mean
from core.telling.carriers import ADDRESS_MAX, AddressInvalid, Carrier
from core.telling.events import TALLIES_COUNTED, Event

from .events import TIER_WITHIN_REACH
from .models import MessageMark, MessagePreferences
from .refusals import (
    CarrierNotFound,
    MessageAddressRefused,
    MessagesNotOffered,
    TopicNotFound,
    TopicNotOptional,
)
from .rules import CHANNEL, MessageSettings, locale_of

_ONLY: Final = 1
"""The number of the one row that a member has."""


@dataclass(frozen=True, kw_only=True)
class UpdateMessagePreferences(Operation):
    """Choose a language, a time zone, topics, carriers and addresses. What is not named stays as it is.

    An empty ``locale`` or ``timezone`` is chosen no longer, nor is an empty address any more. Nothing of it is in the
    outcome, which is kept. Refuses TopicNotFound, TopicNotOptional, CarrierNotFound, MessageAddressRefused,
    InvalidValue, MessagesNotOffered.
    """

    channel: ClassVar[str] = CHANNEL
    kind: ClassVar[str] = "prefer"

    locale: str | None = None
    timezone: str | None = None
    topics: Mapping[str, bool] = field(default_factory=dict)
    carriers: Mapping[str, bool] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)

    async def perform(self, work: Work) -> dict[str, Any]:
        settings = settings_of(work)
        for topic, wanted in self.topics.items():
            if topic not in settings.topics:
                raise TopicNotFound(topic=topic[:64], hint=did_you_mean(topic[:64], settings.topics))
            if not wanted and not settings.topics[topic].is_optional:
                raise TopicNotOptional(topic=topic)
        row = await work.find(MessagePreferences, number=_ONLY)
        fresh = row is None
        row = row or MessagePreferences(number=_ONLY, locale=None, timezone=None, topics={}, carriers={}, addresses={})
        if self.locale is not None:
            row.locale = _locale(self.locale)
        if self.timezone is not None:
            row.timezone = _timezone(self.timezone)
        row.topics = {**row.topics, **self.topics}
        row.carriers = {**row.carriers, **self.carriers}
        row.addresses = {name: at for name, at in {**row.addresses, **self.addresses}.items() if at}
        row.updated_at = work.now
        if fresh:
            values = ("number", "locale", "timezone", "topics", "carriers", "addresses", "updated_at")
            work.add(MessagePreferences, **{name: getattr(row, name) for name in values})
        else:
            work.save(row)
        return {}


def checked_addresses(addresses: Mapping[str, str | None], carriers: Mapping[str, Carrier]) -> dict[str, str]:
    """The addresses as they are kept; empty for those to be forgotten.

    Raises CarrierNotFound, MessageAddressRefused.
    """
    found = {}
    for name, address in addresses.items():
        carrier = find_carrier(name, carriers)
        if not address:
            found[name] = ""
            continue
        try:
            if not carrier.has_addresses:
                raise AddressInvalid("it knows members by their ids")
            if len(address) > ADDRESS_MAX:
                raise AddressInvalid(f"it is longer than {ADDRESS_MAX} characters")
            found[name] = carrier.check_address(address)
        except AddressInvalid as invalid:
            raise MessageAddressRefused(carrier=name, reason=str(invalid)) from None
    return found


def find_carrier(name: str, carriers: Mapping[str, Carrier]) -> Carrier:
    """Raises CarrierNotFound."""
    if name not in carriers:
        raise CarrierNotFound(carrier=name[:64], hint=did_you_mean(name[:64], carriers))
    return carriers[name]


def settings_of(work: Work) -> MessageSettings:
    """Raises MessagesNotOffered."""
    settings = work.programme.channels.get(CHANNEL)
    if not isinstance(settings, MessageSettings):
        raise MessagesNotOffered(at=work.now)
    return settings


def _locale(tag: str) -> str | None:
    try:
        return locale_of(tag) if tag else None
    except ValueError:
        raise InvalidValue(field="locale", reason="there is no such language") from None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())  # reads a few hundred files


def _timezone(name: str) -> str | None:
    if name and name not in _zones():
        raise InvalidValue(field="timezone", reason="there is no such time zone")
    return name or None


async def watch(event: Event, work: Work) -> None:
    """Tell once, for as long as a member stays in a tier, that the next one is within reach."""
    if event.name != TALLIES_COUNTED:
        return
    settings, programme = work.programme.channels.get(CHANNEL), work.programme_now
    if not isinstance(settings, MessageSettings) or settings.within_reach is None or programme.tiers is None:
        return
    ladder, tier = programme.tiers, work.member.tier
    following = ladder.above(tier) if ladder.rank(tier) >= 0 else None
    if following is None or {need.fact for need in ladder.needs_of(following)}.isdisjoint(event.payload["days"]):
        return
    progress = ladder.progress(await _facts(work, ladder, following), tier)
    if not settings.within_reach <= progress.ratio < 1:
        return
    mark, stretch = await work.find(MessageMark, name=TIER_WITHIN_REACH), work.member.tier_changes
    if mark is None:
        work.add(MessageMark, name=TIER_WITHIN_REACH, stretch=stretch)
    elif mark.stretch == stretch:
        return
    else:
        mark.stretch = stretch
        work.save(mark)
    work.tell(TIER_WITHIN_REACH, tier=tier, next=following, percent=int(progress.ratio * 100))


async def _facts(work: Work, ladder: Ladder, tier: str) -> dict[Any, Any]:
    today, currency = work.today, work.programme_now.currency
    return {
        need: fact_value(need.fact, await work.counted(need.fact, since=need.window.start(today)), currency)
        for need in ladder.needs_of(tier)
    }
