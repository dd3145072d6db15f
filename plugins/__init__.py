"""Plugins: a module here is machinery, a folder here is a plugin. See README.md for how to write one.

A plugin marks what it offers with ``hookimpl`` and states the contract it was written for: ``CONTRACT = 1``.
"""

from typing import Final

import pluggy

PROJECT: Final = "laurel"

CONTRACT: Final = 1
"""Raised when a hook changes so that plugins have to change as well; a plugin of another contract is refused."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
