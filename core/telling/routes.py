"""Who is to hear of which events: plugins for as long as the process runs, places outside for as long as they exist."""

from collections import defaultdict
from collections.abc import Collection, Mapping


class Routes:
    """The consumers of each event, by their names.

    >>> routes = Routes({"referral": {"order.paid"}})
    >>> routes.replace({"webhooks:7": {"order.paid", "tier.changed"}})
    >>> routes.to("order.paid"), routes.to("member.enrolled")
    (('referral', 'webhooks:7'), ())
    """

    def __init__(self, consumers: Mapping[str, Collection[str]] | None = None) -> None:
        self._fixed = consumers or {}
        self._to: Mapping[str, tuple[str, ...]] = {}
        self.replace({})

    def to(self, event: str) -> tuple[str, ...]:
        """The consumers that want to hear of events of this name."""
        return self._to.get(event, ())

    def replace(self, places: Mapping[str, Collection[str]]) -> None:
        """Let these be the places outside from now on, with the events that each wants."""
        to: dict[str, list[str]] = defaultdict(list)
        for consumer, events in {**self._fixed, **places}.items():
            for event in events:
                to[event].append(consumer)
        self._to = {event: tuple(sorted(consumers)) for event, consumers in to.items()}
