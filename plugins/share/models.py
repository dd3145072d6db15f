"""The channel's one table: what was shared, and what proved it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, cast

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from core.people.erasing import PersonalData
from core.store.dialect import Reader
from core.store.fields import InstantField
from core.store.tables import table_of


class Share(Model):
    """Something that a member shared on a day, which is written 20260131.

    ``code`` stands in the link that others follow, where the programme wants proof. ``rewarded_by`` is the transaction
    that brought the points.
    """

    key: ClassVar = ("bucket", "member_id", "item", "day")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    item = fields.CharField(max_length=128)
    day = fields.IntField(primary_key=True, generated=False)
    transaction_id = fields.CharField(max_length=36)
    programme_version = fields.IntField()
    status = fields.CharField(max_length=16)
    code = fields.CharField(max_length=16, null=True)
    visitor = fields.CharField(max_length=128, null=True)
    shared_at = InstantField()
    expires_at = cast("fields.Field[datetime | None]", InstantField(null=True))
    rewarded_at = cast("fields.Field[datetime | None]", InstantField(null=True))
    rewarded_by = fields.CharField(max_length=36, null=True)

    class Meta:
        table = "share"
        indexes = (Index(fields=("code",)),)


PERSONAL = (PersonalData(model=Share, cleared={"visitor": None}, told=frozenset({"visitor"})),)


class SharersByCode(NamedTuple):
    """Who has shared what a code stands for, whoever asks. Keys are ``(code,)``."""

    async def answer(self, reader: Reader, keys: Sequence[tuple[Any, ...]]) -> Mapping[tuple[Any, ...], str]:
        table = table_of(Share)
        code, member_id = table.columns.index("code"), table.columns.index("member_id")
        return {(row[code],): row[member_id] for row in await reader.select(table, ("code",), keys)}
