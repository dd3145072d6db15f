"""Messages in the schema: what members choose and were sent, and what operators see of the carriers."""

from datetime import datetime
from enum import Enum
from typing import Annotated, Any, cast

import strawberry

from core.books.members import new_id
from core.channels.tags import TAG_GIVEN, TAG_LOST
from core.errors import InvalidValue
from core.models import OutboxRow
from core.oversight.auditing import audited, write_down
from core.rulebook.programme import Programme
from core.suggest import did_you_mean
from core.telling.carriers import Letter
from core.telling.destinations import NotHeard
from core.telling.outbox import revive
from graph.vocabulary import (
    ACTING,
    ID,
    Connection,
    Info,
    Member,
    MemberByInput,
    Page,
    Payload,
    Role,
    UserError,
    Where,
    actor,
    check_text,
    field,
    find_member,
    global_id,
    mutation,
    newest,
    page_of_member,
    paged,
    perform,
    query,
)

from .facts import ProgrammeFacts, as_text, sample
from .models import FAILED, SENT, SKIPPED, WAITING, MemberMessage, MessagePreferences
from .operations import UpdateMessagePreferences, checked_addresses, find_carrier
from .refusals import MessageNotFound, MessagesNotOffered
from .rendering import CannotRender
from .rules import CHANNEL, Message, MessageSettings, locale_of, sample_values, values
from .sending import consumers_of, read, words

_DEAD_MAX = 100
_CHOICES_MAX = 50
_OPERATORS = frozenset({Role.OPERATOR})


# -- what is answered ---------------------------------------------------------------------------------


@strawberry.enum
class MessageState(Enum):
    """What became of a message."""

    WAITING = strawberry.enum_value(WAITING, description="It is on its way, or waits for quiet hours to be over.")
    SENT = strawberry.enum_value(SENT, description="The carrier has taken it.")
    SKIPPED = strawberry.enum_value(SKIPPED, description="It was not to be sent: the reason says why.")
    FAILED = strawberry.enum_value(FAILED, description="The carrier would not take it. Operators can send it again.")


@strawberry.type(name="MemberMessage")
class MemberMessageNode:
    """A message to a member. What it said is not kept."""

    id: ID = strawberry.field(description="The message's id, the same for every attempt: what the carrier was given.")
    message: str = strawberry.field(description="The message, by its id in the programme: welcome.")
    event: str = strawberry.field(description="The type of the event that it tells of: member.enrolled.")
    topic: str = strawberry.field(description="What it is about, by its id in the programme.")
    carrier: str | None = strawberry.field(description="What brings it; null when nothing reaches the member.")
    locale: str | None = strawberry.field(description="The language that it was sent in; null until it was sent.")
    state: MessageState = strawberry.field(description="What became of it.")
    reason: str | None = strawberry.field(description="Why it was skipped or failed; null otherwise.")
    queued_at: datetime = strawberry.field(description="When it was decided upon.")
    sent_at: datetime | None = strawberry.field(description="When the carrier took it; null while it has not.")

    @classmethod
    def of(cls, row: Any) -> "MemberMessageNode":
        return cls(
            id=ID(row.message_id),
            message=row.message,
            event=row.event,
            topic=row.topic,
            carrier=row.carrier or None,
            locale=_tag(row.locale),
            state=MessageState(row.state),
            reason=row.reason,
            queued_at=row.queued_at,
            sent_at=row.sent_at,
        )


@strawberry.type
class MessageTopic:
    """What messages are about, and whether the member wants to hear of it."""

    id: str = strawberry.field(description="The topic's id in the programme.")
    is_optional: bool = strawberry.field(description="Whether it can be turned off.")
    is_wanted: bool = strawberry.field(description="Whether the member is written to about it.")


@strawberry.type
class MessageCarrierChoice:
    """A carrier that the programme's messages name, and whether the member wants to be reached by it."""

    carrier: str = strawberry.field(description="The carrier's name: smtp.")
    is_wanted: bool = strawberry.field(description="Whether the member wants to be reached by it.")
    has_addresses: bool = strawberry.field(description="Whether members have addresses with it.")
    _address: strawberry.Private[str | None]

    @field(allow=ACTING)
    async def address(self, info: Info) -> str | None:
        """Where the member is reached; null where no address is known."""
        return self._address


@strawberry.type(name="MessagePreferences")
class MessagePreferencesNode:
    """What a member has chosen."""

    locale: str | None = strawberry.field(description="The language, as in zh-Hant; null when none was chosen.")
    timezone: str | None = strawberry.field(
        description="The time zone, as in Asia/Shanghai; null when none was chosen."
    )
    topics: list[MessageTopic] = strawberry.field(description="The programme's topics, in its order.")
    carriers: list[MessageCarrierChoice] = strawberry.field(description="The carriers that its messages name.")


