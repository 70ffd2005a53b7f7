"""Whether a server is there and speaks as the load will: asked once, before a load, on connections of its own."""

from __future__ import annotations

import socket
import ssl
import time
from typing import Any

from bench.errors import LoadFailed
from bench.load.http2 import PROTOCOL, greets

_RETRY_S = 0.02

Address = tuple[Any, ...]
"""Of a socket: host and port first."""


def find_server(
    address: Address,
    family: int,
    host: str,
    tls: ssl.SSLContext | None,
    *,
    http2: bool,
    timeout_s: float,
    wait_s: float,
) -> None:
    """Find a server at an address, and shake hands with it where that is to be.

    Parameters
    ----------
    host
        The name that its certificate must be for.
    tls
        What to encrypt with; None: plain.
    http2
        Whether it must speak HTTP/2.
    timeout_s
        How long it may take to answer.
    wait_s
        How long nothing may listen there before that is an error.

    Raises
    ------
    LoadFailed
        Nothing listens there, no secure connection comes about, or it does not speak HTTP/2.
    """
    _wait_for_listener(address, family, timeout_s, time.monotonic() + wait_s)
    if tls is not None or http2:
        with _connected(address, host, tls, timeout_s) as connected:
            if http2 and not _speaks_http2(connected):
                raise LoadFailed(f"The server at {_where(address)} does not speak HTTP/2. Leave out --http2.")


def _wait_for_listener(address: Address, family: int, timeout_s: float, deadline_s: float) -> None:
    while True:
        try:
            with socket.socket(family, socket.SOCK_STREAM) as plain:
                plain.settimeout(timeout_s)
                plain.connect(address)
                return
        except ConnectionResetError:
            # What answers a handshake with a reset listens; a port that nobody listens on refuses.
            return
        except OSError as error:
            if time.monotonic() > deadline_s:
                raise LoadFailed(
                    f"Nothing answers at {_where(address)} ({error}). Start the gateway first, or give another --host."
                ) from error
        time.sleep(_RETRY_S)


def _speaks_http2(connected: socket.socket) -> bool:
    agreed = not isinstance(connected, ssl.SSLSocket) or connected.selected_alpn_protocol() == PROTOCOL
    return agreed and greets(connected)


def _connected(address: Address, host: str, tls: ssl.SSLContext | None, timeout_s: float) -> socket.socket:
    try:
        plain = socket.create_connection(address[:2], timeout=timeout_s)
        return plain if tls is None else tls.wrap_socket(plain, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise LoadFailed(
            f"No secure connection to {_where(address)}: the certificate of {host} does not verify:"
            f" {error.verify_message.rstrip('.')}. Trust its issuer with --ca FILE, or anybody with --insecure."
        ) from error
    except OSError as error:
        raise LoadFailed(
            f"No secure connection to {_where(address)}: it does not speak TLS as we do ({error})."
            " If it speaks none, give --host http://…"
        ) from error


def _where(address: Address) -> str:
    return f"{address[0]}:{address[1]}"
