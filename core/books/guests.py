"""Orders of guests: customers who are no members, beside whom members can be seen.

They are in no ledger and of no member: a row an order, under the shop's number of it, with what its day adds to the
figures. A guest is known by a key of the shop's own, or not at all, and never by who they are. An order that is a
member's purchase is no guest's: its row says so, and adds nothing.
"""

from typing import TYPE_CHECKING, Final

from core.books.tallies import day_number
from core.models import GuestOrderRow
from core.time.calendar import local_day

if TYPE_CHECKING:
    from core.engine.work import Work

RECORDED: Final = "recorded"
REFUNDED: Final = "refunded"
MEMBERS: Final = "members"
"""The order is a member's purchase, whether or not it was told as a guest's before."""


async def claim(work: "Work", reference: str) -> None:
    """Let the order be a member's, and no guest's. It costs nothing where no guest ever ordered.

    The place of an order that nobody has told as a guest's is taken, so that of two who tell it at once, one as a
    guest's and one as a member's, the member has it.
    """
    if not work.guests_order:
        return
    order = await work.shared(GuestOrderRow, reference=reference)
    if order is None:
        work.add(
            GuestOrderRow,
            reference=reference,
            day=day_number(local_day(work.happened_at, work.programme.zone)),
            customer=None,
            orders=0,
            paid=0,
            amount=0,
            currency=work.programme.currency,
            status=MEMBERS,
            occurred_at=work.happened_at,
            recorded_at=work.recorded_at,
            actor=work.operation.actor,
            refunds=[],
        )
    elif order.status != MEMBERS:
        order.customer, order.orders, order.paid, order.status = None, 0, 0, MEMBERS
        work.save(order)
