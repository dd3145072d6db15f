"""rex/1, the language of conditions and amounts in a programme.

An expression is checked completely when a programme is published, so that nothing is left to go wrong
when a member earns. ``rule-engine`` reads the text and finds its types; it is never used bare, as its
compiler can hang on a regular expression and knows no limit of size. Around it stand, in this order: a
white list of tokens (before parsing, because the parser folds constants), its own types and names, and
a walk over the tree that refuses what is left of the library's generosity (comparisons that are never
true, divisors that may be zero, values that may be missing) while turning it into plain functions.
Those functions, not the library, evaluate: twenty times as fast, with ``Decimal`` from end to end.

The name of the language is stored with every programme, so that it can be replaced.
"""

import dataclasses
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, tzinfo
from decimal import (
    Decimal,
    localcontext,
)
from typing import Any, ClassVar, Generic, NoReturn, TypeVar

import rule_engine
from rule_engine import ast
from rule_engine.builtins import Builtins
from rule_engine.errors import AttributeResolutionError, EngineError, RuleSyntaxError, SymbolResolutionError
from rule_engine.types import DataType

from core.rulebook.language import (
    ATTRIBUTES,
    FUNCTIONS,
    LANGUAGE,
    METHODS,
    NUMBERS,
    PLAIN,
    WANTED,
    instant,
    number,
    spoken,
    type_of,
)
from core.suggest import did_you_mean

TEXT_MAX = 500
TOKENS_MAX = 150
NESTING_MAX = 12
COMPREHENSIONS_MAX = 3

T = TypeVar("T")
Bindings = Mapping[str, Any]
Code = Callable[[Bindings], Any]


class ExpressionInvalid(ValueError):
    """The text is no expression that can be published; ``position`` counts characters from 0."""

    def __init__(self, reason: str, position: int | None = None, hint: str = "") -> None:
        self.position = position
        super().__init__(f"{reason}{'' if position is None else f' at {position}'}{hint}")


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Expression(Generic[T]):
    """A compiled expression. ``run`` is ``evaluate`` for callers who stand in ``NUMBERS`` already.

    ``facts`` are those that it reads, as it writes them: ``order.amount``; ``texts`` and ``lists`` what it may compare
    them with. ``tree`` is what the library has read, for who says it in words or looks for what can never hold.
    """

    text: str
    run: Callable[[Bindings], T]
    facts: tuple[str, ...] = ()
    texts: frozenset[str] = frozenset()
    lists: tuple[frozenset[str], ...] = ()
    tree: Any = dataclasses.field(default=None, repr=False)

    def evaluate(self, bindings: Bindings) -> T:
        """Its value for these facts. Raises TypeError for a float or a datetime without a zone."""
        with localcontext(NUMBERS):
            return self.run(bindings)

    def names(self, text: str) -> bool:
        """Whether a text stands in it, or in one of the programme's lists that it reads."""
        return text in self.texts or any(text in members for members in self.lists)


