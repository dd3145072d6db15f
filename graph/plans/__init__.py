"""Operations compiled once into functions that answer them: see ``README.md`` beside this file.

A plan only ever gives answers without errors. Whatever is not as expected is a ``Surprise``, and graphql-core executes
the operation from its beginning, so that errors, and what the specification says of them, are graphql-core's own. Of a
mutation it goes on from what its resolver gave, and does not call that again.
"""

from graph.plans.planner import Planner, Plans
from graph.plans.run import Resolved, Surprise

__all__ = ["Planner", "Plans", "Resolved", "Surprise"]