@strawberry.type
class MemberMessages:
    """What a member is written."""

    _member_id: strawberry.Private[str]
    _settings: strawberry.Private[MessageSettings]

    @strawberry.field
    async def preferences(self, info: Info) -> MessagePreferencesNode:
        """What the member has chosen."""
        rows = await info.context.loaders.rows(MessagePreferences, self._member_id)
        row = rows[0] if rows else None
        topics, carriers, addresses = (row.topics, row.carriers, row.addresses) if row else ({}, {}, {})
        known = info.context.laurel.carriers
        return MessagePreferencesNode(
            locale=_tag(row.locale) if row else None,
            timezone=row.timezone if row else None,
            topics=[
                MessageTopic(id=name, is_optional=topic.is_optional, is_wanted=topic.is_wanted(topics.get(name)))
                for name, topic in self._settings.topics.items()
            ],
            carriers=[
                MessageCarrierChoice(
                    carrier=name,
                    is_wanted=carriers.get(name, True),
                    has_addresses=known[name].has_addresses,
                    _address=addresses.get(name),
                )
                for name in self._settings.carriers
            ],
        )

    @strawberry.field
    @paged
    async def recent(self, info: Info, page: Page) -> Connection[MemberMessageNode]:
        """What the member was sent, or was not, the newest first; for as long as the programme lists it.

        Members see of what tells of their tags what was sent to them.
        """
        order, where = newest("message_id"), _told(info)
        return await page_of_member(info, MemberMessage, self._member_id, MemberMessageNode.of, page, order, where)


def _told(info: Info) -> list[Where]:
    """Which of a member's messages the caller is told of: members of none that would tell them a tag and never did."""
    caller = info.context.caller
    if caller is None or caller.role is not Role.MEMBER:
        return []
    return [Where("(event NOT IN (?, ?) OR state = ?)", (TAG_GIVEN, TAG_LOST, SENT))]


@strawberry.type
class MessageMemberFields:
    """What a member has of messages."""

    @strawberry.field
    async def messages(self, info: Info) -> MemberMessages | None:
        """What the member is written; null when the programme sends no messages."""
        settings = (await info.context.version()).programme.channels.get(CHANNEL)
        if not isinstance(settings, MessageSettings):
            return None
        # Fields of Member, so they are resolved with a member as self.
        return MemberMessages(_member_id=cast(Member, self).member_id, _settings=settings)


@strawberry.type
class UndeliveredMessage:
    """A message that a carrier would not take. It is sent again only when it is replayed."""

    id: ID = strawberry.field(description="The message's id.")
    message: str = strawberry.field(description="The message, by its id in the programme.")
    event: str = strawberry.field(description="The type of the event that it tells of.")
    occurred_at: datetime = strawberry.field(description="When that was.")
    tries: int = strawberry.field(description="How often it was sent.")
    error: str = strawberry.field(description="What the last attempt ran into.")
    _member_id: strawberry.Private[str]

    @strawberry.field
    async def member(self, info: Info) -> Member | None:
        """Whom it is for."""
        return await Member.find(info, self._member_id)


@strawberry.type
class MessageCarrier:
    """What brings messages to members."""

    name: str = strawberry.field(description="What the programme calls it: smtp.")
    is_set_up: bool = strawberry.field(
        description="Whether this process's environment says all that it needs. What it should bring waits otherwise."
    )
    has_addresses: bool = strawberry.field(description="Whether members have addresses with it.")

    @strawberry.field
    async def waiting(self) -> int:
        """How many messages are on their way, those that wait for quiet hours to be over included."""
        return await OutboxRow.filter(consumer__in=consumers_of(self.name), dead=False).count()

    @strawberry.field
    async def undelivered(self) -> list[UndeliveredMessage]:
        """The messages that it would not take, the oldest first, 100 at most."""
        dead = await OutboxRow.filter(consumer__in=consumers_of(self.name), dead=True).order_by("id").limit(_DEAD_MAX)
        return [
            UndeliveredMessage(
                id=ID(row.event_id),
                message=row.payload["message"],
                event=row.name,
                occurred_at=row.recorded_at,
                tries=row.tries,
                error=row.error,
                _member_id=row.member_id,
            )
            for row in dead
        ]


@strawberry.type
class MessageText:
    """A message as its reader gets it."""

    message: str = strawberry.field(description="The message, by its id in the programme.")
    locale: str = strawberry.field(description="The language that it is in: that asked for, or what it falls back to.")
    subject: str = strawberry.field(description="The subject; empty when it has none.")
    text: str = strawberry.field(description="The message as plain text.")
    html: str | None = strawberry.field(description="The message as HTML; null when it is plain text only.")


