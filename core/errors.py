"""Everything Laurel can answer "no" to, as a tree.

::

    LaurelError
    ├── Refusal                    the programme does not allow it: a typed answer with facts, stored and replayed
    │   ├── InvalidInput           … the request cannot mean anything: InvalidAmount, InvalidInstant …
    │   ├── NotFound               … MemberNotFound, HoldNotFound, TransactionNotFound …
    │   └── …                      InsufficientPoints, MemberFrozen, IdempotencyKeyMismatch …
    └── Unavailable                Laurel cannot say yet: overloaded, database away, shutting down; try again

A refusal is declared once, here or in a plugin, as a dataclass of its facts; the graph makes its
GraphQL type from the declaration, and the ledger stores it so that a replay answers the same.
Anything that is not a ``LaurelError`` is a defect: masked for clients, whole in the log.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple, dataclass_transform, get_args, get_type_hints

from core.units import Points


class LaurelError(Exception):
    """Root of all errors that Laurel raises on purpose."""


def fact(description: str) -> Any:
    """Declare one fact of a refusal; the description is the one that clients read in the schema.

    A name means one type in all refusals, null or not included, or no client could ask for the facts of both at once:
    ``needed`` is Points everywhere, ``resets_at`` a datetime or None. The graph checks it at start-up.
    """
    return field(metadata={"description": description})


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(fact, field))
class _Declared:
    """Makes every subclass a keyword-only dataclass, so that a refusal is declared in one breath."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclass(kw_only=True, eq=False, repr=False)(cls)


