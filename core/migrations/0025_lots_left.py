from tortoise import migrations
from tortoise.migrations import operations as ops

from core.store.fields import PartialIndex
from core.store.operations import AddIndex


class Migration(migrations.Migration):
    dependencies = [("core", "0024_losses_by_month")]

    initial = False

    operations = [
        AddIndex(
            model_name="LotRow",
            index=PartialIndex(
                fields=["unit", "expires_at", "available_from", "remaining", "held"],
                where="remaining >= 1",
                name="idx_lot_left",
                whole=["unit", "remaining", "expires_at", "available_from", "held"],
            ),
        ),
        ops.RemoveIndex(model_name="LotRow", fields=["unit", "remaining"]),
    ]
