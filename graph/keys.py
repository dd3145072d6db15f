"""API keys in the schema, for administrators: the list of them, and their making, exchange and end."""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import strawberry
from strawberry import ID

from core.errors import InvalidValue
from core.models import ApiKeyRow
from core.oversight.keys import create_key, ends_at, revoke_key, rotate_key
from core.suggest import did_you_mean
from graph.context import Info
from graph.errors import UserError
from graph.ids import Node, global_id, parts_of
from graph.laurel import Laurel
from graph.pages import Connection, Page, newest, page_of_all, paged
from graph.permissions import actor, caller_of, mutation, query
from graph.texts import check_text
from graph.tokens import Role

_REASON = "Why, at most 1000 characters. It is kept in the audit log."


@strawberry.enum
class ApiKeyRole(Enum):
    """What the bearer of a key is to the programme. A member has no key: members have tokens."""

    SERVICE = strawberry.enum_value("service", description="The brand's backend.")
    PARTNER = strawberry.enum_value("partner", description="Another company, in channels of its own.")
    OPERATOR = strawberry.enum_value("operator", description="Who puts things right.")
    ANALYST = strawberry.enum_value("analyst", description="Who reads.")
    ADMIN = strawberry.enum_value("admin", description="Who may do everything.")


@strawberry.type
class ApiKey(Node):
    """A key that a backend sends as its bearer token. The key itself is told once and not kept."""

    name: str = strawberry.field(description="Who the bearer is, as it is written down with what they do.")
    role: ApiKeyRole = strawberry.field(description="What the bearer is to the programme.")
    hint: str = strawberry.field(description="How the key begins, to tell it from others.")
    channels: list[str] = strawberry.field(description="The channels that a partner reaches.")
    capabilities: list[str] = strawberry.field(description="The single things that a partner may do: rewards.fulfil.")
    created_at: datetime = strawberry.field(description="When it was created.")
    created_by: str = strawberry.field(description="Who created it.")
    ends_at: datetime | None = strawberry.field(
        description="When it ends or has ended, by its date or because it was revoked; null when it does not."
    )
    is_revoked: bool = strawberry.field(description="Whether it was revoked.")
    used_at: datetime | None = strawberry.field(description="When it was last used, to the hour.")

    @classmethod
    def of(cls, row: Any) -> "ApiKey":
        return cls(
            id=global_id("ApiKey", row.id),
            name=row.name,
            role=ApiKeyRole(row.role),
            hint=row.hint,
            channels=row.channels,
            capabilities=row.capabilities,
            created_at=row.created_at,
            created_by=row.created_by,
            ends_at=ends_at(row),
            is_revoked=row.revoked_at is not None,
            used_at=row.used_at,
        )

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "ApiKey | None":
        match parts:
            case (id,) if caller_of(info).role is Role.ADMIN:
                row = await ApiKeyRow.get_or_none(id=id)
                return cls.of(row) if row is not None else None
            case _:
                return None


@strawberry.input
class CreateApiKeyInput:
    """A key to create."""

    name: str = strawberry.field(description="Who the bearer is: till 4. 1 to 150 characters.")
    role: ApiKeyRole = strawberry.field(description="What the bearer is to the programme.")
    channels: list[str] = strawberry.field(default_factory=list, description="The channels that a partner reaches.")
    capabilities: list[str] = strawberry.field(
        default_factory=list, description="The single things that a partner may do: rewards.fulfil."
    )
    expires_at: datetime | None = strawberry.field(default=None, description="When it ends; never if left out.")
    reason: str | None = strawberry.field(default=None, description=_REASON)


@strawberry.input
class RotateApiKeyInput:
    """A key to exchange for a new one."""

    key: ID = strawberry.field(description="The key's id.")
    overlap_seconds: int = strawberry.field(
        default=86_400, description="How long the old one goes on, at most 30 days; a day if left out."
    )
    reason: str | None = strawberry.field(default=None, description=_REASON)


