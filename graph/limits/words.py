"""What can be told of a document by its words alone, before it is parsed: parsing takes longest of all that is checked.

Nothing is refused by them that would not be refused later: they are the tokens that the parser counts, and fields of
one name in one pair of braces are counted as they are when fragments have been looked into, which adds to them.
"""

import re
from collections.abc import Iterable
from itertools import islice
from typing import Final, NamedTuple

_WORD: Final = re.compile(
    # Strings that do not end are one word as well, or each of their quotes would be looked for an end again.
    r'"""(?:[^"\\]|\\"""|\\|"(?!""))*(?:""")?'
    r'|"(?:[^"\\\n\r]|\\[^\n\r])*"?'
    r"|\#[^\n\r]*"
    r"|\.\.\."
    r"|[A-Za-z_][A-Za-z0-9_]*"
    r"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
    r"|[^ \t\n\r,\ufeff]"
)
_NOT_A_FIELD: Final = frozenset({":", "...", "@", "$", "=", "|", "&"})
"""What stands before a name that is not that of a field or a key."""
_OPENING: Final = frozenset({"(", "["})
_CLOSING: Final = frozenset({"}", ")", "]"})


class Words(NamedTuple):
    """The words of a document, no more of them than may be and one.

    ``excess`` is where the first begins that is too many. ``comparisons`` are n² for n fields of one name, or keys, in
    one pair of braces.
    """

    number: int
    excess: int | None
    comparisons: int


def words_of(text: str, most: int) -> Words:
    words = list(islice(_WORD.finditer(text), most + 1))
    excess = words[most].start() if len(words) > most else None
    return Words(len(words), excess, _comparisons(found[0] for found in words))


def _comparisons(words: Iterable[str]) -> int:
    count = 0
    around: list[dict[str, int] | None] = []
    here: dict[str, int] | None = None
    before = ""
    for word in words:
        if word == "{":
            around.append(here)
            here = {}
        elif word in _OPENING:
            around.append(here)
            here = None
        elif word in _CLOSING:
            here = around.pop() if around else None
        elif before == "..." and word == "on":
            continue  # the name of a type comes after it
        elif here is not None and before not in _NOT_A_FIELD and word.isidentifier():
            times = here.get(word, 0)
            here[word] = times + 1
            if times:
                count += 2 * times + 1
        before = word
    return count
