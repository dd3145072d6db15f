from typing import Any

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from core.store import writer
from core.store.fields import InstantField

_LOTS = (
    "FROM lot l WHERE l.bucket = account.bucket AND l.member_id = account.member_id AND l.unit = account.unit"
    " AND l.remaining > l.held AND l.available_from {} COALESCE(account.next_due, 253402214400000000)"
)


async def add_up(_: Any, editor: Any) -> None:
    here = writer(editor.client)
    later, sooner = _LOTS.format(">="), _LOTS.format("<")
    await here.query(
        f"UPDATE account SET pending = COALESCE((SELECT SUM(l.remaining - l.held) {later}), 0),"
        f" expires_at = (SELECT MIN(l.expires_at) {sooner}) WHERE credited - debited + debt > 0"
    )
    await here.query(
        f"UPDATE account SET expiring = (SELECT SUM(l.remaining - l.held) {sooner}"
        " AND l.expires_at = account.expires_at) WHERE expires_at IS NOT NULL"
    )


class Migration(migrations.Migration):
    dependencies = [("core", "0026_open_lots")]

    initial = False

    operations = [
        ops.AddField(model_name="AccountRow", name="pending", field=fields.BigIntField(db_default=0)),
        ops.AddField(model_name="AccountRow", name="expiring", field=fields.BigIntField(db_default=0)),
        ops.AddField(model_name="AccountRow", name="expires_at", field=InstantField(null=True)),
        ops.RunPython(add_up),
    ]
