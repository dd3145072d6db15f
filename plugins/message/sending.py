"""From an event to a letter: chosen once, written down, carried in order, and rendered at the last moment.

An event goes through two places. At ``choose`` each message that tells of it is written down, with the carrier that is
to bring it, and put into the outbox for that carrier, in one transaction. At the carrier's place it waits for quiet
hours to be over, is rendered from how things stand then, and sent. So nothing personal lies in the outbox, what a
member has turned off meanwhile is not sent, and nobody is told what holds no longer.

A carrier has two places: what may come at any time does not wait behind what may not.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from tortoise.exceptions import IntegrityError

from core.books.figures import BALANCES, Balances
from core.books.members import MemberStatus, bucket_of
from core.errors import ProgrammeNotFound
from core.models import LotRow, MemberRow
from core.rulebook.programme import Programme
from core.store import Store
from core.store.databases import unit_of_work
from core.telling.carriers import Letter
from core.telling.destinations import Destinations, NotHeard, NotYet
from core.telling.event_types import EventData
from core.telling.events import (
    POINTS_EXPIRING,
    TIER_AT_RISK,
    TIER_CHANGED,
    TIER_GRACE_STARTED,
    TIER_RENEWED,
    Delivery,
)
from core.telling.outbox import put
from core.time.calendar import day_start, local_day, next_day
from core.units import POINTS
from graph.vocabulary import global_id

from .events import TIER_WITHIN_REACH
from .facts import MemberFacts, ProgrammeFacts, as_condition, as_text
from .models import FAILED, SENT, SKIPPED, WAITING, MemberMessage, MessagePreferences
from .rendering import CannotRender, Style, render
from .rules import CHANNEL, Message, MessageSettings, style_of, values

CHOOSE: Final = "choose"
AT_ONCE: Final = "at_once"
"""Behind a carrier's name: its place for what does not wait for the morning."""
_OF_THE_TIER: Final = {TIER_CHANGED, TIER_AT_RISK, TIER_GRACE_STARTED, TIER_RENEWED, TIER_WITHIN_REACH}
"""Events about the tier that a member has; in another one they hold no longer."""


class Reader(NamedTuple):
    """A member as of now, and what they have chosen."""

    row: MemberRow
    facts: MemberFacts
    preferences: MessagePreferences

    def locale(self, settings: MessageSettings) -> str:
        return self.preferences.locale or settings.locale

    def zone(self, settings: MessageSettings, programme: Programme) -> ZoneInfo:
        """The zone whose nights are quiet."""
        quiet = settings.quiet_hours
        own = self.preferences.timezone if quiet is not None and quiet.zone == "member" else None
        return ZoneInfo(own) if own else programme.zone

    def refuses(self, settings: MessageSettings, message: Message) -> str | None:
        """Why the member is not to be sent it, whatever the carrier; None when nothing is against it."""
        topic = settings.topics[message.topic]
        if self.row.status == MemberStatus.CLOSED and topic.is_optional:
            return "the membership is closed"
        if not topic.is_wanted(self.preferences.topics.get(message.topic)):
            return "the member does not want to hear of it"
        return None


