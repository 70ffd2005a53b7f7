package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// clockReading places the wall clock on the machine's CLOCK_MONOTONIC.
type clockReading struct {
	MonotonicNS   int64 `json:"monotonic_ns"`
	WallNS        int64 `json:"wall_ns"`
	UncertaintyNS int64 `json:"uncertainty_ns"`
}

func readClock() clockReading {
	before := monotonicNS()
	wall := time.Now().UnixNano()
	after := monotonicNS()
	half := (after - before + 1) / 2
	return clockReading{MonotonicNS: before + (after-before)/2, WallNS: wall, UncertaintyNS: half}
}

// monotonicNS is comparable between processes, unlike the monotonic part of time.Now.
func monotonicNS() int64 {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		panic(err) // every Linux has this clock
	}
	return now.Nano()
}
