"""What is asked about no member: many requests in one transaction, around the committer, with an answer each."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from core.engine.batch import Rules
from core.errors import Refusal


class Done(NamedTuple):
    """What a request has led to; ``replayed`` says that it had been done before."""

    value: Any
    replayed: bool = False


@dataclass(frozen=True, kw_only=True)
class Aside(ABC):
    """One request about no member. What it names tells whether it was done before; ``actor`` is who asked."""

    actor: str

    @classmethod
    @abstractmethod
    async def perform_all(cls, asked: Sequence[Self], rules: Rules) -> Sequence[Done | Refusal]:
        """Do all in their order, in one transaction, and answer each: one that is refused keeps no other from it."""
