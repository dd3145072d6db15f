from tortoise import migrations
from core.store.operations import AddIndex
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('purchase', '0001_initial')]

    initial = False

    operations = [
        AddIndex(model_name='PurchaseOrder', index=Index(fields=['reference'])),
    ]
