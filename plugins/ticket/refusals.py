"""What the plugin answers "no" to."""

from datetime import datetime

from core.errors import NotFound, Refusal, fact
from core.units import Points


class TicketsNotOffered(Refusal):
    """The programme in force has no ticket section."""

    code = "TICKETS_NOT_OFFERED"
    says = "the programme in force at {at} takes no questions"
    says_zh = "{at} 生效的规则不受理咨询"
    at: datetime = fact("The time of the request.")


class TicketNotFound(NotFound):
    """There is no such ticket."""

    code = "TICKET_NOT_FOUND"
    says = "there is no ticket {ticket}"
    says_zh = "没有工单 {ticket}"
    ticket: str = fact("The ticket as it was named.")


class TooManyTicketsOpen(Refusal):
    """The member has as many open tickets as may be at a time."""

    code = "TOO_MANY_TICKETS_OPEN"
    says = "{limit} ticket(s) are open already"
    says_zh = "已有 {limit} 个工单未关闭"
    limit: int = fact("How many may be open at a time.")


class TicketClosed(Refusal):
    """The ticket was closed, and too long ago to be opened again."""

    code = "TICKET_CLOSED"
    says = "the ticket was closed at {closed_at}"
    says_zh = "该工单已于 {closed_at} 关闭"
    closed_at: datetime = fact("When it was closed.")


class TicketIsFull(Refusal):
    """As much was written in the ticket as may be."""

    code = "TICKET_IS_FULL"
    says = "a ticket has {limit} messages at most"
    says_zh = "每个工单最多 {limit} 条消息"
    limit: int = fact("How many there may be.")


class TicketAlreadyCompensated(Refusal):
    """The member was compensated for this ticket; that is done once."""

    code = "TICKET_ALREADY_COMPENSATED"
    says = "the member was given {points} points for it"
    says_zh = "该工单已补偿 {points} 积分"
    points: Points = fact("How many points were given.")


class CompensationTooLarge(Refusal):
    """The programme allows less compensation for one ticket."""

    code = "COMPENSATION_TOO_LARGE"
    says = "{points} points were asked for, and {most} may be given"
    says_zh = "申请补偿 {points} 积分，最多可补偿 {most}"
    points: Points = fact("How many points were asked for.")
    most: Points = fact("How many may be given.")


REFUSALS: list[type[Refusal]] = [
    TicketsNotOffered,
    TicketNotFound,
    TooManyTicketsOpen,
    TicketClosed,
    TicketIsFull,
    TicketAlreadyCompensated,
    CompensationTooLarge,
]
