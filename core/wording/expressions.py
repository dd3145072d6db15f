"""rex/1 in words: what a condition asks for, and what an amount comes to.

Where there are no words for an expression it is quoted as it is written: honest, if not pretty. Nothing here decides
anything; the compiled expression does.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from rule_engine import ast

from core.rulebook.expressions import Expression
from core.rulebook.language import NUMBERS
from core.wording import language
from core.wording.facts import Both, FactWords

if TYPE_CHECKING:
    from core.wording.words import Words

_ZERO: Final = Fraction(0)
_ONE: Final = Fraction(1)
_READABLE: Final = 10**12
LISTED_MAX: Final = 30
"""Of a longer list of words the first are named and the others counted: nobody reads thousands in a sentence."""

_COMPARED: Final[Mapping[str, Both]] = {
    "eq": ("{name} is {value}", "{name}为{value}"),
    "ne": ("{name} is not {value}", "{name}不是{value}"),
    "lt": ("{name} is less than {value}", "{name}少于{value}"),
    "le": ("{name} is at most {value}", "{name}不超过{value}"),
    "gt": ("{name} is more than {value}", "{name}超过{value}"),
    "ge": ("{name} is at least {value}", "{name}不少于{value}"),
}
_COMPARED_IN_TIME: Final[Mapping[str, Both]] = {
    "lt": ("{name} is before {value}", "{name}早于{value}"),
    "le": ("{name} is {value} or before", "{name}不晚于{value}"),
    "gt": ("{name} is after {value}", "{name}晚于{value}"),
    "ge": ("{name} is {value} or after", "{name}不早于{value}"),
}
_MIRRORED: Final = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le", "eq": "eq", "ne": "ne"}
_NEGATED: Final = {"lt": "ge", "le": "gt", "gt": "le", "ge": "lt", "eq": "ne", "ne": "eq"}
_PARTS: Final[Mapping[str, Both]] = {
    "year": ("the year of {of}", "{of}的年份"),
    "month": ("the month of {of}", "{of}的月份"),
    "day": ("the day of the month of {of}", "{of}的日"),
    "hour": ("the hour of {of}", "{of}的小时"),
    "minute": ("the minute of {of}", "{of}的分钟"),
    "weekday": ("the weekday of {of}", "{of}的星期"),
    "days": ("the number of days {of}", "{of}的天数"),
    "length": ("the number of {of}", "{of}的数量"),
}


class NoWords(Exception):
    """There are none for this expression."""


class Term(NamedTuple):
    """So much for each of a fact; with ``step`` for each whole multiple of it."""

    fact: str
    factor: Fraction
    step: Fraction | None = None


class Linear(NamedTuple):
    """A fixed part, and so much of each fact; never more than ``most``, never less than ``least``."""

    fixed: Fraction
    terms: tuple[Term, ...]
    most: Fraction | None = None
    least: Fraction | None = None


def condition(words: "Words", expression: Expression[bool]) -> str:
    """A clause that follows "when": it is your first order."""
    try:
        return _Conditions(words).clause(expression.tree)
    except NoWords:
        return words.say("“{text}” holds", "“{text}”成立", text=expression.text)


def amount(words: "Words", expression: Expression[Decimal], unit: str) -> str:
    """What it comes to, as an object: 5 points, 1 point for every 10 yuan you pay."""
    try:
        return _Amounts(words, unit).said(linear(expression.tree))
    except NoWords:
        pass
    tree = expression.tree
    if isinstance(tree, ast.TernaryExpression):
        try:
            when = _Conditions(words).clause(tree.condition)
            yes, no = (_Amounts(words, unit).said(linear(case)) for case in (tree.case_true, tree.case_false))
            return words.say("{yes} when {when}, else {no}", "{when}时{yes}，否则{no}", yes=yes, no=no, when=when)
        except NoWords:
            pass
    if (summed := _summed(tree)) is not None:
        fact, of, variable, only = summed
        try:
            said = _Amounts(words, unit).said(Linear(_ZERO, (Term(fact, of),)))
            if only is None:
                return said
            clause = _Conditions(words, {variable: "line"}).clause(only)
            return words.say("{said} where {clause}", "{said}（仅限{clause}）", said=said, clause=clause)
        except NoWords:
            pass
    return words.say(
        "as many {unit} as “{text}” comes to", "得按“{text}”计算的{unit}",
        unit=words.unit(unit), text=expression.text,
    )  # fmt: skip


def fact_of(node: Any, variables: Mapping[str, str] | None = None) -> str | None:
    """The fact that a node reads, as expressions write it."""
    if isinstance(node, ast.SymbolExpression):
        return str(node.name)
    if isinstance(node, ast.GetAttributeExpression) and isinstance(node.object, ast.SymbolExpression):
        owner = (variables or {}).get(node.object.name, node.object.name)
        return f"{owner}.{node.name}"
    return None


def constant(node: Any) -> Any:
    """The value of a literal; raises NoWords for anything else."""
    if isinstance(node, ast.UnaryExpression) and node.type == "uminus":
        return -constant(node.right)
    if isinstance(node, ast.FloatExpression | ast.StringExpression | ast.BooleanExpression | ast.DatetimeExpression):
        return node.value
    raise NoWords


def linear(node: Any) -> Linear:
    """The expression as a fixed part and so much of each fact. Raises NoWords where it is none."""
    match node:
        case ast.FloatExpression():
            return Linear(Fraction(node.value), ())
        case ast.SymbolExpression() | ast.GetAttributeExpression():
            fact = fact_of(node)
            if fact is None:
                raise NoWords
            return Linear(_ZERO, (Term(fact, _ONE),))
        case ast.AddExpression() | ast.SubtractExpression():
            left, right = linear(node.left), linear(node.right)
            sign = -_ONE if isinstance(node, ast.SubtractExpression) else _ONE
            _plain(left, right)
            terms = (*left.terms, *(term._replace(factor=term.factor * sign) for term in right.terms))
            return Linear(left.fixed + right.fixed * sign, terms)
        case ast.ArithmeticExpression() if node.type in {"mul", "tdiv"}:
            left, right = linear(node.left), linear(node.right)
            if left.terms and right.terms:
                raise NoWords
            scaled, by = (left, right) if not right.terms else (right, left)
            _plain(scaled, by)
            factor = by.fixed if node.type == "mul" else _ONE / by.fixed
            return Linear(
                scaled.fixed * factor, tuple(term._replace(factor=term.factor * factor) for term in scaled.terms)
            )
        case ast.FunctionCallExpression() if fact_of(node.function) in {"min", "max"}:
            members = getattr(node.arguments[0], "value", None)
            if not isinstance(members, tuple | list):
                raise NoWords
            parts = [linear(member) for member in members]
            limits = [part.fixed for part in parts if not part.terms]
            rest = [part for part in parts if part.terms]
            if len(rest) != 1:
                raise NoWords
            return _limited(rest[0], limits, at_most=fact_of(node.function) == "min")
        case ast.FunctionCallExpression() if fact_of(node.function) == "floor":
            inner = linear(node.arguments[0])
            _plain(inner)
            if inner.fixed or len(inner.terms) != 1 or inner.terms[0].step is not None or inner.terms[0].factor <= 0:
                raise NoWords
            (term,) = inner.terms
            return Linear(_ZERO, (Term(term.fact, term.factor, _ONE / term.factor),))
        case _:
            raise NoWords


def _limited(value: Linear, limits: Sequence[Fraction], *, at_most: bool) -> Linear:
    """The value, and never more than the least of the limits, or less than the greatest."""
    if at_most:
        most = min((limit for limit in (*limits, value.most) if limit is not None), default=None)
        value = value._replace(most=most)
    else:
        least = max((limit for limit in (*limits, value.least) if limit is not None), default=None)
        value = value._replace(least=least)
    if value.most is not None and value.least is not None and value.most < value.least:
        raise NoWords  # which of the two holds is decided by their order
    return value


def _plain(*parts: Linear) -> None:
    if any(part.most is not None or part.least is not None for part in parts):
        raise NoWords


def _summed(node: Any) -> tuple[str, Fraction, str, Any] | None:
    """The fact of lines that is summed up, how much for each, the loop's variable and the condition on lines."""
    factor = _ONE
    if isinstance(node, ast.ArithmeticExpression) and node.type in {"mul", "tdiv"}:
        for inner, by in ((node.left, node.right), (node.right, node.left)):
            if isinstance(by, ast.FloatExpression) and (node.type == "mul" or by is node.right):
                found = _summed(inner)
                by_much = Fraction(by.value) if node.type == "mul" else _ONE / Fraction(by.value)
                return found and (found[0], found[1] * by_much, *found[2:])
        return None
    if not (isinstance(node, ast.FunctionCallExpression) and fact_of(node.function) == "sum"):
        return None
    loop = node.arguments[0]
    if not isinstance(loop, ast.ComprehensionExpression) or fact_of(loop.iterable) != "order.lines":
        return None
    fact = fact_of(loop.result, {loop.variable: "line"})
    return None if fact is None or not fact.startswith("line.") else (fact, factor, loop.variable, loop.condition)