@strawberry.input
class RevokeApiKeyInput:
    """A key to end."""

    key: ID = strawberry.field(description="The key's id.")
    reason: str | None = strawberry.field(default=None, description=_REASON)


@strawberry.type
class ApiKeyPayload:
    """What became of a key."""

    api_key: ApiKey | None = strawberry.field(default=None, description="The key; null when it was refused.")
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty when it was done."
    )


@strawberry.type
class CreateApiKeyPayload(ApiKeyPayload):
    """What became of creating a key."""

    secret: str | None = strawberry.field(default=None, description="The key itself, this once and never again.")


@strawberry.type
class RotateApiKeyPayload(ApiKeyPayload):
    """What became of exchanging a key."""

    secret: str | None = strawberry.field(default=None, description="The new key itself, this once and never again.")


@strawberry.type
class RevokeApiKeyPayload(ApiKeyPayload):
    """What became of ending a key."""


@strawberry.type
class KeyQueries:
    """What can be asked about API keys."""

    @query(allow={Role.ADMIN})
    @paged
    async def api_keys(self, info: Info, page: Page) -> Connection[ApiKey]:
        """All API keys, those that have ended as well, the newest first."""
        return await page_of_all(info, ApiKeyRow, lambda _, row: ApiKey.of(row), page, newest("id"))


@strawberry.type
class KeyMutations:
    """What can be done about API keys."""

    @mutation(allow={Role.ADMIN})
    async def create_api_key(self, info: Info, input: CreateApiKeyInput) -> CreateApiKeyPayload:
        """Create a key for a backend. It is told in the answer and cannot be told again."""
        role = Role(str(input.role.value))
        check_reach(info.context.laurel, role, input.channels, input.capabilities)
        row, secret = await create_key(
            name=check_text("name", input.name),
            role=role,
            channels=input.channels,
            capabilities=input.capabilities,
            expires_at=input.expires_at,
            actor=actor(info),
            clock=info.context.laurel.machine,
        )
        return CreateApiKeyPayload(api_key=ApiKey.of(row), secret=secret)

    @mutation(allow={Role.ADMIN})
    async def rotate_api_key(self, info: Info, input: RotateApiKeyInput) -> RotateApiKeyPayload:
        """Create a key that takes the place of another; the old one goes on for a while, and then ends."""
        (id,) = parts_of(input.key, "ApiKey", 1)
        row, secret = await rotate_key(
            id,
            overlap=timedelta(seconds=input.overlap_seconds),
            actor=actor(info),
            clock=info.context.laurel.machine,
        )
        info.context.laurel.authenticator.forget()
        return RotateApiKeyPayload(api_key=ApiKey.of(row), secret=secret)

    @mutation(allow={Role.ADMIN})
    async def revoke_api_key(self, info: Info, input: RevokeApiKeyInput) -> RevokeApiKeyPayload:
        """End a key: at once in the process that answers, and within 5 seconds in all others."""
        (id,) = parts_of(input.key, "ApiKey", 1)
        row = await revoke_key(id, clock=info.context.laurel.machine)
        info.context.laurel.authenticator.forget()
        return RevokeApiKeyPayload(api_key=ApiKey.of(row))


def check_reach(laurel: Laurel, role: Role, channels: Collection[str], capabilities: Collection[str]) -> None:
    """Raise InvalidValue unless a bearer of that role can reach these channels and capabilities."""
    for field, given, known in (
        ("channels", channels, laurel.plugins.names),
        ("capabilities", capabilities, laurel.plugins.capabilities),
    ):
        if given and role is not Role.PARTNER:
            raise InvalidValue(field=field, reason="only a partner's key names any")
        for name in given:
            if name not in known:
                raise InvalidValue(field=field, reason=f"there is no {name!r}{did_you_mean(name, known)}")
    if role is Role.PARTNER and not (channels or capabilities):
        raise InvalidValue(field="channels", reason="a partner's key names a channel or a capability")
