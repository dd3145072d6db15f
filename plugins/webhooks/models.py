"""The plugin's one table: where events are sent."""

from datetime import datetime
from typing import ClassVar, cast

from tortoise import fields
from tortoise.models import Model

from core.store.fields import InstantField, JsonField

ACTIVE = "active"
PAUSED = "paused"
DISABLED = "disabled"


class WebhookEndpoint(Model):
    """An address that is sent the events it names.

    ``former_secret`` signs beside ``secret`` until ``former_until``. ``disabled_because`` says what went wrong for so
    long that Laurel gave the address up.
    """

    key: ClassVar = ("id",)
    id = fields.CharField(max_length=36, primary_key=True)
    url = fields.CharField(max_length=2000)
    description = fields.CharField(max_length=200)
    events = cast("fields.Field[list[str]]", JsonField())
    state = fields.CharField(max_length=16)
    disabled_because = fields.CharField(max_length=500)
    secret = fields.CharField(max_length=100)
    former_secret = fields.CharField(max_length=100, null=True)
    former_until = cast("fields.Field[datetime | None]", InstantField(null=True))
    created_by = fields.CharField(max_length=200)
    created_at = InstantField()

    class Meta:
        table = "webhook_endpoint"

    def secrets(self, now: datetime) -> list[str]:
        """The secrets to sign with, the newest first."""
        if self.former_secret is None or self.former_until is None or self.former_until <= now:
            return [self.secret]
        return [self.secret, self.former_secret]
