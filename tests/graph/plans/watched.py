"""A planner whose answers are counted."""

from collections import Counter
from typing import Any

from graph.plans import Planner, Surprise


class Watched(Planner):
    """A planner that counts how often it answers, and notes what it was surprised by."""

    def __init__(self, schema: Any) -> None:
        super().__init__(schema)
        self.ways: Counter[str] = Counter()
        self.surprise = ""

    async def answer(self, *asked: Any) -> dict[str, Any] | None:
        self.surprise = ""
        try:
            answer = await super().answer(*asked)
        except Surprise as surprise:
            self.ways["surprise"] += 1
            self.surprise = str(surprise)
            raise
        self.ways["executor" if answer is None else "plan"] += 1
        return answer
