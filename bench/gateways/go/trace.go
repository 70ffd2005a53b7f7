package main

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
)

const traceparentLength = len("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")

// traceContext is the gateway's place in a W3C trace.
type traceContext struct {
	// header is the value of traceresponse, and of traceparent upstream.
	header string
	// continued says that the request came with a valid traceparent.
	continued bool
}

func (t traceContext) traceID() string { return t.header[3:35] }
func (t traceContext) spanID() string  { return t.header[36:52] }

// startTrace continues the trace of the request, or begins a new one.
func startTrace(header http.Header) traceContext {
	buffer := make([]byte, 0, traceparentLength)
	buffer = append(buffer, "00-"...)

	// Two traceparent headers contradict each other: neither is valid.
	values := header["Traceparent"]
	continued := len(values) == 1 && validTraceparent(values[0])
	if continued {
		buffer = append(buffer, values[0][3:35]...)
	} else {
		buffer = appendRandom(buffer)
		buffer = appendRandom(buffer)
	}
	buffer = append(buffer, '-')
	buffer = appendRandom(buffer)
	if continued {
		buffer = append(buffer, values[0][52:55]...)
	} else {
		buffer = append(buffer, "-01"...)
	}
	return traceContext{header: string(buffer), continued: continued}
}

// appendRandom appends sixteen hex digits, never all zero.
func appendRandom(buffer []byte) []byte {
	var id [8]byte
	binary.BigEndian.PutUint64(id[:], rand.Uint64N(1<<64-1)+1)
	return hex.AppendEncode(buffer, id[:])
}

func validTraceparent(value string) bool {
	if len(value) < traceparentLength || value[2] != '-' || value[35] != '-' || value[52] != '-' {
		return false
	}
	version, traceID, parentID, flags := value[:2], value[3:35], value[36:52], value[53:55]
	if !lowerHex(version) || !lowerHex(traceID) || !lowerHex(parentID) || !lowerHex(flags) {
		return false
	}
	if version == "ff" || allZero(traceID) || allZero(parentID) {
		return false
	}
	// Later versions may append fields.
	return len(value) == traceparentLength || version != "00" && value[traceparentLength] == '-'
}

func lowerHex(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func allZero(text string) bool {
	for i := range len(text) {
		if text[i] != '0' {
			return false
		}
	}
	return true
}
