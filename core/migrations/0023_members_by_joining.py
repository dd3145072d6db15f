from tortoise import migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("core", "0022_guest_orders")]

    initial = False

    operations = [ops.AddIndex(model_name="MemberRow", index=Index(fields=["enrolled_at"]))]