class Scope:
    """The names that expressions of one place can use: facts by type, and the programme's lists.

    Facts are dataclasses or plain types (str, bool, int, Decimal, date, datetime, a list of these, or
    ``| None``). Datetimes are seen in ``zone``. Compiled expressions are kept.
    """

    def __init__(
        self,
        facts: Mapping[str, Any],
        *,
        lists: Mapping[str, Sequence[str]] | None = None,
        zone: tzinfo = UTC,
        comprehensions_max: int = COMPREHENSIONS_MAX,
    ) -> None:
        lists = lists or {}
        for name in lists:
            if name in facts or name in FUNCTIONS:
                raise ExpressionInvalid(f"list {name!r} has the name of a fact or function")
        self.zone = zone
        self.lists = {name: frozenset(members) for name, members in lists.items()}
        self.comprehensions_max = comprehensions_max
        self.types: dict[str, Any] = {
            **{name: function.type for name, function in FUNCTIONS.items()},
            **{name: type_of(annotation) for name, annotation in facts.items()},
            **dict.fromkeys(lists, DataType.ARRAY(DataType.STRING)),
        }
        self.context = rule_engine.Context(
            type_resolver=self._type_of_name,
            default_timezone=zone,
            decimal_context=NUMBERS,
            mapping_attribute_lookup=False,
        )
        self.context.builtins = Builtins({})
        self._compiled: dict[tuple[str, type], Expression[Any]] = {}

    def compile(self, text: str, wants: type[T]) -> Expression[T]:
        """The expression, whose values are all of the type wanted: ``bool`` or ``Decimal``.

        Raises ExpressionInvalid with the position and, for a misspelt name, the nearest one.
        """
        key = (text, wants)
        if key not in self._compiled:
            compiler = _Compiler(self, text)
            code = compiler.compile(WANTED[wants])
            self._compiled[key] = Expression(
                text, code, tuple(compiler.facts), frozenset(compiler.texts), tuple(compiler.lists), compiler.tree
            )
        return self._compiled[key]

    def _type_of_name(self, name: str) -> Any:
        try:
            return self.types[name]
        except KeyError:
            raise SymbolResolutionError(name) from None


# -- the compiler -----------------------------------------------------------------------------------

_OPERATORS = frozenset(
    {"ADD", "SUB", "MUL", "TDIV", "MOD", "EQ", "NE", "LT", "LE", "GT", "GE"}
    | {"AND", "OR", "NOT", "IN", "QMARK", "COALESCE"}
)
_ALLOWED = _OPERATORS | {
    *("FLOAT", "STRING", "DATETIME", "TRUE", "FALSE", "NULL", "SYMBOL", "ATTR", "ATTR_SAFE"),
    *("LPAREN", "RPAREN", "LBRACKET", "RBRACKET", "COMMA", "COLON", "FOR", "IF"),
}
_INSTEAD = {"FDIV": "use floor(a / b)", "POW": "multiply", "EQ_FZM": "use in or starts_with"}
_INSTEAD |= dict.fromkeys(("EQ_FZS", "NE_FZM", "NE_FZS"), _INSTEAD["EQ_FZM"])
# Fifteen digits either side: exact, and no literal costs more than its length.
_LITERAL = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?")

