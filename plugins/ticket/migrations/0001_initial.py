from tortoise import migrations
from tortoise.migrations import operations as ops
from core.store.fields import InstantField, JsonField
from core.store.operations import CreateModel
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateModel(
            name='Ticket',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('ticket_id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=36)),
                ('subject', fields.CharField(max_length=200)),
                ('state', fields.CharField(max_length=16)),
                ('transactions', JsonField(generated=False, null=False, unique=False)),
                ('messages', fields.IntField()),
                ('opened_at', InstantField(generated=False, null=False, unique=False)),
                ('due_at', InstantField(generated=False, null=False, unique=False)),
                ('answered_at', InstantField(null=True, generated=False, unique=False)),
                ('closed_at', InstantField(null=True, generated=False, unique=False)),
                ('compensation', fields.BigIntField()),
                ('compensated_by', fields.CharField(null=True, max_length=36)),
            ],
            options={'table': 'ticket', 'app': 'ticket', 'indexes': [Index(fields=['state', 'due_at', 'ticket_id'])], 'pk_attr': 'ticket_id', 'key': ('bucket', 'member_id', 'ticket_id')},
            bases=['Model'],
        ),
        CreateModel(
            name='TicketMessage',
            fields=[
                ('bucket', fields.SmallIntField()),
                ('member_id', fields.CharField(max_length=36)),
                ('ticket_id', fields.CharField(max_length=36)),
                ('number', fields.IntField(primary_key=True, unique=True, db_index=True, generated=False)),
                ('author', fields.CharField(max_length=200)),
                ('is_answer', fields.BooleanField()),
                ('text', fields.TextField(unique=False)),
                ('written_at', InstantField(generated=False, null=False, unique=False)),
            ],
            options={'table': 'ticket_message', 'app': 'ticket', 'pk_attr': 'number', 'key': ('bucket', 'member_id', 'ticket_id', 'number')},
            bases=['Model'],
        ),
    ]
