"""Endpoints in the schema, and the kinds of events that they can be sent."""

import enum
from datetime import datetime
from functools import cache
from typing import Any

import orjson
import strawberry

from core.books.members import new_id
from core.models import OutboxRow
from core.telling.destinations import NotHeard
from core.telling.event_types import EventType as EventKind
from core.telling.posting import client, is_private, post_signed
from core.time.clock import rfc3339
from graph.vocabulary import (
    EVERYONE,
    ID,
    Info,
    Role,
    UserError,
    actor,
    check_text,
    global_id,
    mutation,
    parts_of,
    query,
)

from .endpoints import Endpoints
from .models import ACTIVE, DISABLED, PAUSED
from .models import WebhookEndpoint as Row
from .refusals import WebhookEndpointNotFound

PLUGIN = "webhooks"
_DEAD_MAX = 100
_OPERATORS = frozenset({Role.OPERATOR})


@strawberry.enum
class WebhookEndpointState(enum.Enum):
    """Whether an endpoint is sent events."""

    ACTIVE = strawberry.enum_value(ACTIVE, description="It is sent the events that it names.")
    PAUSED = strawberry.enum_value(PAUSED, description="Nothing is sent; what waits for it waits, new events do not.")
    DISABLED = strawberry.enum_value(DISABLED, description="As PAUSED, by Laurel itself: it had failed for too long.")


@strawberry.type
class UndeliveredEvent:
    """An event that an endpoint has not taken in three days. It is sent again only when it is replayed."""

    id: str = strawberry.field(description="The event's id: the `webhook-id` of every attempt.")
    type: str = strawberry.field(description="Its type: tier.changed.")
    occurred_at: datetime = strawberry.field(description="When it was recorded.")
    tries: int = strawberry.field(description="How often it was sent.")
    error: str = strawberry.field(description="What the last attempt ran into.")


@strawberry.type
class WebhookEndpoint:
    """An address that is sent events, signed by the Standard Webhooks specification."""

    id: ID = strawberry.field(description="The endpoint's id.")
    url: str = strawberry.field(description="Where events are sent.")
    description: str = strawberry.field(description="What it is for.")
    events: list[str] = strawberry.field(description="The types of the events that it is sent.")
    state: WebhookEndpointState = strawberry.field(description="Whether it is sent events.")
    disabled_because: str | None = strawberry.field(description="Why Laurel disabled it; null while it has not.")
    created_by: str = strawberry.field(description="Who made it.")
    created_at: datetime = strawberry.field(description="When it was made.")
    former_secret_until: datetime | None = strawberry.field(
        description="Until when requests are signed with the former secret as well; null without one."
    )

    @classmethod
    def of(cls, row: Row) -> "WebhookEndpoint":
        return cls(
            id=global_id("WebhookEndpoint", row.id),
            url=row.url,
            description=row.description,
            events=row.events,
            state=WebhookEndpointState(row.state),
            disabled_because=row.disabled_because or None,
            created_by=row.created_by,
            created_at=row.created_at,
            former_secret_until=row.former_until,
        )

    @strawberry.field
    async def waiting(self) -> int:
        """How many events are on their way to it."""
        return await OutboxRow.filter(consumer=_consumer(self.id), dead=False).count()

    @strawberry.field
    async def undelivered(self) -> list[UndeliveredEvent]:
        """The events that it has not taken in three days, the oldest first, 100 at most."""
        rows = await OutboxRow.filter(consumer=_consumer(self.id), dead=True).order_by("id").limit(_DEAD_MAX)
        return [
            UndeliveredEvent(
                id=row.event_id, type=row.name, occurred_at=row.recorded_at, tries=row.tries, error=row.error
            )
            for row in rows
        ]


@strawberry.type
class EventType:
    """A kind of event that is told outside. Its shape only ever gains fields; otherwise it gets another version."""

    name: str = strawberry.field(description="The event's name: noun.happened.")
    version: int = strawberry.field(description="The version of its shape.")
    description: str = strawberry.field(description="When it is told.")
    schema: str = strawberry.field(description="The shape of `data`: a JSON Schema, as text.")


@cache
def _schema_of(kind: EventKind) -> str:
    return orjson.dumps(kind.schema(), option=orjson.OPT_SORT_KEYS).decode()


