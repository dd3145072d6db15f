from typing import Any

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from core.key_figures.recomputing import correct
from core.store import writer


class WidenPart(ops.AlterField):
    """Nothing to do on SQLite, where a text is as long as it is; PostgreSQL would forget how texts are compared."""

    async def database_forward(
        self, app_label: str, old_state: Any, new_state: Any, state_editor: Any = None
    ) -> None:
        change = {
            "postgres": 'ALTER COLUMN part TYPE VARCHAR(224) COLLATE "C"',
            "mysql": "MODIFY part VARCHAR(224) NOT NULL",
        }
        if state_editor is not None and state_editor.DIALECT in change:
            await state_editor.client.execute_script(
                f"ALTER TABLE daily_aggregate {change[state_editor.DIALECT]}"
            )


async def add_up(_: Any, editor: Any) -> None:
    here = writer(editor.client)
    await here.query("DELETE FROM daily_aggregate WHERE name = 'credits'")
    # These tables and no others, whatever is added up in later versions.
    await correct(here, tables=("entry", "tally", "operation", "member", "tier_change"))


class Migration(migrations.Migration):
    dependencies = [("core", "0020_simulations")]

    initial = False

    operations = [
        WidenPart(model_name="DailyAggregateRow", name="part", field=fields.CharField(max_length=224)),
        ops.AddField(model_name="DailyAggregateRow", name="times", field=fields.BigIntField(db_default=0)),
        ops.RunPython(add_up),
    ]
