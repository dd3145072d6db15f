"""Comments of columns (``#: …``), looked for in the modules that have some.

Tortoise takes them from the source of each model. Python before 3.13 parses the whole module for that, once for each
model in it, which was a third of the time that Laurel took to start.
"""

import inspect
import sys
from functools import cache
from typing import Final

import tortoise.models
from tortoise.models import Model

_OF_TORTOISE: Final = tortoise.models._get_comments


def comments_of(cls: type[Model]) -> dict[str, str]:
    """What Tortoise finds, by field."""
    return _OF_TORTOISE(cls) if _has_some(cls.__module__) else {}


@cache
def _has_some(module: str) -> bool:
    try:
        return "#:" in inspect.getsource(sys.modules[module])
    except (KeyError, OSError, TypeError):
        return True  # Tortoise looks for itself


tortoise.models._get_comments = comments_of
