"""Where the load goes: Locust's `--host`, as a host and a port."""

from __future__ import annotations

from urllib.parse import urlsplit

from bench.errors import LoadFailed


def address(host: str | None) -> tuple[str, int]:
    """Give host and port of `http://127.0.0.1:8080`; raises `LoadFailed` when it is not such an address."""
    parts = urlsplit(host or "")
    if parts.scheme != "http" or not parts.hostname:
        raise LoadFailed(f"{host!r} is no address to load. Give --host http://127.0.0.1:8080 or the like.")
    return parts.hostname, parts.port or 80
