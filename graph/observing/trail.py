"""What is noted of one request while it is answered, whatever brought it."""

from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Final


@dataclass(slots=True)
class Trail:
    """One request, a socket, or an operation over one. Nothing in it says who the member is or what is asked of them.

    ``document`` is the SHA-256 of the text of its document.
    """

    request_id: str = ""
    operation: str = ""
    kind: str = ""
    document: str = ""
    role: str = ""
    codes: list[str] = field(default_factory=list)
    statements: int = 0
    count: Callable[[str], object] | None = None
    in_socket: bool = False
    begun: float = field(default_factory=perf_counter)

    @property
    def seconds(self) -> float:
        return perf_counter() - self.begun


TRAIL: Final[ContextVar[Trail | None]] = ContextVar("TRAIL", default=None)
"""That of the present request; None where nobody watches."""


def note_errors(errors: Iterable[Mapping[str, Any]]) -> None:
    """Note what is answered as top-level errors."""
    trail = TRAIL.get()
    if trail is None:
        return
    for error in errors:
        code = error["extensions"]["code"]
        trail.codes.append(code)
        if trail.count is not None:
            trail.count(code)