@strawberry.type
class WebhookQueries:
    """What can be asked about webhooks."""

    @query(allow=EVERYONE)
    async def event_types(self, info: Info) -> list[EventType]:
        """The events that can be told outside, by name."""
        return [
            EventType(
                name=kind.name,
                version=kind.version,
                description=kind.description,
                schema=_schema_of(kind),
            )
            for _, kind in sorted(info.context.laurel.plugins.event_types.items())
        ]

    @query(allow=_OPERATORS)
    async def webhook_endpoints(self, info: Info) -> list[WebhookEndpoint]:
        """All endpoints, in the order in which they were made; there are at most 50."""
        return [WebhookEndpoint.of(row) for row in await Row.all().order_by("id")]


@strawberry.input
class CreateWebhookEndpointInput:
    """A new endpoint."""

    url: str = strawberry.field(description="Where to send: an https address of the open internet.")
    events: list[str] = strawberry.field(description="The types of the events to send: `eventTypes` lists them.")
    description: str = strawberry.field(default="", description="What it is for, 200 characters at most.")


@strawberry.input
class UpdateWebhookEndpointInput:
    """What to change of an endpoint; what is left out stays."""

    id: ID = strawberry.field(description="The endpoint.")
    url: strawberry.Maybe[str] = strawberry.field(description="Where to send.")
    events: strawberry.Maybe[list[str]] = strawberry.field(description="The types of the events to send, all of them.")
    description: strawberry.Maybe[str] = strawberry.field(description="What it is for.")
    active: strawberry.Maybe[bool] = strawberry.field(
        description="true to send, also to an endpoint that was disabled; false to pause."
    )


@strawberry.input
class RotateWebhookSecretInput:
    """A new secret for an endpoint."""

    id: ID = strawberry.field(description="The endpoint.")
    overlap_hours: int = strawberry.field(
        default=24, description="For how many hours the former secret signs as well, 0 to 168."
    )


@strawberry.input
class DeleteWebhookEndpointInput:
    """An endpoint to forget."""

    id: ID = strawberry.field(description="The endpoint.")


@strawberry.input
class TestWebhookEndpointInput:
    """An endpoint to try."""

    id: ID = strawberry.field(description="The endpoint.")


@strawberry.input
class ReplayWebhookEventsInput:
    """Events to send again."""

    id: ID = strawberry.field(description="The endpoint.")
    events: strawberry.Maybe[list[str]] = strawberry.field(
        description="The ids of undelivered events; all of them if left out."
    )


@strawberry.type
class WebhookEndpointPayload:
    """An endpoint as it is now."""

    endpoint: WebhookEndpoint | None = strawberry.field(
        default=None, description="The endpoint; null when it was refused or is no more."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty when it was done."
    )


@strawberry.type
class CreateWebhookEndpointPayload(WebhookEndpointPayload):
    """A new endpoint."""

    secret: str | None = strawberry.field(
        default=None, description="What its requests are signed with. It is shown here and never again."
    )


@strawberry.type
class UpdateWebhookEndpointPayload(WebhookEndpointPayload):
    """An endpoint that was changed."""


@strawberry.type
class RotateWebhookSecretPayload(WebhookEndpointPayload):
    """An endpoint with a new secret."""

    secret: str | None = strawberry.field(default=None, description="The new secret. It is shown here and never again.")


@strawberry.type
class DeleteWebhookEndpointPayload(WebhookEndpointPayload):
    """What became of an endpoint that was forgotten."""

    forgotten: int = strawberry.field(default=0, description="How many events had been waiting for it.")


@strawberry.type
class TestWebhookEndpointPayload(WebhookEndpointPayload):
    """What came of a try."""

    status: int | None = strawberry.field(
        default=None, description="The HTTP status of the answer; null when none came."
    )
    failure: str | None = strawberry.field(default=None, description="Why no answer came; null when one came.")


@strawberry.type
class ReplayWebhookEventsPayload(WebhookEndpointPayload):
    """What will be sent again."""

    replayed_events: int = strawberry.field(default=0, description="How many events that are.")


