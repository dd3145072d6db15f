from typing import Any

from tortoise import fields, migrations

from core.store.fields import PartialIndex
from core.store.operations import AddIndex, CreateModel


class AddPartialIndex(AddIndex):
    """None on MySQL, where the index over all names is there already."""

    async def database_forward(
        self, app_label: str, old_state: Any, new_state: Any, state_editor: Any = None
    ) -> None:
        if state_editor is not None and state_editor.DIALECT != "mysql":
            await super().database_forward(app_label, old_state, new_state, state_editor)


class Migration(migrations.Migration):
    dependencies = [("core", "0016_programme_drafts")]

    initial = False

    operations = [
        CreateModel(
            name="DailyAggregateRow",
            fields=[
                ("name", fields.CharField(max_length=16)),
                ("day", fields.IntField()),
                ("unit", fields.CharField(max_length=32)),
                ("channel", fields.CharField(max_length=64)),
                ("part", fields.CharField(max_length=160)),
                ("shard", fields.SmallIntField(primary_key=True, generated=False, unique=True, db_index=True)),
                ("amount", fields.BigIntField()),
            ],
            options={
                "table": "daily_aggregate",
                "app": "core",
                "pk_attr": "shard",
                "key": ("name", "day", "unit", "channel", "part", "shard"),
            },
            bases=["Model"],
        ),
        AddPartialIndex(
            model_name="TallyRow",
            index=PartialIndex(fields=["name", "day"], where="name = 'orders'", name="idx_tally_orders"),
        ),
        AddPartialIndex(
            model_name="TallyRow",
            index=PartialIndex(fields=["name", "day"], where="name = 'points_earned'", name="idx_tally_points_earned"),
        ),
    ]
