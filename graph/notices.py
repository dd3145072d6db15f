"""Notices in the schema: what all members are to know."""

from datetime import datetime
from typing import Annotated, Any, Final

import strawberry
from strawberry import ID

from core.models import NoticeRow
from core.store.dialect import in_words_of
from core.store.tables import table_of
from core.time.clock import microseconds
from core.trust.notices import publish_notice, withdraw_notice
from graph.context import Info
from graph.errors import UserError
from graph.ids import Node, global_id, parts_of
from graph.pages import Connection, Page, newest, page_of_all, paged, sliced
from graph.permissions import EVERYONE, actor, caller_of, field, forbidden, mutation, query
from graph.texts import check_text
from graph.tokens import Role

_EDITORS = frozenset({Role.OPERATOR, Role.ANALYST})
READ_MAX: Final = 1_000
"""More notices at a time are read by nobody."""

_REASON = "Why, at most 1000 characters. It is kept in the audit log."


@strawberry.type
class Notice(Node):
    """Something that all members are to know, such as what became of those who cheated."""

    title: str = strawberry.field(description="What it is about.")
    text: str = strawberry.field(description="What is said, as plain text.")
    starts_at: datetime = strawberry.field(description="From when it is read.")
    ends_at: datetime | None = strawberry.field(description="From when it is not read any more; null for never.")
    published_at: datetime = strawberry.field(description="When it was published.")
    _author: strawberry.Private[str]

    @classmethod
    def of(cls, row: Any) -> "Notice":
        return cls(
            id=global_id("Notice", row.id),
            title=row.title,
            text=row.text,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            published_at=row.published_at,
            _author=row.author,
        )

    @classmethod
    async def resolve_node(cls, info: Info, *parts: str) -> "Notice | None":
        match parts:
            case (id,):
                row = await NoticeRow.get_or_none(id=id)
                return cls.of(row) if row is not None and (_is_editor(info) or _is_read(row, info)) else None
            case _:
                return None

    @field(allow=_EDITORS)
    async def author(self, info: Info) -> str:
        """Who published it: operator:eve."""
        return self._author


@strawberry.input
class PublishNoticeInput:
    """Something that all members are to know."""

    title: str = strawberry.field(description="What it is about, 3 to 200 characters.")
    text: str = strawberry.field(
        description="What is said, 3 to 4000 characters of plain text. Whoever has a token can read it: name nobody."
    )
    starts_at: datetime | None = strawberry.field(
        default=None, description="From when it is read; from now on if left out. Not in the past."
    )
    ends_at: datetime | None = strawberry.field(
        default=None, description="From when it is not read any more; never if left out."
    )
    reason: str | None = strawberry.field(default=None, description=_REASON)
    idempotency_key: str = strawberry.field(
        description="A key of your own for this request, 1 to 200 characters: sent again with the same key nothing is "
        "published again."
    )


@strawberry.input
class WithdrawNoticeInput:
    """A notice to end."""

    notice: ID = strawberry.field(description="The notice's id.")
    reason: str | None = strawberry.field(default=None, description=_REASON)


@strawberry.type
class NoticePayload:
    """What became of a notice."""

    notice: Notice | None = strawberry.field(default=None, description="The notice; null when it was refused.")
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty when it was done."
    )


@strawberry.type
class PublishNoticePayload(NoticePayload):
    """What became of publishing a notice."""

    replayed: bool = strawberry.field(
        default=False, description="Whether it had been published before with this key, and is as it is now."
    )


@strawberry.type
class WithdrawNoticePayload(NoticePayload):
    """What became of ending a notice."""


@strawberry.type
class NoticeQueries:
    """What can be asked about notices."""

    @query(allow=EVERYONE)
    @paged
    async def notices(
        self,
        info: Info,
        page: Page,
        others: Annotated[
            bool | None,
            strawberry.argument(
                name="all",
                description="Also those that have ended or not begun; for operators and analysts only.",
            ),
        ] = None,
    ) -> Connection[Notice]:
        """What all members are to know at present, the newest first."""
        if not others:
            # At hand, as a place in a list that depends on the moment would be lost with it.
            notices = [Notice.of(row) for row in await _read_now(info)]
            return sliced("notices", [(notice.id, notice) for notice in notices], page)
        if not _is_editor(info):
            raise forbidden("only operators and analysts see notices that are not read at present")
        return await page_of_all(info, NoticeRow, lambda _, row: Notice.of(row), page, newest("starts_at", "id"))


@strawberry.type
class NoticeMutations:
    """What operators do about notices."""

    @mutation(allow={Role.OPERATOR})
    async def publish_notice(self, info: Info, input: PublishNoticeInput) -> PublishNoticePayload:
        """Tell all members something, from now on or from a day to come. INVALID_VALUE, INVALID_INSTANT."""
        row, replayed = await publish_notice(
            title=check_text("title", input.title, 400, shortest=0),
            text=check_text("text", input.text, 8_000, shortest=0),
            starts_at=input.starts_at,
            ends_at=input.ends_at,
            key=check_text("idempotencyKey", input.idempotency_key),
            actor=actor(info),
            clock=info.context.laurel.clock,
        )
        return PublishNoticePayload(notice=Notice.of(row), replayed=replayed)

    @mutation(allow={Role.OPERATOR})
    async def withdraw_notice(self, info: Info, input: WithdrawNoticeInput) -> WithdrawNoticePayload:
        """Let a notice be read no longer. It is kept. NOTICE_NOT_FOUND, NOTICE_ENDED."""
        (id,) = parts_of(input.notice, "Notice", 1)
        return WithdrawNoticePayload(notice=Notice.of(await withdraw_notice(id, clock=info.context.laurel.clock)))


async def _read_now(info: Info) -> list[Any]:
    table, reader, now = table_of(NoticeRow), info.context.reader, microseconds(info.context.now)
    rows = await reader.query(
        in_words_of(
            reader,
            f"SELECT {table.column_list} FROM {table.name} WHERE starts_at <= ? AND (ends_at IS NULL OR ends_at > ?)"
            f" ORDER BY starts_at DESC, id DESC LIMIT {READ_MAX}",
        ),
        (now, now),
    )
    return [table.read(row) for row in rows]


def _is_editor(info: Info) -> bool:
    role = caller_of(info).role
    return role in _EDITORS or role is Role.ADMIN


def _is_read(row: Any, info: Info) -> bool:
    now = info.context.now
    return bool(row.starts_at <= now and (row.ends_at is None or row.ends_at > now))