class Messages(Destinations):
    """The carriers, each as two places, and the place where messages are chosen."""

    async def wanted(self) -> Mapping[str, Collection[str]]:
        settings = await self._settings()
        if settings is None:
            return {}
        places: dict[str, Collection[str]] = {CHOOSE: tuple(settings.by_event)}
        for carrier in self.carriers:
            # What they are sent comes from the other place. Those that no message names any more may still have some.
            places |= {carrier: (), f"{carrier}:{AT_ONCE}": ()}
        return places

    async def carry(self, place: str, event: Delivery) -> None:
        programme = await self._programme()
        settings = programme.channels.get(CHANNEL) if programme else None
        if programme is None or not isinstance(settings, MessageSettings):
            return
        if place == CHOOSE:
            await self._choose(event, programme, settings)
        else:
            await self._bring(place.partition(":")[0], event, programme, settings)

    async def give_up(self, place: str, event: Delivery, error: NotHeard) -> None:
        if place != CHOOSE:
            await _of(event).update(state=FAILED, reason=str(error)[:500])

    # -- choosing -----------------------------------------------------------------------------------

    async def _choose(self, event: Delivery, programme: Programme, settings: MessageSettings) -> None:
        reader: Reader | None = None
        for message in settings.by_event.get(event.name, ()):
            reader = reader or await read(event.member_id, programme, self.clock.now())
            data = message.type.data.model_validate(dict(event.payload))
            if message.holds(as_condition(data), reader.facts):
                reason = reader.refuses(settings, message)
                carriers = [] if reason else self._reaching(reader, message.carriers)
                await self._write_down(event, settings, message, carriers, reason)

    def _reaching(self, reader: Reader, carriers: Iterable[str]) -> list[str]:
        """Those of the carriers that reach the member, in their order."""
        return [name for name in carriers if self._address(reader, name) is not None]

    def _address(self, reader: Reader, carrier: str) -> str | None:
        """Where the carrier reaches the member: empty when it needs no address, None when it does not."""
        kind, chosen = self.carriers.get(carrier), reader.preferences
        if kind is None or not chosen.carriers.get(carrier, True):
            return None
        return chosen.addresses.get(carrier) if kind.has_addresses else ""

    async def _write_down(
        self, event: Delivery, settings: MessageSettings, message: Message, carriers: list[str], reason: str | None
    ) -> None:
        topic = settings.topics[message.topic]
        message_id = id_of(event.id, message.id)
        letter = event._replace(id=message_id, payload={"message": message.id, "data": dict(event.payload)})
        reason = reason or (None if carriers else "no carrier reaches the member")

        async def write() -> None:
            if await _of(letter).exists():
                return  # it was told of before
            await MemberMessage.create(
                bucket=bucket_of(event.member_id),
                member_id=event.member_id,
                message_id=message_id,
                message=message.id,
                event=event.name,
                topic=message.topic,
                carrier=carriers[0] if carriers else "",
                state=SKIPPED if reason else WAITING,
                reason=reason,
                is_marketing=topic.is_optional,
                queued_at=self.clock.now(),
            )
            if not reason:
                await put(_consumer(carriers[0], waits=topic.waits), letter)

        try:
            await unit_of_work(write)
        except IntegrityError:
            return  # another process, whose lease had run out, was as far

    # -- bringing -----------------------------------------------------------------------------------

    async def _bring(self, carrier: str, event: Delivery, programme: Programme, settings: MessageSettings) -> None:
        kept = await _of(event).get_or_none()
        message = settings.by_id.get(event.payload["message"])
        if kept is None or kept.state in {SENT, SKIPPED}:
            return
        if message is None or message.event != event.name:
            await self._skip(event, "the programme has the message no more")
            return
        now, topic = self.clock.now(), settings.topics[message.topic]
        reader = await read(event.member_id, programme, now)
        if topic.waits and settings.quiet_hours is not None:
            over_at = settings.quiet_hours.over_at(now, reader.zone(settings, programme))
            if over_at is not None:
                raise NotYet(over_at)
        data = message.type.data.model_validate(event.payload["data"])
        data, reason = await self._as_of_now(event, data, reader, programme)
        address = self._address(reader, carrier)
        reason = reason or reader.refuses(settings, message)
        if reason is None and address is None:
            reason = "the member cannot be reached there any more"
        if reason is None and self._is_stale(event, message):
            reason = "it is too late to say"
        if reason is None and not message.holds(as_condition(data), reader.facts):
            reason = "it holds no longer"
        if reason is None and topic.is_optional and await self._is_too_much(event, programme, settings):
            reason = "the member was written to often enough today"
        if reason is not None:
            await self._skip(event, reason)
            return
        assert address is not None, "it is reached"
        locale = reader.locale(settings)
        try:
            letter = letter_of(message, event.id, data, event, locale, reader, programme, settings, address)
        except CannotRender as error:
            raise NotHeard(str(error), for_good=True) from None
        try:
            await self.carriers[carrier].carry(letter)
        except NotHeard as error:
            if error.for_good and await self._pass_on(carrier, event, message, reader, waits=topic.waits):
                return
            raise
        await _of(event).update(state=SENT, reason=None, sent_at=self.clock.now(), locale=letter.locale)

    async def _pass_on(self, carrier: str, event: Delivery, message: Message, reader: Reader, *, waits: bool) -> bool:
        """Let the next carrier try what this one will never bring; whether there is one."""
        if carrier not in message.carriers:
            return False
        others = self._reaching(reader, message.carriers[message.carriers.index(carrier) + 1 :])
        if not others:
            return False

        async def write() -> None:
            await _of(event).update(carrier=others[0])
            await put(_consumer(others[0], waits=waits), event)

        await unit_of_work(write)
        return True

    async def _as_of_now(
        self, event: Delivery, data: EventData, reader: Reader, programme: Programme
    ) -> tuple[EventData, str | None]:
        """The event's data as it still holds, and why it does not, if it does not."""
        gone = "it holds no longer"
        if event.name in _OF_THE_TIER and getattr(data, "tier", None) != reader.row.tier:
            return data, gone  # the next change says where the member is
        if event.name == TIER_AT_RISK and self.clock.now() >= getattr(data, "review_at"):  # noqa: B009
            return data, gone
        if event.name == POINTS_EXPIRING:
            unit, day = getattr(data, "unit"), getattr(data, "expires_on")  # noqa: B009  the shape is the core's
            left = await still_expiring(event.member_id, unit, day, programme, self.clock.now())
            return data.model_copy(update={"points": left}), None if left else gone
        return data, None

    def _is_stale(self, event: Delivery, message: Message) -> bool:
        hours = message.fresh_hours
        return hours is not None and self.clock.now() > event.recorded_at + timedelta(hours=hours)

    async def _is_too_much(self, event: Delivery, programme: Programme, settings: MessageSettings) -> bool:
        if settings.per_day is None:
            return False
        today = day_start(local_day(self.clock.now(), programme.zone), programme.zone)
        sent = MemberMessage.filter(bucket=bucket_of(event.member_id), member_id=event.member_id, is_marketing=True)
        return await sent.filter(state=SENT, sent_at__gte=today).count() >= settings.per_day

    async def _skip(self, event: Delivery, reason: str) -> None:
        await _of(event).update(state=SKIPPED, reason=reason)

    # -- the programme ------------------------------------------------------------------------------

    @cached_property
    def _store(self) -> Store:
        return Store()

    async def _programme(self) -> Programme | None:
        assert self.programmes is not None, "whoever opens destinations says what there is"
        if not self.programmes.fresh:
            await self.programmes.refresh(self._store.reader())
        try:
            return self.programmes.at(self.clock.now()).programme
        except ProgrammeNotFound:
            return None

    async def _settings(self) -> MessageSettings | None:
        programme = await self._programme()
        settings = programme.channels.get(CHANNEL) if programme else None
        return settings if isinstance(settings, MessageSettings) else None


