from tortoise import fields, migrations

from core.store.fields import InstantField, PartialIndex
from core.store.operations import AddIndex, CreateModel


class Migration(migrations.Migration):
    dependencies = [("core", "0010_keeping_tiers")]

    initial = False

    operations = [
        CreateModel(
            name="AlarmRow",
            fields=[
                ("name", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("standing", fields.CharField(max_length=16)),
                ("since", InstantField(generated=False, null=False, unique=False)),
            ],
            options={"table": "alarm", "app": "core", "pk_attr": "name"},
            bases=["Model"],
        ),
        AddIndex(
            model_name="EntryRow",
            index=PartialIndex(fields=["contra", "unit", "effective_at"], where="contra = 'redemption'"),
        ),
        AddIndex(
            model_name="TallyRow",
            index=PartialIndex(fields=["name", "day"], where="name = 'spend'"),
        ),
    ]
