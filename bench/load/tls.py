"""TLS on a connection of the engine: the send and recv of a plain non-blocking socket, encrypted through memory.

It works on memory BIOs and not on `ssl.SSLSocket`, because gevent replaces the latter by one that waits in its own way.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from pathlib import Path

from bench.errors import LoadFailed

_RECORD_BYTES = 65_536


def context(ca: Path | None = None, *, verify: bool = True, protocol: str | None = None) -> ssl.SSLContext:
    """Give what connections are encrypted with.

    Parameters
    ----------
    ca
        File with the certificates to trust; None: those of the system.
    verify
        False trusts anybody: for a test machine, and it says so in the options of the load.
    protocol
        What is to be spoken inside, by its name in ALPN; None leaves that to the server, which is HTTP/1.1.

    Raises
    ------
    LoadFailed
        The file cannot be read or holds no certificate.
    """
    try:
        made = ssl.create_default_context(cafile=None if ca is None else str(ca))
    except (OSError, ssl.SSLError) as error:
        raise LoadFailed(f"The certificates to trust cannot be read from {ca}: {error}. Check --ca.") from error
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if protocol is not None:
        made.set_alpn_protocols([protocol])
    return made


class TlsSocket:
    """Encrypts what a connected, non-blocking socket sends and receives. Where that has to wait, BlockingIOError is raised."""

    def __init__(self, plain: socket.socket, tls: ssl.SSLContext, host: str) -> None:
        self._plain = plain
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = tls.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._left = memoryview(b"")
        """Ciphertext that the socket did not take yet."""
        self._accepted = 0
        """Plain bytes whose ciphertext is in `_left`."""

    def shake_hands(self) -> bool:
        """Go on with the handshake; tells whether it is done. Raises `ssl.SSLError` or OSError when it fails."""
        with suppress(BlockingIOError):
            self._take_in()
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._push()
            return False
        self._push()
        return True

    def send(self, data: bytes | memoryview) -> int:
        """Send; gives how many bytes were taken: all of them, or none and BlockingIOError until the socket takes more."""
        if not self._left:
            self._accepted = self._tls.write(data)
        if not self._push():
            raise BlockingIOError
        return self._accepted

    def recv(self, size: int) -> bytes:
        """Give what has arrived, all of it; empty when the other side has ended."""
        # Nothing new on the socket is not nothing: the first bytes may have come together with the last of the handshake.
        with suppress(BlockingIOError):
            self._take_in()
        parts = []
        ended = False
        try:
            while part := self._tls.read(size):
                parts.append(part)
            # It has taken leave, and may hold the socket open: from now on the socket itself says that it has ended.
            ended = True
            with suppress(OSError):
                self._plain.shutdown(socket.SHUT_RD)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLEOFError:
            ended = True
        if not parts and not ended:
            raise BlockingIOError
        return b"".join(parts)

    def _take_in(self) -> None:
        data = self._plain.recv(_RECORD_BYTES)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def _push(self) -> bool:
        """Hand ciphertext to the socket; tells whether it took all."""
        if self._outgoing.pending:
            self._left = memoryview(bytes(self._left) + self._outgoing.read())
        while self._left:
            try:
                self._left = self._left[self._plain.send(self._left) :]
            except BlockingIOError:
                return False
        return True
