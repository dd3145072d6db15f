import sys
from types import ModuleType

from tortoise import fields
from tortoise.models import Model

SOURCE = '''
class Plain(Model):
    """No table."""

    id = fields.BigIntField(primary_key=True)

    class Meta:
        abstract = True
'''


class Described(Model):
    #: What it is called by.
    id = fields.BigIntField(primary_key=True)
    name = fields.TextField()

    class Meta:
        abstract = True


def test_a_comment_describes_its_column() -> None:
    described = {name: column.description for name, column in Described._meta.fields_map.items()}

    assert described == {"id": "What it is called by.", "name": None}


def test_a_model_that_was_made_without_a_file_has_none() -> None:
    made = ModuleType("made")
    vars(made).update(Model=Model, fields=fields)
    sys.modules["made"] = made
    try:
        exec(SOURCE, vars(made))
    finally:
        del sys.modules["made"]

    assert made.Plain._meta.fields_map["id"].description is None
