"""Adding to the stock. It is about no member and moves no points, so it goes around the committer.

It locks the same row that orders claim, so that the two take turns.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import orjson
from tortoise.exceptions import IntegrityError

from core.errors import IdempotencyKeyMismatch, InvalidValue
from core.oversight.auditing import write_down
from core.store.databases import unit_of_work

from .models import RewardCode, RewardDelivery, RewardStock
from .refusals import RewardHasNoStock, RewardSoldOut, VoucherCodeRepeated
from .rules import Item

PIECES_MAX: Final = 1_000_000
STOCK_MAX: Final = 1_000_000_000
CODES_MAX: Final = 1_000
CODE_MAX: Final = 64
_TRIES: Final = 5


class Delivered(NamedTuple):
    """What is left after it, and whether it had been recorded before."""

    stock_left: int
    replayed: bool


class Delivery(NamedTuple):
    """A request to add ``quantity`` pieces of a reward, which are its ``codes`` if there are any."""

    item: Item
    quantity: int
    codes: Sequence[str]
    idempotency_key: str
    actor: str
    now: datetime

    @property
    def request_hash(self) -> str:
        return hashlib.sha256(orjson.dumps([self.item.id, self.quantity, list(self.codes)])).hexdigest()

    async def record(self) -> Delivered:
        """Write it down, once for its key. Raises what is wrong with it, as a Refusal."""
        for attempt in range(1, _TRIES + 1):
            try:
                return await unit_of_work(self._write)
            except IntegrityError:
                # Somebody else made the stock's row, or recorded the same request; the next attempt finds it.
                if attempt == _TRIES:
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def _write(self) -> Delivered:
        reward = self.item.id
        stock = await RewardStock.filter(reward=reward).select_for_update().first()
        before = await RewardDelivery.get_or_none(idempotency_key=self.idempotency_key)
        if before is not None:
            if before.request_hash != self.request_hash:
                raise IdempotencyKeyMismatch(idempotency_key=self.idempotency_key)
            return Delivered(before.stock_left, replayed=True)
        if stock is None:
            stock = RewardStock(reward=reward, stock_left=0, next_code=1, last_code=0, returned=[])
            await stock.save(force_create=True)
        if stock.stock_left + self.quantity < 0:
            raise RewardSoldOut(reward=reward, asked=-self.quantity, stock_left=stock.stock_left)
        if stock.stock_left + self.quantity > STOCK_MAX:
            raise InvalidValue(field="quantity", reason=f"a stock is at most {STOCK_MAX}")
        if self.codes:
            known = await RewardCode.filter(reward=reward, code__in=self.codes).order_by("number").first()
            if known is not None:
                raise VoucherCodeRepeated(reward=reward, voucher_code=known.code)
            await RewardCode.bulk_create(
                RewardCode(reward=reward, number=number, code=code)
                for number, code in enumerate(self.codes, stock.last_code + 1)
            )
            stock.last_code += len(self.codes)
        stock.stock_left += self.quantity
        await stock.save(force_update=True)
        await RewardDelivery.create(
            idempotency_key=self.idempotency_key,
            request_hash=self.request_hash,
            reward=reward,
            quantity=self.quantity,
            stock_left=stock.stock_left,
            actor=self.actor,
            recorded_at=self.now,
        )
        await write_down(
            self.now,
            before={"reward": reward, "stock_left": stock.stock_left - self.quantity},
            after={"reward": reward, "stock_left": stock.stock_left},
        )
        return Delivered(stock.stock_left, replayed=False)


def check_pieces(item: Item, quantity: int) -> None:
    """Raise RewardHasNoStock or InvalidValue unless so many pieces can be added, or taken when negative."""
    if not item.stock:
        raise RewardHasNoStock(reward=item.id, what="stock")
    if quantity == 0 or abs(quantity) > PIECES_MAX:
        raise InvalidValue(field="quantity", reason=f"it must be -{PIECES_MAX} to {PIECES_MAX}, and not 0")


def check_codes(item: Item, codes: Sequence[str]) -> None:
    """Raise RewardHasNoStock, InvalidValue or VoucherCodeRepeated unless these can be codes of the reward."""
    if not item.codes:
        raise RewardHasNoStock(reward=item.id, what="codes")
    if not 0 < len(codes) <= CODES_MAX:
        raise InvalidValue(field="codes", reason=f"there must be 1 to {CODES_MAX}")
    seen = set[str]()
    for code in codes:
        if not 0 < len(code) <= CODE_MAX or not code.isprintable() or code != code.strip():
            raise InvalidValue(field="codes", reason=f"a code has 1 to {CODE_MAX} characters that can be seen")
        if code in seen:
            raise VoucherCodeRepeated(reward=item.id, voucher_code=code)
        seen.add(code)
