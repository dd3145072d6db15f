from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("core", "0008_people")]

    initial = False

    operations = [
        ops.AddField(model_name="BudgetRow", name="low_told", field=fields.BigIntField(null=True)),
        ops.AddField(model_name="BudgetRow", name="exhausted_told", field=fields.BigIntField(null=True)),
    ]