@strawberry.type
class MessageQueries:
    """What can be asked about messages."""

    @query(allow=_OPERATORS)
    async def message_carriers(self, info: Info) -> list[MessageCarrier]:
        """What brings messages to members, with what waits there and what was not taken."""
        return [
            MessageCarrier(name=name, is_set_up=carrier.is_set_up, has_addresses=carrier.has_addresses)
            for name, carrier in sorted(info.context.laurel.carriers.items())
        ]

    @query(allow=_OPERATORS)
    async def message_preview(
        self,
        info: Info,
        event: Annotated[str, strawberry.argument(description="The type of an event: points.expiring.")],
        locale: Annotated[
            str | None, strawberry.argument(description="The language, as in zh-Hant; the programme's if left out.")
        ] = None,
        member: Annotated[
            MemberByInput | None,
            strawberry.argument(description="Whom it speaks of; somebody made up if left out, as the event always is."),
        ] = None,
    ) -> list[MessageText]:
        """The messages that tell of an event, as their reader would get them, whatever their conditions."""
        programme, settings = await _offered(info)
        found = settings.by_event.get(event, ())
        if not found:
            raise MessageNotFound(named=event[:64], hint=did_you_mean(event[:64], settings.by_event))
        return [await _preview(info, message, programme, settings, locale, member) for message in found]


# -- what is asked ------------------------------------------------------------------------------------


@strawberry.input
class MessageTopicInput:
    """Whether to hear of a topic."""

    topic: str = strawberry.field(description="The topic's id in the programme.")
    wanted: bool = strawberry.field(description="Whether messages about it are wanted.")


@strawberry.input
class MessageCarrierInput:
    """Whether and where to be reached by a carrier."""

    carrier: str = strawberry.field(description="The carrier's name: smtp.")
    wanted: bool | None = strawberry.field(
        default=None, description="Whether messages are to come by it; as before if left out."
    )
    address: strawberry.Maybe[str | None] = strawberry.field(
        description="Where: an e-mail address. Null forgets the one that is known; left out, it stays."
    )


@strawberry.input
class UpdateMessagePreferencesInput:
    """What a member chooses. What is left out stays as it is."""

    member: MemberByInput = strawberry.field(description="Whose choice it is.")
    locale: strawberry.Maybe[str | None] = strawberry.field(
        description="The language, as in zh-Hant. Null chooses none, and the programme's is used."
    )
    timezone: strawberry.Maybe[str | None] = strawberry.field(
        description="The time zone, as in Asia/Shanghai. Null chooses none, and the programme's is used."
    )
    topics: list[MessageTopicInput] = strawberry.field(
        default_factory=list, description="Topics to hear of or not to, 50 at most."
    )
    carriers: list[MessageCarrierInput] = strawberry.field(
        default_factory=list, description="Carriers to be reached by or not to, 50 at most."
    )
    idempotency_key: str = strawberry.field(
        description="A key of your own for this request, 1 to 200 characters: sent again with the same key it is not "
        "performed again, and answered as before."
    )


@strawberry.input
class SendTestMessageInput:
    """A message to try out."""

    message: str = strawberry.field(description="The message, by its id in the programme.")
    carrier: str = strawberry.field(description="The carrier to send it by, whether or not the message names it.")
    address: str | None = strawberry.field(
        default=None, description="Where to send it; left out for a carrier without addresses."
    )
    locale: str | None = strawberry.field(
        default=None, description="The language, as in zh-Hant; the programme's if left out."
    )


@strawberry.input
class ReplayMessagesInput:
    """Messages to send again."""

    carrier: str = strawberry.field(description="The carrier that would not take them.")
    messages: list[ID] | None = strawberry.field(
        default=None, description="Their ids; all that it has not taken if left out."
    )


@strawberry.type
class UpdateMessagePreferencesPayload(Payload):
    """What became of a choice."""


@strawberry.type
class SendTestMessagePayload:
    """What became of trying a message out."""

    text: MessageText | None = strawberry.field(default=None, description="What was sent; null when it was refused.")
    failure: str | None = strawberry.field(
        default=None, description="Why the carrier did not take it; null when it did, or when the request was refused."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty when it was tried."
    )


@strawberry.type
class ReplayMessagesPayload:
    """What will be sent again."""

    replayed_messages: int = strawberry.field(default=0, description="How many messages that are.")
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty when it was done."
    )


