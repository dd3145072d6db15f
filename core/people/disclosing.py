"""What is kept of a member, table by table: for who asks what is known of them, and for nobody else."""

from collections.abc import Iterable
from datetime import date, datetime
from types import ModuleType
from typing import Any

from tortoise.models import Model

from core.books.members import Member, bucket_of
from core.errors import MemberNotFound
from core.store.dialect import Reader
from core.store.tables import table_of
from core.time.clock import rfc3339


async def disclose(reader: Reader, external_id: str, modules: Iterable[ModuleType]) -> dict[str, list[dict[str, Any]]]:
    """All rows of the member in the tables of these modules, by table and column, as plain JSON.

    Raises MemberNotFound.
    """
    table = table_of(Member)
    rows = await reader.select(table, ("external_id",), [(external_id,)])
    if not rows:
        raise MemberNotFound(member=external_id)
    member: Member = table.read(rows[0])
    found = {table.name: [_said(table, rows[0])]}
    for model in _of_members(modules):
        table = table_of(model)
        rows = await reader.select(table, ("bucket", "member_id"), [(bucket_of(member.id), member.id)])
        if rows:
            found[table.name] = [_said(table, row) for row in sorted(rows, key=lambda row: _key(table, row))]
    return found


def _of_members(modules: Iterable[ModuleType]) -> list[type[Model]]:
    models = [
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Model) and kind.__module__ == module.__name__
    ]
    return sorted(
        (model for model in models if "member_id" in model._meta.fields_map), key=lambda model: model._meta.db_table
    )


def _said(table: Any, row: Any) -> dict[str, Any]:
    said = dict(zip(table.columns, table.decode(row), strict=True))
    # Where a row lies says nothing of the member, and whose it is was asked.
    return {name: _plain(value) for name, value in said.items() if name not in {"bucket", "member_id"}}


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return rfc3339(value)
        case date():
            return value.isoformat()
        case _:
            return value


def _key(table: Any, row: Any) -> tuple[Any, ...]:
    return tuple(row[table.columns.index(column)] for column in table.key)