class Refusal(_Declared, LaurelError):
    """What the programme does not allow; nothing was written but, perhaps, the refusal itself.

    Subclasses name their facts as fields (``fact("…")``), a ``code`` that never changes, and ``says``, a sentence with
    the facts in it, which ``says_zh`` says in Chinese. A fact is a str, int, Points, bool, Decimal, datetime or date,
    or one of these ``| None``.
    """

    code: ClassVar[str] = "REFUSED"
    says: ClassVar[str] = "refused"
    says_zh: ClassVar[str] = ""
    by_code: ClassVar[dict[str, type["Refusal"]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "code" not in cls.__dict__:
            return  # a branch of the tree, not a leaf
        other = cls.by_code.setdefault(cls.code, cls)
        # A module that is loaded again makes the same class anew, and may replace it.
        if (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(
                f"refusal code {cls.code!r} is offered by both "
                f"{other.__module__}.{other.__qualname__} and {cls.__module__}.{cls.__qualname__}"
            )
        cls.by_code[cls.code] = cls

    @property
    def facts(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @property
    def message(self) -> str:
        return self.says.format(**self.facts)

    def said_in(self, language: str) -> str:
        """The message in that language (``en`` or ``zh``); in English when it has no other."""
        says = self.says_zh if language == "zh" else ""
        return (says or self.says).format(**self.facts)

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.facts.items())})"

    def to_json(self) -> dict[str, Any]:
        """The form in which a refusal is stored with its operation."""
        return {"code": self.code, "facts": {k: _plain(v) for k, v in self.facts.items()}}

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> "Refusal":
        """The refusal that was stored; a ``FormerRefusal`` when no plugin offers it any more with these facts."""
        kind = Refusal.by_code.get(stored["code"])
        if kind is None or {f.name for f in fields(kind)} != stored["facts"].keys():
            return FormerRefusal(former_code=stored["code"])
        hints = get_type_hints(kind)
        return kind(**{name: _revived(value, hints[name]) for name, value in stored["facts"].items()})


def _plain(value: Any) -> Any:
    match value:
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case _:
            return value


def _revived(value: Any, hint: Any) -> Any:
    kinds = {kind for kind in (get_args(hint) or (hint,)) if kind is not type(None)}
    if value is None:
        return None
    for kind in (datetime, date):
        if kind in kinds:
            return kind.fromisoformat(value)
    return Decimal(value) if Decimal in kinds else value


class FormerRefusal(Refusal):
    """A stored refusal whose channel, or that version of it, is no longer installed."""

    code = "FORMER_REFUSAL"
    says = "refused with {former_code} by a channel, or a version of it, that is no longer installed"
    says_zh = "已被拒绝（{former_code}），该渠道或其版本现已卸载"
    former_code: str = fact("The code it was refused with.")


# -- the request cannot mean anything ---------------------------------------------------------------


class InvalidInput(Refusal):
    """A value in the request is not one that can be meant."""


class InvalidAmount(InvalidInput):
    """An amount of money or points is not one that can be meant."""

    code = "INVALID_AMOUNT"
    says = "{value} is not a valid amount: {reason}"
    says_zh = "{value} 不是有效的数额：{reason}"
    value: str = fact("The amount as it was given.")
    reason: str = fact("What is wrong with it.")


class InvalidInstant(InvalidInput):
    """An instant lies where it cannot: in the future, before the programme, without a zone."""

    code = "INVALID_INSTANT"
    says = "{value} is not a valid instant: {reason}"
    says_zh = "{value} 不是有效的时刻：{reason}"
    value: str = fact("The instant as it was given.")
    reason: str = fact("What is wrong with it.")


class InvalidValue(InvalidInput):
    """A text or choice in the request is not one that can be meant."""

    code = "INVALID_VALUE"
    says = "{field} is not valid: {reason}"
    says_zh = "{field} 无效：{reason}"
    field: str = fact("The input field.")
    reason: str = fact("What is wrong with it.")


class CurrencyMismatch(InvalidInput):
    """Money in another currency than the programme's."""

    code = "CURRENCY_MISMATCH"
    says = "the programme counts in {expected}, not in {given}"
    says_zh = "规则以 {expected} 计价，而非 {given}"
    expected: str = fact("The programme's currency, ISO 4217.")
    given: str = fact("The currency of the request.")


# -- the thing asked for is not there ---------------------------------------------------------------


class NotFound(Refusal):
    """The thing that the request names does not exist, or not for this caller."""


class MemberNotFound(NotFound):
    """No such member."""

    code = "MEMBER_NOT_FOUND"
    says = "no member {member}"
    says_zh = "没有会员 {member}"
    member: str = fact("The id or external id that was asked for.")


class HoldNotFound(NotFound):
    """No such hold of this member."""

    code = "HOLD_NOT_FOUND"
    says = "no hold {hold}"
    says_zh = "没有预扣 {hold}"
    hold: str = fact("The hold that was asked for.")


class LotNotFound(NotFound):
    """No such lot of this member."""

    code = "LOT_NOT_FOUND"
    says = "no lot {lot}"
    says_zh = "没有批次 {lot}"
    lot: str = fact("The lot that was asked for.")


class JobNotFound(NotFound):
    """No job has that name."""

    code = "JOB_NOT_FOUND"
    says = "no job {job}{hint}"
    says_zh = "没有任务 {job}{hint}"
    job: str = fact("The name that was asked for.")
    hint: str = fact("What may have been meant; empty when nothing is near.")


class TransactionNotFound(NotFound):
    """No such transaction of this member."""

    code = "TRANSACTION_NOT_FOUND"
    says = "no transaction {transaction}"
    says_zh = "没有交易 {transaction}"
    transaction: str = fact("The transaction that was asked for.")


class TierNotFound(NotFound):
    """The programme in force has no such tier."""

    code = "TIER_NOT_FOUND"
    says = "no tier {tier}; there are: {tiers}"
    says_zh = "没有等级 {tier}；现有：{tiers}"
    tier: str = fact("The tier that was asked for.")
    tiers: str = fact("The tiers of the programme, with commas between them; empty when it has none.")


class ProgrammeNotFound(NotFound):
    """No programme is in force at that time."""

    code = "PROGRAMME_NOT_FOUND"
    says = "no programme was in force at {at}"
    says_zh = "{at} 没有生效的规则"
    at: datetime = fact("The instant that was asked about.")


class NothingToSimulate(NotFound):
    """Nothing happened in the range over which a programme was to be simulated."""

    code = "NOTHING_TO_SIMULATE"
    says = "nothing happened from {since} until {until}; what is known is from {known_from} until {known_until}"
    says_zh = "{since} 至 {until} 没有任何记录；已知的记录始于 {known_from}，止于 {known_until}"
    since: datetime = fact("The beginning of the range.")
    until: datetime = fact("The end of the range.")
    known_from: datetime | None = fact("When the first thing that is known happened; null when nothing ever did.")
    known_until: datetime | None = fact("When the last thing that is known happened; null when nothing ever did.")


# -- the programme says no --------------------------------------------------------------------------


class InsufficientPoints(Refusal):
    """The member has fewer points available than the request needs."""

    code = "INSUFFICIENT_POINTS"
    says = "{needed} {unit} needed, {available} available"
    says_zh = "需要 {needed} {unit}，可用 {available}"
    unit: str = fact("The unit: points, or another spendable unit of the programme.")
    needed: Points = fact("What the request needs.")
    available: Points = fact("What the member can spend at this moment.")


class UnitNotSpendable(Refusal):
    """The unit counts towards tiers and is never spent."""

    code = "UNIT_NOT_SPENDABLE"
    says = "{unit} cannot be spent"
    says_zh = "{unit} 不能使用"
    unit: str = fact("The unit that was to be spent.")


class UnknownUnit(Refusal):
    """The programme has no such unit."""

    code = "UNKNOWN_UNIT"
    says = "the programme has no unit {unit}"
    says_zh = "规则中没有单位 {unit}"
    unit: str = fact("The unit that was named.")


class BalanceLimitExceeded(Refusal):
    """The balance would leave the range that every client can represent."""

    code = "BALANCE_LIMIT_EXCEEDED"
    says = "the balance of {unit} cannot go beyond {balance_max}"
    says_zh = "{unit} 余额不能超过 {balance_max}"
    unit: str = fact("The unit.")
    balance_max: Points = fact("The largest balance.")


class MemberAlreadyEnrolled(Refusal):
    """The external id belongs to a member already."""

    code = "MEMBER_ALREADY_ENROLLED"
    says = "{external_id} is enrolled already"
    says_zh = "{external_id} 已是会员"
    external_id: str = fact("The brand's own id of the member.")
    member_id: str = fact("The member who has it.")


class MemberNotActive(Refusal):
    """The member's status does not allow it."""

    code = "MEMBER_NOT_ACTIVE"
    says = "the member is {status}"
    says_zh = "该会员的状态为 {status}"
    status: str = fact("The member's status.")


class MemberFrozen(Refusal):
    """The member is frozen: for earning, for spending or for both."""

    code = "MEMBER_FROZEN"
    says = "the member is frozen for {frozen}"
    says_zh = "该会员已被冻结，范围：{frozen}"
    frozen: str = fact("What is stopped: earning, spending or both.")
    frozen_until: datetime | None = fact("From when it is not any more; null until somebody lets the member go on.")


class MemberMerged(Refusal):
    """The member was merged into another, who has everything that there was."""

    code = "MEMBER_MERGED"
    says = "member {member} was merged into {merged_into}"
    says_zh = "会员 {member} 已并入 {merged_into}"
    member: str = fact("The member who is no more, by Laurel's number.")
    merged_into: str = fact("The member whom to ask instead, by Laurel's number.")


class MemberNotFrozen(Refusal):
    """The member is not frozen."""

    code = "MEMBER_NOT_FROZEN"
    says = "the member is {status} and not frozen"
    says_zh = "该会员的状态为 {status}，并未冻结"
    status: str = fact("The member's status.")


class HoldNotOpen(Refusal):
    """The hold was captured or released before, or has timed out."""

    code = "HOLD_NOT_OPEN"
    says = "hold {hold} is {state}"
    says_zh = "预扣 {hold} 的状态为 {state}"
    hold: str = fact("The hold.")
    state: str = fact("captured, released or timed out.")


class ExceedsHold(Refusal):
    """More was to be captured than the hold has set aside."""

    code = "EXCEEDS_HOLD"
    says = "{needed} to capture, {held} held"
    says_zh = "要扣 {needed}，仅预扣了 {held}"
    needed: Points = fact("What was to be captured.")
    held: Points = fact("What the hold sets aside.")


class LotExpired(Refusal):
    """The lot has expired: what is lost is not brought back by a later date."""

    code = "LOT_EXPIRED"
    says = "lot {lot} expired at {expired_at}"
    says_zh = "批次 {lot} 已于 {expired_at} 过期"
    lot: str = fact("The lot.")
    expired_at: datetime = fact("From when it cannot be used.")


class NothingToExtend(Refusal):
    """No lot would expire before the date it was to be given."""

    code = "NOTHING_TO_EXTEND"
    says = "no {unit} expire before {until}"
    says_zh = "没有 {unit} 在 {until} 前过期"
    unit: str = fact("The unit.")
    until: datetime = fact("The date that was asked for.")


class JobRunning(Refusal):
    """The job is running at this moment."""

    code = "JOB_RUNNING"
    says = "job {job} has been running since {started_at}"
    says_zh = "任务 {job} 自 {started_at} 起正在运行"
    job: str = fact("The job.")
    started_at: datetime = fact("Since when.")


class NotReversible(Refusal):
    """The transaction is of a kind that cannot be reversed, or is a reversal itself."""

    code = "NOT_REVERSIBLE"
    says = "transaction {transaction} cannot be reversed: {reason}"
    says_zh = "交易 {transaction} 无法冲正：{reason}"
    transaction: str = fact("The transaction.")
    reason: str = fact("Why not.")


class ExceedsReversible(Refusal):
    """More was to be reversed than is left of the transaction."""

    code = "EXCEEDS_REVERSIBLE"
    says = "{needed} to reverse, {left} left of the transaction"
    says_zh = "要冲正 {needed}，该交易仅余 {left}"
    needed: Points = fact("What was to be reversed.")
    left: Points = fact("What is left to reverse.")


class IdempotencyKeyMismatch(Refusal):
    """The idempotency key was used before, for another request. Nothing was written."""

    code = "IDEMPOTENCY_KEY_MISMATCH"
    says = "idempotency key {idempotency_key} was used for another request"
    says_zh = "幂等键 {idempotency_key} 已用于另一个请求"
    idempotency_key: str = fact("The key that was given.")


class Problem(NamedTuple):
    """One thing wrong with a programme document, and where."""

    path: str
    message: str
    position: int | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        where = f" (line {self.line}, column {self.column})" if self.line is not None else ""
        return f"{self.path}: {self.message}{where}" if self.path else f"{self.message}{where}"


class ProgrammeInvalid(Refusal):
    """The programme document cannot be published."""

    code = "PROGRAMME_INVALID"
    says = "the programme has {count} problem(s): {summary}"
    says_zh = "规则有 {count} 处问题：{summary}"
    count: int = fact("How many problems were found.")
    summary: str = fact("The problems, one a line, each with its path.")
    problems: ClassVar[tuple[Problem, ...]] = ()

    @classmethod
    def of(cls, problems: tuple[Problem, ...]) -> "ProgrammeInvalid":
        refusal = cls(count=len(problems), summary="\n".join(map(str, problems)))
        refusal.__dict__["problems"] = problems
        return refusal


# -- not now ----------------------------------------------------------------------------------------


class Unavailable(LaurelError):
    """Laurel cannot answer yet. The request may be sent again with the same idempotency key."""


class Overloaded(Unavailable):
    """The committer's queue is full."""


class ShuttingDown(Unavailable):
    """The process is ending and takes no more operations."""


class DeadlineExceeded(Unavailable):
    """The operation was not reached in time; it was not performed."""


class DatabaseUnreachable(Unavailable):
    """The database does not answer."""


class DatabaseFull(Unavailable):
    """The database has no room for more. Nothing was written; it goes on as soon as there is room again."""
