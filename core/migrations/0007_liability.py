from tortoise import migrations
from core.store.fields import PartialIndex
from core.store.operations import AddIndex


class Migration(migrations.Migration):
    dependencies = [("core", "0006_trust")]

    initial = False

    operations = [
        AddIndex(
            model_name="AccountRow",
            index=PartialIndex(fields=["unit", "debt"], where="debt > 0"),
        ),
        AddIndex(
            model_name="LotRow",
            index=PartialIndex(fields=["unit", "remaining"], where="remaining >= 1"),
        ),
    ]