@strawberry.type
class MessageMutations:
    """What can be done about messages."""

    @mutation(allow=ACTING)
    async def update_message_preferences(
        self, info: Info, input: UpdateMessagePreferencesInput
    ) -> UpdateMessagePreferencesPayload:
        """Choose what to be written about, how, where and in which language."""
        for name, given in (("topics", input.topics), ("carriers", input.carriers)):
            if len(given) > _CHOICES_MAX:
                raise InvalidValue(field=name, reason=f"at most {_CHOICES_MAX}")
        carriers = info.context.laurel.carriers
        for choice in input.carriers:
            find_carrier(choice.carrier, carriers)
        addresses = {choice.carrier: choice.address.value for choice in input.carriers if choice.address}
        operation = UpdateMessagePreferences(
            member=input.member.to_ref(info),
            idempotency_key=input.idempotency_key,
            actor=actor(info),
            locale=None if input.locale is None else input.locale.value or "",
            timezone=None if input.timezone is None else input.timezone.value or "",
            topics={choice.topic: choice.wanted for choice in input.topics},
            carriers={choice.carrier: choice.wanted for choice in input.carriers if choice.wanted is not None},
            addresses=checked_addresses(addresses, carriers),
        )
        return await perform(info, operation, UpdateMessagePreferencesPayload)

    @mutation(allow=_OPERATORS)
    async def send_test_message(self, info: Info, input: SendTestMessageInput) -> SendTestMessagePayload:
        """Send a message about something made up, now and once, to an address of your own."""
        programme, settings = await _offered(info)
        message = settings.by_id.get(input.message)
        if message is None:
            raise MessageNotFound(named=input.message[:64], hint=did_you_mean(input.message[:64], settings.by_id))
        carriers = info.context.laurel.carriers
        carrier = find_carrier(input.carrier, carriers)
        address = ""
        if carrier.has_addresses:
            address = checked_addresses({input.carrier: check_text("address", input.address or "")}, carriers)[
                input.carrier
            ]
        text = await _preview(info, message, programme, settings, input.locale, None)
        letter = Letter(
            id=new_id(),
            message=message.id,
            event=message.event,
            topic=message.topic,
            recorded_at=info.context.now,
            locale=locale_of(text.locale),
            member={"id": global_id("Member", "0"), "externalId": "A-1001"},
            address=address,
            subject=text.subject,
            text=text.text,
            html=text.html,
        )
        try:
            await carrier.carry(letter)
        except NotHeard as failure:
            await _put_down(info, {"message": message.id, "carrier": input.carrier}, answer=str(failure)[:200])
            return SendTestMessagePayload(text=text, failure=str(failure))
        await _put_down(info, {"message": message.id, "carrier": input.carrier}, answer="taken")
        return SendTestMessagePayload(text=text)

    @mutation(allow=_OPERATORS)
    async def replay_messages(self, info: Info, input: ReplayMessagesInput) -> ReplayMessagesPayload:
        """Send messages again that a carrier would not take, as if for the first time."""
        find_carrier(input.carrier, info.context.laurel.carriers)
        for id in input.messages or ():
            check_text("messages", id, 36)
        replayed = sum([await revive(consumer, input.messages) for consumer in consumers_of(input.carrier)])
        await _put_down(info, {"carrier": input.carrier}, replayed=replayed)
        return ReplayMessagesPayload(replayed_messages=replayed)


async def _put_down(info: Info, facts: dict[str, str | int], **more: str | int) -> None:
    """Keep in the audit log what was sent, and what came of it."""
    await audited(lambda: write_down(info.context.now, before=facts, after={**facts, **more}))


async def _offered(info: Info) -> tuple[Programme, MessageSettings]:
    """Raises MessagesNotOffered."""
    programme = (await info.context.version()).programme
    settings = programme.channels.get(CHANNEL)
    if not isinstance(settings, MessageSettings):
        raise MessagesNotOffered(at=info.context.now)
    return programme, settings


async def _preview(
    info: Info,
    message: Message,
    programme: Programme,
    settings: MessageSettings,
    locale: str | None,
    by: MemberByInput | None,
) -> MessageText:
    known = sample_values(message.type)
    if by is not None and (member := await find_member(info, by)) is not None:
        reader = await read(member.member_id, programme, info.context.now)
        named = ProgrammeFacts(programme.id, programme.name or programme.id)
        known = values(as_text(sample(message.type.data)), reader.facts, reader.row.attributes, named)
    try:
        wanted = settings.locale if locale is None else locale_of(locale)
    except ValueError:
        raise InvalidValue(field="locale", reason="there is no such language") from None
    try:
        written_in, subject, text, html = words(message, known, wanted, programme, settings)
    except CannotRender as error:
        raise InvalidValue(field="member", reason=str(error)) from None
    return MessageText(message=message.id, locale=_tag(written_in) or "", subject=subject, text=text, html=html)


def _tag(locale: str | None) -> str | None:
    """A language as it is written outside: zh-Hant."""
    return None if locale is None else locale.replace("_", "-")