class _Amounts:
    def __init__(self, words: "Words", unit: str) -> None:
        self._words = words
        self._unit = unit

    def said(self, value: Linear) -> str:
        words = self._words
        if any(term.factor <= 0 for term in value.terms) or value.fixed < 0:
            raise NoWords
        parts = []
        if value.fixed or not value.terms:
            fixed = words.amount(_decimal(value.fixed), self._unit)
            parts.append(words.say("{fixed}", "得{fixed}", fixed=fixed))
        for term in value.terms:
            parts.append(self._term(term, more=bool(parts)))
        said = parts[0] + "".join(words.say(" and {part}", "，另{part}", part=part) for part in parts[1:])
        if value.most is not None:
            said = words.say(
                "{said}, up to {most}", "{said}，最多{most}", said=said, most=words.number(_decimal(value.most))
            )
        if value.least is not None:
            said = words.say(
                "{said}, at least {least}", "{said}，至少 {least}", said=said, least=words.number(_decimal(value.least))
            )
        return said

    def _term(self, term: Term, *, more: bool) -> str:
        words, fact = self._words, self._words.fact(term.fact)
        if fact is None:
            raise NoWords
        if term.factor == 1 and fact.itself is not None:
            return words.say("{it}", "得{it}", it=words.say(*fact.itself))
        if fact.per is None:
            raise NoWords
        for_each = term.step or _ONE
        gives = term.factor * for_each
        if term.step is None:
            for_each = _scale(gives)
            gives *= for_each
        one, several, zh = fact.per
        n = words.money(_decimal(for_each)) if fact.is_money else words.number(_decimal(for_each))
        given = words.amount(_decimal(gives), self._unit)
        if more:
            given = words.say("{given} more", "{given}", given=given)
        per = words.say(one if for_each == 1 else several, zh, n=n)
        if term.step is not None:
            return words.say("{given} {per}, of whole multiples", "{per}得{given}（不足不计）", given=given, per=per)
        return words.say("{given} {per}", "{per}得{given}", given=given, per=per)


