"""The channel's tables: the birthday that gifts go by, and the gifts."""

from datetime import date
from typing import ClassVar, Final

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from core.people.erasing import PersonalData
from core.store.fields import DayField, InstantField


class BirthdayKnown(Model):
    """A member's birthday as gifts see it: number 1 was known first, later ones an operator has set.

    ``month_day`` is written 229; it is 0 once a later birthday holds.
    """

    key: ClassVar = ("bucket", "member_id", "number")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    number = fields.IntField(primary_key=True, generated=False)
    birthday = DayField()
    month_day = fields.IntField()
    since = InstantField()

    class Meta:
        table = "birthday_known"
        indexes = (Index(fields=("month_day",)),)


class BirthdayGift(Model):
    """The gift of a year."""

    key: ClassVar = ("bucket", "member_id", "year")
    bucket = fields.SmallIntField()
    member_id = fields.CharField(max_length=36)
    year = fields.IntField(primary_key=True, generated=False)
    birthday = DayField()
    points = fields.BigIntField()
    transaction_id = fields.CharField(max_length=36)
    given_at = InstantField()

    class Meta:
        table = "birthday_gift"


NOBODYS: Final = date(1900, 1, 1)

PERSONAL = (
    # A birthday that nobody has, and no gift goes by.
    PersonalData(model=BirthdayKnown, cleared={"birthday": NOBODYS, "month_day": 0}),
    PersonalData(model=BirthdayGift, cleared={"birthday": NOBODYS}),
)
