"""Which processors the gateway and the load generator get on this machine."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Rig:
    """A split of the processors that this process may use."""

    gateway_cpus: tuple[int, ...]
    generator_cpus: tuple[int, ...]

    @property
    def shared(self) -> bool:
        """Whether gateway and generator compete for a processor."""
        return not set(self.gateway_cpus).isdisjoint(self.generator_cpus)

    @classmethod
    def split(cls, gateway_cpus: int) -> Rig:
        """Give the first processors to the gateway and the rest to generator, meters and campaign.

        On a machine with too few processors the two share what there is, and `shared` says so.
        """
        allowed = sorted(os.sched_getaffinity(0))
        if len(allowed) > gateway_cpus:
            return cls(tuple(allowed[:gateway_cpus]), tuple(allowed[gateway_cpus:]))
        return cls(tuple(allowed[:gateway_cpus]), tuple(allowed))


def as_list(cpus: tuple[int, ...]) -> str:
    """Write processors as a list such as `0,2`."""
    return ",".join(map(str, cpus))
