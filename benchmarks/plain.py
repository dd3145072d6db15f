"""What Laurel is compared with: earning and spending as a careful Tortoise user would write it without the committer.

One transaction an operation, the account locked, lots by expiry, an idempotency row. It does less than Laurel: no
programme, no tiers, no tallies, no hash chain, no record of which lots were drawn on.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.indexes import Index
from tortoise.models import Model
from tortoise.transactions import in_transaction


class InsufficientBalance(Exception):
    """The account holds less than was to be spent."""


class PlainAccount(Model):
    id = fields.BigIntField(primary_key=True, generated=False)
    balance = fields.BigIntField(default=0)


class PlainEntry(Model):
    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyRelation[PlainAccount] = fields.ForeignKeyField("plain.PlainAccount")
    amount = fields.BigIntField()
    balance = fields.BigIntField()
    created_at = fields.DatetimeField(auto_now_add=True)


class PlainLot(Model):
    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyRelation[PlainAccount] = fields.ForeignKeyField("plain.PlainAccount")
    amount = fields.BigIntField()
    remaining = fields.BigIntField()
    expires_at = fields.DatetimeField()

    class Meta:
        indexes = (Index(fields=("account_id", "expires_at")),)


class PlainRequest(Model):
    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyRelation[PlainAccount] = fields.ForeignKeyField("plain.PlainAccount")
    key = fields.CharField(max_length=200)
    response: Any = fields.JSONField()

    class Meta:
        unique_together = (("account_id", "key"),)


Change = Callable[[PlainAccount, BaseDBAsyncClient], Awaitable[int]]


async def earn(account_id: int, key: str, points: int) -> Any:
    """Credit a lot."""

    async def change(account: PlainAccount, db: BaseDBAsyncClient) -> int:
        expires_at = datetime.now(UTC) + timedelta(days=365)
        await PlainLot.create(
            account_id=account.id, amount=points, remaining=points, expires_at=expires_at, using_db=db
        )
        return points

    return await _once(account_id, key, change)


async def spend(account_id: int, key: str, points: int) -> Any:
    """Debit the lots that expire soonest. Raises InsufficientBalance."""

    async def change(account: PlainAccount, db: BaseDBAsyncClient) -> int:
        lots = PlainLot.filter(account_id=account.id, remaining__gt=0, expires_at__gt=datetime.now(UTC))
        left = points
        for lot in await lots.using_db(db).order_by("expires_at", "id"):
            taken = min(lot.remaining, left)
            lot.remaining -= taken
            left -= taken
            await lot.save(update_fields=["remaining"], using_db=db)
            if not left:
                return -points
        raise InsufficientBalance(f"{points} needed, {left} short")

    return await _once(account_id, key, change)


async def _once(account_id: int, key: str, change: Change) -> Any:
    async with in_transaction() as db:
        account = await PlainAccount.select_for_update().using_db(db).get(id=account_id)
        # Under the lock and before anything else: a spending that is asked for again must not be refused.
        if done := await PlainRequest.filter(account_id=account_id, key=key).using_db(db).first():
            return done.response
        amount = await change(account, db)
        account.balance += amount
        await account.save(update_fields=["balance"], using_db=db)
        entry = await PlainEntry.create(account_id=account_id, amount=amount, balance=account.balance, using_db=db)
        response = {"entry": entry.id, "amount": amount, "balance": account.balance}
        await PlainRequest.create(account_id=account_id, key=key, response=response, using_db=db)
        return response
