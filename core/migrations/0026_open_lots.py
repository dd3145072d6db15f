from tortoise import migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from core.store.fields import PartialIndex
from core.store.operations import AddIndex


class Migration(migrations.Migration):
    dependencies = [("core", "0025_lots_left")]

    initial = False

    operations = [
        AddIndex(
            model_name="LotRow",
            index=PartialIndex(
                fields=["bucket", "member_id", "unit"],
                where="remaining > 0",
                name="idx_lot_open",
                whole=["bucket", "member_id", "unit", "remaining"],
            ),
        ),
        ops.AddIndex(model_name="MemberRow", index=Index(fields=["id"])),
    ]
