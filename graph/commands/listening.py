"""A port on which several workers listen, each with a socket of its own.

uvicorn hands all workers one socket. Whoever wakes first accepts, and that is nearly always the same: of sixteen
connections that a proxy opens and keeps, one worker then has all, and the others have nothing to do. Among sockets that
are bound with ``SO_REUSEPORT`` Linux shares connections out by a hash of their addresses.

The price: a connection waits for the worker that it was given to, and is reset if that ends before it accepts, unless
``net.ipv4.tcp_migrate_req`` is 1 (Linux 5.14).
"""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

SHARES: Final = sys.platform == "linux"
"""Whether the system shares connections out. Elsewhere one of the sockets gets all, if they can be bound at all."""


class PortOfWorkers(socket.socket):
    """A socket that is bound but does not listen; each process that it is sent to has another at the same address."""

    @classmethod
    def bound(cls, family: int, address: Any) -> Self:
        """Raises OSError for an address that cannot be listened on."""
        bound = cls(family, socket.SOCK_STREAM)
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            bound.setsockopt(socket.SOL_SOCKET, option, 1)
        bound.bind(address)
        return bound

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).bound, (self.family, self.getsockname())


@contextmanager
def port_of_workers(host: str, port: int) -> Iterator[PortOfWorkers]:
    """The address for workers, and for nobody else's while this lasts. Raises OSError.

    Workers of another server could bind it as well, and before one listens nothing says that the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET  # as uvicorn has it
    with PortOfWorkers.bound(family, (host, port)) as bound, socket.socket(socket.AF_UNIX) as held:
        # A name of no file, gone when the process is.
        held.bind(f"\0laurel serve {bound.getsockname()}")
        yield bound
