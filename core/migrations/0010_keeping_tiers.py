from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField
from tortoise import fields
from tortoise.indexes import Index


class Migration(migrations.Migration):
    dependencies = [("core", "0009_budget_alarms")]

    initial = False

    operations = [
        ops.AddField(
            model_name="MemberRow",
            name="tier_from",
            field=InstantField(null=True, generated=False, unique=False),
        ),
        ops.AddField(
            model_name="MemberRow",
            name="tier_review_at",
            field=InstantField(null=True, generated=False, unique=False),
        ),
        ops.AddField(
            model_name="MemberRow",
            name="tier_due_at",
            field=InstantField(null=True, generated=False, unique=False),
        ),
        ops.AddIndex(
            model_name="MemberRow",
            index=Index(fields=["tier_due_at"]),
        ),
        ops.AddField(
            model_name="TierChangeRow",
            name="cause",
            field=fields.CharField(default="earned", db_default="earned", max_length=16),
        ),
        ops.RunSQL("UPDATE tier_change SET cause = 'enrolment' WHERE former IS NULL"),
    ]
