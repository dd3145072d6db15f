"""The opening: members and balances of another system are brought over, with their dates.

It is no channel: it has no section in the programme and no mutation. ``laurel import members`` and ``laurel import
balances`` read what ``laurel export`` writes.
"""

from collections.abc import Sequence

from plugins import hookimpl
from plugins.hookspecs import Importer

from .importers import BALANCES, MEMBERS

CONTRACT = 1


@hookimpl
def register_importers() -> Sequence[Importer]:
    return [MEMBERS, BALANCES]
