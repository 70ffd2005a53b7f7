"""Numbers of connections as text, `1,2,4,8`: the rungs of a closed loop."""

from __future__ import annotations

from bench.errors import LoadFailed


def parse(text: str, most: int | None = None) -> list[int]:
    """Read them.

    Parameters
    ----------
    most
        Connections that there are; None: not known yet.

    Raises
    ------
    LoadFailed
        A number is none, stands there twice, or is more than there are.
    """
    said = [part.strip() for part in text.split(",")]
    if not all(part.isdigit() and int(part) > 0 for part in said):
        raise LoadFailed(f"Rungs of {text!r} are no numbers of connections. Give some such as 1,2,4,8.")
    numbers = [int(part) for part in said]
    if len(set(numbers)) < len(numbers):
        raise LoadFailed(f"Rungs of {text!r} name a number twice. Give each once.")
    if most is not None and max(numbers) > most:
        raise LoadFailed(f"A rung of {max(numbers)} needs as many connections; there are {most}. Raise connections.")
    return numbers