_ARITHMETIC = {"mul": operator.mul, "tdiv": operator.truediv, "mod": operator.mod}
_ORDER = {"lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge}
_EQUALITY = {"eq": operator.eq, "ne": operator.ne}


class _Compiler:
    """Compiles one text: tokens, then the library's parse, then the walk."""

    def __init__(self, scope: Scope, text: str) -> None:
        self._scope = scope
        self._text = text
        self._tokens: list[Any] = []
        self._seen: dict[str, int] = {}  # operators met by the walk, by token type
        self._problems: list[tuple[str, str | None, int]] = []
        self._constants = 0
        self._variables: list[str] = []
        self.facts: dict[str, None] = {}  # those it reads, in their order
        self.texts: set[str] = set()
        self.lists: list[frozenset[str]] = []
        self.tree: Any = None

    def compile(self, wanted: Any) -> Code:
        self._check_tokens()
        root = self.tree = self._parse()
        if root.result_type == wanted:
            code = self._emit(root)
        elif DataType.is_type(root.result_type, DataType.NULLABLE) and root.result_type.inner_type == wanted:
            raise ExpressionInvalid("the value may be missing; say what then with '??'")
        else:
            raise ExpressionInvalid(f"must be {spoken(wanted)}, is {spoken(root.result_type)}")
        self._raise_first_problem()
        return code

    # tokens

    def _check_tokens(self) -> None:
        if len(self._text) > TEXT_MAX:
            raise ExpressionInvalid(f"longer than {TEXT_MAX} characters", TEXT_MAX)
        # The library's own lexer: one of ours would read '<<' as two '<' and let the parser hang on it.
        lexer = rule_engine.Rule.parser._lexer.clone()
        lexer.input(self._text)
        depth = comprehensions = 0
        while (token := self._next_token(lexer)) is not None:
            self._tokens.append(token)
            if token.type not in _ALLOWED or token.value == "&[" or str(token.value).startswith("$"):
                hint = f"; {_INSTEAD[token.type]}" if token.type in _INSTEAD else ""
                raise ExpressionInvalid(f"{token.value!r} is not part of {LANGUAGE}", token.lexpos, hint)
            if token.type == "FLOAT" and _LITERAL.fullmatch(token.value) is None:
                raise ExpressionInvalid("a number has at most 15 digits before and after the point", token.lexpos)
            if len(self._tokens) > TOKENS_MAX:
                raise ExpressionInvalid(f"more than {TOKENS_MAX} words", token.lexpos)
            depth += (token.type in ("LPAREN", "LBRACKET")) - (token.type in ("RPAREN", "RBRACKET"))
            if depth > NESTING_MAX:
                raise ExpressionInvalid(f"nested deeper than {NESTING_MAX}", token.lexpos)
            comprehensions += token.type == "FOR"
            if comprehensions > self._scope.comprehensions_max:
                raise ExpressionInvalid(f"at most {self._scope.comprehensions_max} loops over lines here", token.lexpos)
        if not self._tokens:
            raise ExpressionInvalid("empty", 0)

    @staticmethod
    def _next_token(lexer: Any) -> Any:
        try:
            return lexer.token()
        except RuleSyntaxError as error:
            raise ExpressionInvalid(
                "cannot be read", error.token.lexpos if error.token is not None else lexer.lexpos
            ) from None

    # the library's parse

    def _parse(self) -> Any:
        try:
            with localcontext(NUMBERS):  # constants are folded while parsing
                return rule_engine.Rule(self._text, context=self._scope.context).statement.expression
        except RuleSyntaxError as error:
            at = len(self._text) if error.token is None else error.token.lexpos
            raise ExpressionInvalid("cannot be read", at) from None
        except SymbolResolutionError as error:
            self._raise_unknown_name(error.symbol_name)
        except AttributeResolutionError as error:
            self._raise_unknown_attribute(error)
        except EngineError as error:
            raise ExpressionInvalid(_reworded(error.message), self._only_operator()) from None
        except ArithmeticError:
            raise ExpressionInvalid("divides by zero or overflows", self._only_operator()) from None

    def _raise_unknown_name(self, name: str) -> NoReturn:
        at = next((t.lexpos for t in self._tokens if t.type == "SYMBOL" and t.value == name), None)
        raise ExpressionInvalid(f"unknown name {name!r}", at, did_you_mean(name, self._scope.types)) from None

    def _raise_unknown_attribute(self, error: Any) -> NoReturn:
        kind, name = error.object, error.attribute_name
        known = kind.attributes if DataType.is_type(kind, DataType.OBJECT) else ATTRIBUTES.get(kind.name, {})
        spots = [
            (before.value, token.lexpos)
            for before, dot, token in zip(self._tokens, self._tokens[1:], self._tokens[2:], strict=False)
            if dot.type in ("ATTR", "ATTR_SAFE") and token.value == name
        ]
        # The same name may be right for one fact and wrong for another: prefer the fact of this type.
        exact = [at for owner, at in spots if self._scope.types.get(owner) == kind]
        at = (exact or [at for _, at in spots] or [None])[0]
        raise ExpressionInvalid(f"unknown attribute {name!r}", at, did_you_mean(name, known)) from None

    def _only_operator(self) -> int | None:
        """Where a clash of types is, when there is only one place it can be; the library does not say."""
        places = [token.lexpos for token in self._tokens if token.type in _OPERATORS]
        return places[0] if len(places) == 1 else None

    # the walk

    def _emit(self, node: Any) -> Code:
        emit = self._EMIT.get(type(node))
        if emit is None:
            self._problem("indexing and slicing are not part of rex/1; loop or use in", None)
            return _constant(None)
        return emit(self, node)

    def _literal(self, node: Any) -> Code:
        self._constants += isinstance(node, ast.BooleanExpression)
        if isinstance(node, ast.StringExpression):
            self.texts.add(node.value)
        return _constant(node.value)

    def _array(self, node: Any) -> Code:
        kinds = {member.result_type for member in node.value}
        if len(kinds) != 1 or not kinds <= PLAIN:
            self._problem("a list needs members, all of one plain type", "LBRACKET")
        members = [self._emit(member) for member in node.value]
        if all(isinstance(member, _Constant) for member in members):
            return _constant(tuple(member({}) for member in members))
        return lambda b: [member(b) for member in members]

    def _symbol(self, node: Any) -> Code:
        name = node.name
        if name not in self._variables:
            if name in FUNCTIONS:
                self._problem(f"{name} is a function; call it", None)
                return _constant(None)
            if name in self._scope.lists:
                self.lists.append(self._scope.lists[name])
                return _constant(self._scope.lists[name])
            self.facts[name] = None
        return self._read(node.result_type, operator.itemgetter(name))

    def _attribute(self, node: Any) -> Code:
        owner_type = DataType.NULLABLE.unwrap(node.object.result_type)
        name = node.name
        if DataType.is_type(owner_type, DataType.OBJECT):
            attribute = operator.attrgetter(name)
            if isinstance(node.object, ast.SymbolExpression) and not node.safe:
                owner_name = node.object.name
                if owner_name not in self._variables:
                    self.facts[f"{owner_name}.{name}"] = None
                return self._read(node.result_type, lambda b: attribute(b[owner_name]))
            owner = self._emit(node.object)
            return self._read(node.result_type, _safely(owner, attribute) if node.safe else _then(owner, attribute))
        known = ATTRIBUTES.get(owner_type.name, {})
        if name not in known:
            at = next((t.lexpos for t in self._tokens if t.value == name), None)
            raise ExpressionInvalid(f"unknown attribute {name!r}", at, did_you_mean(name, known))
        owner = self._emit(node.object)
        return _safely(owner, known[name]) if node.safe else _then(owner, known[name])

    def _read(self, kind: Any, read: Code) -> Code:
        """Reads a fact, as the type it was declared with."""
        inner = DataType.NULLABLE.unwrap(kind)
        if inner == DataType.FLOAT:
            return lambda b: value if type(value := read(b)) is Decimal else number(value)
        if inner == DataType.DATETIME:
            zone = self._scope.zone
            return lambda b: instant(read(b), zone)
        if inner == DataType.ARRAY(DataType.FLOAT):
            return lambda b: [number(value) for value in read(b)]
        return read

    def _equality(self, node: Any) -> Code:
        left, place, right = self._emit(node.left), self._place("EQ", "NE"), self._emit(node.right)
        kinds = [node.left.result_type, node.right.result_type]
        bare = [DataType.NULLABLE.unwrap(kind) for kind in kinds]
        if DataType.NULL in bare:
            if not any(DataType.is_type(kind, DataType.NULLABLE) for kind in kinds):
                self._problem("compared with null, but is never missing", *place)
        elif bare[0] != bare[1] or bare[0] not in PLAIN:
            self._problem(f"compares {spoken(bare[0])} with {spoken(bare[1])}", *place)
        return _both(_EQUALITY[node.type], left, right)

    def _ordering(self, node: Any) -> Code:
        left, place, right = (
            self._emit(node.left),
            self._place("LT", "LE", "GT", "GE"),
            self._emit(node.right),
        )
        kinds = node.left.result_type, node.right.result_type
        if kinds[0] != kinds[1] or kinds[0] not in (DataType.FLOAT, DataType.DATETIME, DataType.TIMEDELTA):
            self._problem(f"compares {spoken(kinds[0])} with {spoken(kinds[1])}", *place)
        return _both(_ORDER[node.type], left, right)

    def _logic(self, node: Any) -> Code:
        name = node.type.upper()
        left, place, right = self._emit(node.left), self._place(name), self._emit(node.right)
        for side in (node.left, node.right):
            self._must_decide(side, f"{node.type!r} joins conditions", place)
        if node.type == "and":
            return lambda b: left(b) and right(b)
        return lambda b: left(b) or right(b)

    def _contains(self, node: Any) -> Code:
        member, place, container = self._emit(node.member), self._place("IN"), self._emit(node.container)
        member_type, container_type = node.member.result_type, node.container.result_type
        if container_type == DataType.STRING:
            if member_type != DataType.STRING:
                self._problem(f"looks for {spoken(member_type)} in a text", *place)
        elif not DataType.is_type(container_type, DataType.ARRAY):
            self._problem(f"looks in {spoken(container_type)}, which is no list", *place)
        elif (among := DataType.NULLABLE.unwrap(container_type.value_type)) not in PLAIN or among != (
            DataType.NULLABLE.unwrap(member_type)
        ):
            self._problem(f"looks for {spoken(member_type)} in a list of another type", *place)
        if isinstance(container, _Constant) and isinstance(container.value, frozenset):
            members = container.value
            return lambda b: member(b) in members
        return lambda b: member(b) in container(b)

    def _unary(self, node: Any) -> Code:
        if node.type == "not":
            place, right = self._place("NOT"), self._emit(node.right)
            self._must_decide(node.right, "'not' turns a condition", place)
            return _then(right, operator.not_)
        if node.right.result_type != DataType.FLOAT:
            self._problem(f"'-' before {spoken(node.right.result_type)}", None)
        return _then(self._emit(node.right), operator.neg)

    def _addition(self, node: Any) -> Code:
        subtracts = isinstance(node, ast.SubtractExpression)
        left, right = self._emit(node.left), self._emit(node.right)
        kinds = {node.left.result_type, node.right.result_type}
        if kinds != {DataType.FLOAT} and not (subtracts and kinds == {DataType.DATETIME}):
            sides = f"{spoken(node.left.result_type)} and {spoken(node.right.result_type)}"
            self._problem(f"adds or subtracts {sides}", None)
        return _both(operator.sub if subtracts else operator.add, left, right)

    def _multiplication(self, node: Any) -> Code:
        left = self._emit(node.left)
        place = self._place({"mul": "MUL", "tdiv": "TDIV", "mod": "MOD"}.get(node.type, ""))
        right = self._emit(node.right)
        if node.type != "mul" and not (isinstance(right, _Constant) and right.value):
            # A quotient of facts can always be written as a product, which never fails.
            self._problem("a divisor is a number other than 0, never a fact", *place)
        return _both(_ARITHMETIC[node.type], left, right)

    def _coalesce(self, node: Any) -> Code:
        left, right = self._emit(node.left), self._emit(node.right)
        return lambda b: value if (value := left(b)) is not None else right(b)

    def _ternary(self, node: Any) -> Code:
        condition, place = self._emit(node.condition), self._place("QMARK")
        self._must_decide(node.condition, "'?' follows a condition", place)
        first, second = self._emit(node.case_true), self._emit(node.case_false)
        return lambda b: first(b) if condition(b) else second(b)

    def _call(self, node: Any) -> Code:
        if len(node.arguments) != 1:
            self._problem("a function takes one value or one list", None)
            return _constant(None)
        argument = self._emit(node.arguments[0])
        given = node.arguments[0].result_type
        callee = node.function
        if isinstance(callee, ast.SymbolExpression) and callee.name in FUNCTIONS:
            function = FUNCTIONS[callee.name]
            if given != function.takes:
                self._problem(f"{callee.name} takes {function.asks_for}, not {spoken(given)}", None)
            return _then(argument, function.call)
        if (
            isinstance(callee, ast.GetAttributeExpression)
            and callee.name in METHODS
            and not callee.safe
            and callee.object.result_type == given == DataType.STRING
        ):
            subject, method = self._emit(callee.object), METHODS[callee.name]
            return lambda b: method(subject(b), argument(b))
        self._problem("calls what is no function, or with the wrong type", None)
        return _constant(None)

    def _comprehension(self, node: Any) -> Code:
        place = self._place("FOR")
        name = node.variable
        if self._variables:
            self._problem("a loop within a loop", *place)
        if name in self._scope.types:
            self._problem(f"the loop variable {name!r} has the name of something else", *place)
        if not DataType.is_type(node.iterable.result_type, DataType.ARRAY):
            self._problem(f"loops over {spoken(node.iterable.result_type)}", *place)
        items = self._emit(node.iterable)
        self._variables.append(name)
        result = self._emit(node.result)
        if node.condition is None:
            self._variables.pop()
            return lambda b: [result({**b, name: item}) for item in items(b)]
        condition = self._emit(node.condition)
        self._must_decide(node.condition, "'if' is followed by a condition", place)
        self._variables.pop()
        return lambda b: [result(inner) for item in items(b) if condition(inner := {**b, name: item})]

    _EMIT: ClassVar[dict[type, Callable[["_Compiler", Any], Code]]] = {
        ast.FloatExpression: _literal,
        ast.StringExpression: _literal,
        ast.BooleanExpression: _literal,
        ast.DatetimeExpression: _literal,
        ast.NullExpression: _literal,
        ast.ArrayExpression: _array,
        ast.SymbolExpression: _symbol,
        ast.GetAttributeExpression: _attribute,
        ast.ComparisonExpression: _equality,
        ast.ArithmeticComparisonExpression: _ordering,
        ast.LogicExpression: _logic,
        ast.ContainsExpression: _contains,
        ast.UnaryExpression: _unary,
        ast.AddExpression: _addition,
        ast.SubtractExpression: _addition,
        ast.ArithmeticExpression: _multiplication,
        ast.CoalesceExpression: _coalesce,
        ast.TernaryExpression: _ternary,
        ast.FunctionCallExpression: _call,
        ast.ComprehensionExpression: _comprehension,
    }

    # problems, and where they are

    def _must_decide(self, node: Any, why: str, place: tuple[str, int]) -> None:
        if node.result_type != DataType.BOOLEAN:
            self._problem(f"{why}, not {spoken(node.result_type)}", *place)

    def _place(self, *token_types: str) -> tuple[str, int]:
        """The next operator of these kinds in the text; the walk meets them from left to right."""
        kind = "/".join(token_types)
        self._seen[kind] = self._seen.get(kind, -1) + 1
        return kind, self._seen[kind]

    def _problem(self, reason: str, kind: str | None, index: int = 0) -> None:
        self._problems.append((reason, kind, index))

    def _raise_first_problem(self) -> None:
        for reason, kind, index in self._problems:
            raise ExpressionInvalid(reason, self._position(kind, index))
        written = sum(token.type in ("TRUE", "FALSE") for token in self._tokens)
        if self._constants > written:
            raise ExpressionInvalid("contains a condition that is always the same")

    def _position(self, kind: str | None, index: int) -> int | None:
        if kind is None:
            return None
        places = [token.lexpos for token in self._tokens if token.type in kind.split("/")]
        # What the parser folded is in the text but not in the tree: better no place than a wrong one.
        met = self._seen.get(kind, 0) + 1
        return places[index] if len(places) == met else None


class _Constant:
    """Code that does not look at the facts."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, bindings: Bindings) -> Any:
        return self.value


def _constant(value: Any) -> Code:
    return _Constant(value)


def _then(first: Code, second: Callable[[Any], Any]) -> Code:
    return lambda b: second(first(b))


def _safely(first: Code, second: Callable[[Any], Any]) -> Code:
    return lambda b: None if (value := first(b)) is None else second(value)


def _both(operation: Callable[[Any, Any], Any], left: Code, right: Code) -> Code:
    if isinstance(right, _Constant):
        constant = right.value
        return lambda b: operation(left(b), constant)
    return lambda b: operation(left(b), right(b))


def _reworded(message: str) -> str:
    if "nullable" in message:
        return "a value that may be missing is used as if it were there; say what then with '??'"
    if "mismatch" in message:
        return "values of types that do not go together"
    return message
