package main

import (
	"encoding/binary"
	"encoding/hex"
	"sync/atomic"
)

// liveSet is the data that the gateway retains so that the collector has something to trace.
type liveSet struct {
	entries []atomic.Pointer[entry]
	count   atomic.Uint64 // of entries ever made
}

// entry is nominally 1 KiB in seven allocations.
type entry struct {
	number uint64
	key    string
	labels [4]string
	node   *payloadNode
}

type payloadNode struct{ data []byte }

const payloadBytes = 768

func newLiveSet(mib int) *liveSet {
	s := &liveSet{entries: make([]atomic.Pointer[entry], mib*1024)}
	for range s.entries {
		s.replaceOne()
	}
	return s
}

// replaceOne puts a new entry in the place of the oldest.
func (s *liveSet) replaceOne() {
	if len(s.entries) == 0 {
		return
	}
	number := s.count.Add(1) - 1
	s.entries[number%uint64(len(s.entries))].Store(newEntry(number))
}

func newEntry(number uint64) *entry {
	e := &entry{number: number, key: hexDigits(number), node: &payloadNode{data: make([]byte, payloadBytes)}}
	for i := range e.labels {
		e.labels[i] = hexDigits(number + uint64(i))
	}
	// Fresh pages from the system are resident only once they are written.
	binary.BigEndian.PutUint64(e.node.data, number)
	return e
}

func hexDigits(number uint64) string {
	var bytes [8]byte
	binary.BigEndian.PutUint64(bytes[:], number)
	return hex.EncodeToString(bytes[:])
}
