"""No test, and no lesson that a test runs, reaches the network.

The guard stands in Python's socket module. Processes that a test starts (kernels, JupyterLab,
workers) get it through
PYTHONPATH: `offline/sitecustomize.py` is imported by every Python at its start. Programs that are
not Python are not held back; the browser is told separately to resolve no name.
"""

import ipaddress
import os
import socket
from pathlib import Path

OFFLINE = Path(__file__).resolve().parent / "offline"


class NetworkBlocked(OSError):
    """A connection beyond this machine was tried."""


def _is_local(host) -> bool:
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in (None, "", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(str(host).split("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _check(family, address) -> None:
    if family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address[0]):
        raise NetworkBlocked(
            f"Tests run without the network, and something tried to reach {address[0]}."
        )


def _is_number(host) -> bool:
    try:
        ipaddress.ip_address(str(host).split("%")[0])
    except ValueError:
        return False
    return True


def install() -> None:
    """Put the guard in place, once."""
    plain = socket.socket
    if getattr(plain, "_guarded", False):
        return
    connect, connect_ex, sendto, lookup = (
        plain.connect,
        plain.connect_ex,
        plain.sendto,
        socket.getaddrinfo,
    )
    by_name = socket.gethostbyname
    own = {socket.gethostname()}

    def guarded_connect(self, address):
        _check(self.family, address)
        return connect(self, address)

    def guarded_connect_ex(self, address):
        _check(self.family, address)
        return connect_ex(self, address)

    def guarded_sendto(self, data, *rest):
        _check(self.family, rest[-1])
        return sendto(self, data, *rest)

    # Names are not looked up either: a query to a name server leaves the machine without any
    # connect() of ours.
    def guarded_lookup(host, *rest, **more):
        if not (_is_local(host) or _is_number(host) or host in own):
            raise NetworkBlocked(f"Tests run without the network, and something looked up {host}.")
        return lookup(host, *rest, **more)

    def guarded_by_name(host):
        if not (_is_local(host) or _is_number(host) or host in own):
            raise NetworkBlocked(f"Tests run without the network, and something looked up {host}.")
        return by_name(host)

    plain.connect, plain.connect_ex, plain.sendto = (
        guarded_connect,
        guarded_connect_ex,
        guarded_sendto,
    )
    socket.getaddrinfo, socket.gethostbyname = guarded_lookup, guarded_by_name
    plain._guarded = True


def pytest_configure(config) -> None:
    install()
    entries = [str(OFFLINE), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(entries))