@strawberry.type
class WebhookMutations:
    """What can be done with endpoints."""

    @mutation(allow=_OPERATORS)
    async def create_webhook_endpoint(
        self, info: Info, input: CreateWebhookEndpointInput
    ) -> CreateWebhookEndpointPayload:
        """Send events to an address from now on."""
        row = await _endpoints(info).create(
            url=check_text("url", input.url, 2_000),
            events=[check_text("events", event, 64) for event in input.events],
            description=check_text("description", input.description, 200, shortest=0),
            actor=actor(info),
        )
        await info.context.laurel.deliverer.refresh()
        return CreateWebhookEndpointPayload(endpoint=WebhookEndpoint.of(row), secret=row.secret)

    @mutation(allow=_OPERATORS)
    async def update_webhook_endpoint(
        self, info: Info, input: UpdateWebhookEndpointInput
    ) -> UpdateWebhookEndpointPayload:
        """Change an endpoint, pause it, or let it be sent events again. Every process follows within five seconds."""
        changes: dict[str, Any] = {}
        if input.url:
            changes["url"] = check_text("url", input.url.value, 2_000)
        if input.events:
            changes["events"] = sorted({check_text("events", event, 64) for event in input.events.value})
        if input.description:
            changes["description"] = check_text("description", input.description.value, 200, shortest=0)
        if input.active:
            changes["state"] = ACTIVE if input.active.value else PAUSED
        row = await _endpoints(info).update(_number(input.id), **changes)
        await info.context.laurel.deliverer.refresh()
        return UpdateWebhookEndpointPayload(endpoint=WebhookEndpoint.of(row))

    @mutation(allow=_OPERATORS)
    async def rotate_webhook_secret(self, info: Info, input: RotateWebhookSecretInput) -> RotateWebhookSecretPayload:
        """Sign with a new secret, and for some hours with the former one as well."""
        row = await _endpoints(info).rotate(_number(input.id), input.overlap_hours)
        await info.context.laurel.deliverer.refresh()
        return RotateWebhookSecretPayload(endpoint=WebhookEndpoint.of(row), secret=row.secret)

    @mutation(allow=_OPERATORS)
    async def delete_webhook_endpoint(
        self, info: Info, input: DeleteWebhookEndpointInput
    ) -> DeleteWebhookEndpointPayload:
        """Forget an endpoint, and the events that wait for it."""
        forgotten = await _endpoints(info).delete(_number(input.id), _consumer(input.id))
        await info.context.laurel.deliverer.refresh()
        return DeleteWebhookEndpointPayload(forgotten=forgotten)

    @mutation(allow=_OPERATORS)
    async def test_webhook_endpoint(self, info: Info, input: TestWebhookEndpointInput) -> TestWebhookEndpointPayload:
        """Send an endpoint an event of the type `webhook.test`, now and once."""
        row, endpoints = await _row(input.id), _endpoints(info)
        laurel = info.context.laurel
        now = laurel.machine.now()
        message = {"id": new_id(), "type": "webhook.test", "version": 1, "timestamp": rfc3339(now), "data": {}}
        private = is_private(laurel.settings.of_plugin(PLUGIN))
        try:
            async with client() as sender:
                status = await post_signed(sender, row.url, row.secrets(now), message, now=now, private=private)
        except NotHeard as failure:
            await endpoints.tried(row, str(failure))
            return TestWebhookEndpointPayload(endpoint=WebhookEndpoint.of(row), failure=str(failure))
        await endpoints.tried(row, str(status))
        return TestWebhookEndpointPayload(endpoint=WebhookEndpoint.of(row), status=status)

    @mutation(allow=_OPERATORS)
    async def replay_webhook_events(self, info: Info, input: ReplayWebhookEventsInput) -> ReplayWebhookEventsPayload:
        """Send undelivered events again, as if for the first time."""
        row = await _row(input.id)
        events = input.events.value if input.events else None
        replayed = await _endpoints(info).replay(row, _consumer(input.id), events)
        return ReplayWebhookEventsPayload(endpoint=WebhookEndpoint.of(row), replayed_events=replayed)


def _endpoints(info: Info) -> Endpoints:
    laurel = info.context.laurel
    private = is_private(laurel.settings.of_plugin(PLUGIN))
    return Endpoints(laurel.clock, laurel.machine, laurel.plugins.event_types.keys(), private)


async def _row(id: str) -> Row:
    row = await Row.get_or_none(id=_number(id))
    if row is None:
        raise WebhookEndpointNotFound(endpoint=id)
    return row


def _number(id: str) -> str:
    (number,) = parts_of(id, "WebhookEndpoint", 1)
    return number


def _consumer(id: str) -> str:
    """The endpoint's name in the outbox."""
    return f"{PLUGIN}:{_number(id)}"
