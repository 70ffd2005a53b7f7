"""Why HotSpot stopped and collected: operations of the collector, and the cause of a collection (gcCause.cpp)."""

from __future__ import annotations

import re

# Titles of pauses carry other parentheses too: a kind, a generation, what else is done.
_CAUSES = {
    "System.gc()", "Full GC Alot", "Scavenge Alot", "Allocation Profiler", "JvmtiEnv ForceGarbageCollection",
    "Archive Share Full GC", "GCLocker Initiated GC", "Heap Inspection Initiated GC", "Heap Dump Initiated GC",
    "WhiteBox Initiated Young GC", "WhiteBox Initiated Concurrent Mark", "WhiteBox Initiated Full GC",
    "WhiteBox Initiated Run to Breakpoint", "No GC", "Allocation Failure", "CodeCache GC Threshold",
    "CodeCache GC Aggressive", "Metadata GC Threshold", "Metadata GC Clear Soft References", "G1 Evacuation Pause",
    "G1 Compaction Pause", "G1 Humongous Allocation", "G1 Periodic Collection", "G1 Preventive Collection",
    "Diagnostic Command", "Timer", "Warmup", "Allocation Rate", "Allocation Stall", "High Usage", "Proactive",
    "Preventive", "Ergonomics", "Last ditch collection", "Concurrent GC", "Upgrade To Full GC", "Stopping VM",
    "Allocation Failure During Evacuation",
}  # fmt: skip
_ASKED_FOR = (
    "System.gc()", "Diagnostic Command", "Heap Inspection Initiated", "Heap Dump Initiated", "WhiteBox Initiated",
    "JvmtiEnv ForceGarbageCollection", "Archive Share",
)  # fmt: skip

_COLLECTOR_OPERATION = re.compile(r"G1|[ZX][A-Z]|Shenandoah|Parallel|Serial|GenCollect|CollectFor|CGC_")
_PARENTHESES = re.compile(r" \(((?:[^()]|\(\))*)\)")
_CYCLE = re.compile(r"GC\((?P<gc_id>\d+)\) (?:Garbage|Minor|Major) Collection \((?P<cause>.*?)\)(?: |$)")
_TRIGGER = re.compile(r"Trigger(?: \((?:Young|Old|Global)\))?: (?P<cause>.*)")
_AMOUNT = re.compile(r"[ (:,]+\d.*")
_GC_ID = re.compile(r"GC\((\d+)\) ")


def split_title(title: str) -> tuple[str, str | None]:
    """Give the title of a pause without its cause, and the cause if the title names one."""
    for text in _PARENTHESES.findall(title):
        if text in _CAUSES:
            return title.replace(f" ({text})", ""), text
    return title, None


def of_collector(operation: str) -> bool:
    """Tell whether a VM operation, by its name, is one of a collector."""
    return bool(_COLLECTOR_OPERATION.match(operation))


def asked_for(cause: str | None) -> bool | None:
    """Tell whether somebody asked for the collection; None when its cause is not known."""
    return None if cause is None else any(request in cause for request in _ASKED_FOR)


class Causes:
    """The causes of collections whose pauses do not name them, from the other lines of the log."""

    def __init__(self) -> None:
        self._of: dict[int, str] = {}
        self._begun: set[int] = set()
        self._trigger: str | None = None

    def hear(self, message: str) -> None:
        """Take in a line: ZGC names the cause with the collection, Shenandoah before it."""
        if cycle := _CYCLE.match(message):
            self._of.setdefault(int(cycle["gc_id"]), cycle["cause"])
        elif trigger := _TRIGGER.match(message):
            # A request stands until a collection begins; what is said meanwhile is said of the same collection.
            if not asked_for(self._trigger):
                self._trigger = _AMOUNT.sub("", trigger["cause"])
        elif (begun := _GC_ID.match(message)) and (gc_id := int(begun[1])) not in self._begun:
            self._begun.add(gc_id)
            if self._trigger is not None:
                self._of.setdefault(gc_id, self._trigger)
                self._trigger = None

    def of(self, gc_id: int | None) -> str | None:
        """Give the cause of a collection, if the log said it."""
        return None if gc_id is None else self._of.get(gc_id)