def _scale(gives: Fraction) -> Fraction:
    """For how many of a fact it is told so that a part of a point is none: 0.1 for 10, 0.15 for 100, 10/3 for 3."""
    if gives.numerator == 1 or not _is_decimal(gives):
        return Fraction(gives.denominator)
    return _ONE if gives > 1 else Fraction(10 ** -int(_decimal(gives).as_tuple().exponent))


def _is_decimal(value: Fraction) -> bool:
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def _decimal(value: Fraction) -> Decimal:
    """The number with all its digits. Raises NoWords where they have no end, or are more than anybody reads."""
    if not _is_decimal(value) or value.denominator > _READABLE or abs(value.numerator) > _READABLE:
        raise NoWords
    return language.plain(NUMBERS.divide(Decimal(value.numerator), Decimal(value.denominator)))


class _Conditions:
    """Says conditions; ``variables`` of loops stand for the facts of a line."""

    def __init__(self, words: "Words", variables: Mapping[str, str] | None = None) -> None:
        self._words = words
        self._variables = variables or {}

    def clause(self, node: Any, *, positive: bool = True) -> str:
        say = self._SAY.get(type(node))
        if say is None:
            raise NoWords
        return say(self, node, positive)

    def _both(self, texts: Both, **parts: str) -> str:
        return self._words.say(*texts, **parts)

    def _fact(self, node: Any) -> FactWords | None:
        name = fact_of(node, self._variables)
        return None if name is None else self._words.fact(name)

    def _name(self, node: Any) -> str:
        fact = self._fact(node)
        if fact is not None:
            return self._both(fact.name)
        if isinstance(node, ast.GetAttributeExpression) and node.name in _PARTS:
            return self._both(_PARTS[node.name], of=self._name(node.object))
        if isinstance(node, ast.SubtractExpression):
            between = self._name(node.right), self._name(node.left)
            return self._words.say("from {a} to {b}", "{a}至{b}", a=between[0], b=between[1])
        raise NoWords

    def _truth(self, node: Any, positive: bool) -> str:
        fact = self._fact(node)
        texts = None if fact is None else fact.holds if positive else fact.fails
        if texts is None:
            raise NoWords
        return self._both(texts)

    def _logic(self, node: Any, positive: bool) -> str:
        parts = self._flat(node, node.type)
        said = [self._bracketed(part, node.type, positive) for part in parts]
        joined_by_and = (node.type == "and") == positive
        between = (" and ", "且") if joined_by_and else (" or ", "或")
        return self._words.joined(said, *between)

    def _bracketed(self, node: Any, kind: str, positive: bool) -> str:
        said = self.clause(node, positive=positive)
        if isinstance(node, ast.LogicExpression) and node.type != kind:
            return self._words.say("({said})", "（{said}）", said=said)
        return said

    def _flat(self, node: Any, kind: str) -> list[Any]:
        if isinstance(node, ast.LogicExpression) and node.type == kind:
            return [*self._flat(node.left, kind), *self._flat(node.right, kind)]
        return [node]

    def _not(self, node: Any, positive: bool) -> str:
        if node.type != "not":
            raise NoWords
        return self.clause(node.right, positive=not positive)

    def _equality(self, node: Any, positive: bool) -> str:
        left, right, kind = node.left, node.right, node.type if positive else _NEGATED[node.type]
        if (every := self._every(left, right)) is not None and kind == "eq":
            return every
        if fact_of(left, self._variables) is None and fact_of(right, self._variables) is not None:
            left, right = right, left
        value = constant(right)
        if isinstance(value, str):
            return self._one_of(left, (value,), kind == "eq")
        return self._compared(left, kind, value)

    def _every(self, left: Any, right: Any) -> str | None:
        """``(event.streak + 1) % 7 == 0``: every 7th day."""
        if not (isinstance(left, ast.ArithmeticExpression) and left.type == "mod"):
            return None
        if not isinstance(right, ast.FloatExpression) or right.value != 0:
            return None
        counted, n = linear(left.left), constant(left.right)
        if len(counted.terms) != 1 or counted.terms[0].factor != 1:
            return None
        fact = self._words.fact(counted.terms[0].fact)
        if fact is None or fact.every is None or counted.fixed != fact.count_from:
            return None
        return self._both(fact.every, nth=language.ordinal(int(n)), n=str(int(n)))

    def _ordering(self, node: Any, positive: bool) -> str:
        left, right, kind = node.left, node.right, node.type if positive else _NEGATED[node.type]
        try:
            value = constant(right)
        except NoWords:
            left, value, kind = right, constant(left), _MIRRORED[kind]
        return self._compared(left, kind, value)

    def _compared(self, node: Any, kind: str, value: Any) -> str:
        fact = self._fact(node)
        # What is counted in ones is at least one as soon as it is more than nothing; money has cents.
        some = {("gt", 0)} if fact is not None and fact.is_money else {("gt", 0), ("ge", 1)}
        if fact is not None and fact.some is not None and (kind, value) in some:
            return self._both(fact.some)
        if isinstance(value, datetime):
            if kind not in _COMPARED_IN_TIME:
                raise NoWords
            return self._both(_COMPARED_IN_TIME[kind], name=self._name(node), value=self._words.moment(value))
        if isinstance(value, bool) or not isinstance(value, Decimal | int):
            raise NoWords
        shown = self._words.money(value) if fact is not None and fact.is_money else self._words.number(value)
        return self._both(_COMPARED[kind], name=self._name(node), value=shown)

    def _contains(self, node: Any, positive: bool) -> str:
        container = node.container
        if (members := self._members(container)) is not None:
            return self._one_of(node.member, members, positive)
        fact = self._fact(container)
        if fact is None or fact.has is None or not positive:
            raise NoWords
        return self._both(fact.has, value=self._words.quoted(str(constant(node.member))))

    def _members(self, node: Any) -> Sequence[Any] | None:
        if isinstance(node, ast.ArrayExpression):
            return [constant(member) for member in node.value]
        if isinstance(node, ast.SymbolExpression):
            return self._words.programme.lists.get(node.name)
        return None

    def _one_of(self, node: Any, members: Sequence[Any], positive: bool) -> str:
        while isinstance(node, ast.CoalesceExpression):
            # What is missing would count as well, and nobody has said what that means.
            if constant(node.right) in members:
                raise NoWords
            node = node.left
        words, name = self._words, fact_of(node, self._variables)
        fact = None if name is None else words.fact(name)
        if name == "member.tier" and fact is not None and fact.is_one is not None:
            ladder = [tier.id for tier in words.programme.tiers.ladder] if words.programme.tiers else []
            tiers = list(members) if positive else [tier for tier in ladder if tier not in members]
            if not tiers or (not positive and not ladder):
                raise NoWords
            return self._both(fact.is_one, value=words.tiers(tiers, "or"))
        if isinstance(node, ast.GetAttributeExpression) and node.name == "weekday":
            shown = [language.weekday(words.language, str(member)) for member in members]
        else:
            shown = [words.term(member) for member in members[:LISTED_MAX]]
        if rest := len(members) - len(shown):
            shown.append(words.count(rest, "{n} other", "{n} others", "另外{n}项"))
        value = words.listed(shown, "or")
        if positive and fact is not None and fact.is_one is not None:
            return self._both(fact.is_one, value=value)
        return self._both(_COMPARED["eq" if positive else "ne"], name=self._name(node), value=value)

    def _call(self, node: Any, positive: bool) -> str:
        """``any([… for line in order.lines])``: an article of which it holds."""
        loop = node.arguments[0]
        name = fact_of(node.function)
        if (
            name not in {"any", "all"}
            or not isinstance(loop, ast.ComprehensionExpression)
            or loop.condition is not None
            or fact_of(loop.iterable) != "order.lines"
        ):
            raise NoWords
        inner = _Conditions(self._words, {loop.variable: "line"}).clause(loop.result)
        if not positive:
            raise NoWords
        if name == "any":
            return self._words.say("for one article of the order {inner}", "订单中有一件{inner}", inner=inner)
        return self._words.say("for every article of the order {inner}", "订单中每件{inner}", inner=inner)

    _SAY: ClassVar[Mapping[type, Callable[["_Conditions", Any, bool], str]]] = {
        ast.SymbolExpression: _truth,
        ast.GetAttributeExpression: _truth,
        ast.LogicExpression: _logic,
        ast.UnaryExpression: _not,
        ast.ComparisonExpression: _equality,
        ast.ArithmeticComparisonExpression: _ordering,
        ast.ContainsExpression: _contains,
        ast.FunctionCallExpression: _call,
    }