def id_of(event_id: str, message: str) -> str:
    """The id of what a message tells of an event: the same whenever it is asked for, and in the order of the events.

    >>> id_of("0197a3c0-1f2e-7abc-8def-0123456789ab", "welcome")
    '0197a3c0-1f2e-7abc-8def-e409a8d0e31c'
    """
    # The front of an event's id is the time.
    return event_id[:24] + hashlib.blake2b(f"{event_id}:{message}".encode(), digest_size=6).hexdigest()


def _consumer(carrier: str, *, waits: bool) -> str:
    """A carrier's place as the outbox calls it."""
    return f"{CHANNEL}:{carrier}" if waits else f"{CHANNEL}:{carrier}:{AT_ONCE}"


def consumers_of(carrier: str) -> tuple[str, str]:
    """Both places of a carrier, as the outbox calls them."""
    return _consumer(carrier, waits=True), _consumer(carrier, waits=False)


def _of(letter: Delivery) -> Any:
    """The row of a message that is on its way."""
    return MemberMessage.filter(bucket=bucket_of(letter.member_id), member_id=letter.member_id, message_id=letter.id)


async def read(member_id: str, programme: Programme, now: Any) -> Reader:
    """A member as of now, and what they have chosen."""
    bucket = bucket_of(member_id)
    row = await MemberRow.get(bucket=bucket, id=member_id)
    chosen = await MessagePreferences.get_or_none(bucket=bucket, member_id=member_id)
    key = Balances.key(member_id, POINTS, now)
    balance = (await BALANCES.answer(Store().reader(), [key])).get(key)
    ladder = programme.tiers
    named = {tier.id: (rank, tier.name or tier.id) for rank, tier in enumerate(ladder.ladder, 1)} if ladder else {}
    rank, name = named.get(row.tier, (0, row.tier))
    facts = MemberFacts(
        external_id=row.external_id,
        status=row.status,
        tier=row.tier,
        tier_name=name,
        tier_rank=rank,
        points=balance.available if balance else 0,
        enrolled_at=row.enrolled_at,
    )
    nothing = MessagePreferences(locale=None, timezone=None, topics={}, carriers={}, addresses={})
    return Reader(row, facts, chosen or nothing)


async def still_expiring(member_id: str, unit: str, day: Any, programme: Programme, now: Any) -> int:
    """What of a unit a member still has that is lost on that day; nothing from the day on."""
    first, last = day_start(day, programme.zone), day_start(next_day(day), programme.zone)
    if now >= first:
        return 0
    lots = LotRow.filter(bucket=bucket_of(member_id), member_id=member_id, unit=unit, remaining__gt=0)
    rows = await lots.filter(expires_at__gte=first, expires_at__lt=last)
    return sum(lot.remaining - lot.held for lot in rows)


def letter_of(
    message: Message,
    id: str,
    data: EventData,
    event: Delivery,
    locale: str,
    reader: Reader,
    programme: Programme,
    settings: MessageSettings,
    address: str,
) -> Letter:
    """The message in the member's language. Raises CannotRender."""
    known = values(
        as_text(data), reader.facts, reader.row.attributes, ProgrammeFacts(programme.id, programme.name or programme.id)
    )
    written_in, subject, text, html = words(message, known, locale, programme, settings)
    member = {"id": global_id("Member", event.member_id), "externalId": reader.row.external_id}
    return Letter(
        id=id,
        message=message.id,
        event=event.name,
        topic=message.topic,
        recorded_at=event.recorded_at,
        locale=written_in,
        member=member,
        address=address,
        subject=subject,
        text=text,
        html=html,
    )


def words(
    message: Message, known: Mapping[str, Any], locale: str, programme: Programme, settings: MessageSettings
) -> tuple[str, str, str, str | None]:
    """A message for readers of a language: the language it is in, subject, text and HTML. Raises CannotRender."""
    written_in, text = message.text_for(locale, settings.locale)
    style: Style = style_of(programme, written_in)
    return (
        written_in,
        " ".join(render(text.subject, known, style).split()),
        render(text.text, known, style),
        None if text.html is None else render(text.html, known, style, html=True),
    )
