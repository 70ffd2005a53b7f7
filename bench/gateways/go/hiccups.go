package main

import (
	"encoding/binary"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	hiccupRecordBytes = 3 * 8
	hiccupBufferBytes = 4096 * hiccupRecordBytes
	// A deadline that was met later than this is recorded.
	hiccupThresholdNS = 50_000
	hiccupFlushNS     = int64(time.Second)
	// Stands in late_ns of a record that counts wakes, and in run_delay_ns where the kernel does not tell.
	noValue = -1
)

// hiccupMeter records when the process stood still, in hiccups.bin. Its goroutine is locked to a thread of its own and
// stands still when goroutines do. Nothing is allocated after the start: that would feed the collector that it watches.
type hiccupMeter struct {
	log    *slog.Logger
	period int64
	timer  *deadlineTimer

	mutex     sync.Mutex // over all that follows
	file      *os.File   // nil once the meter has stopped
	buffer    []byte     // whole records; never grows
	wakes     int64      // since the last record that counts them
	flushedNS int64
}

func startHiccupMeter(dir string, period time.Duration, log *slog.Logger) (*hiccupMeter, error) {
	timer, err := newDeadlineTimer()
	if err != nil {
		return nil, err
	}
	file, err := os.Create(filepath.Join(dir, "hiccups.bin"))
	if err != nil {
		return nil, err
	}
	m := &hiccupMeter{
		log:    log,
		period: period.Nanoseconds(),
		timer:  timer,
		file:   file,
		buffer: make([]byte, 0, hiccupBufferBytes),
	}
	m.flush(monotonicNS())
	running := make(chan struct{})
	go m.run(running)
	<-running
	return m, nil
}

func (m *hiccupMeter) run(running chan<- struct{}) {
	// The thread ends with the goroutine.
	runtime.LockOSThread()
	delay := openRunDelay()
	defer delay.close()
	close(running)

	delayedNS := delay.read()
	for due := monotonicNS() + m.period; ; {
		if err := m.timer.sleepUntil(due); err != nil {
			m.log.Error("the hiccup meter has ended: " + err.Error())
			return
		}
		woke := monotonicNS()
		before := delayedNS
		delayedNS = delay.read()
		passed, ok := m.note(due, woke, difference(delayedNS, before))
		if !ok {
			return
		}
		// The first multiple of the period that is still to come.
		due += ((passed-due)/m.period + 1) * m.period
	}
}

// note records one wake. It returns the time up to which deadlines have passed: the meter's own writing is no hiccup.
func (m *hiccupMeter) note(due, woke, delayedNS int64) (passed int64, ok bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.file == nil {
		return 0, false
	}
	m.wakes++
	if late := woke - due; late >= hiccupThresholdNS {
		m.append(due, late, delayedNS)
	}
	full := len(m.buffer)+2*hiccupRecordBytes > cap(m.buffer)
	if full || woke-m.flushedNS >= hiccupFlushNS {
		m.flush(woke)
		return monotonicNS(), true
	}
	return woke, true
}

// stop writes the last record itself, so that the end does not wait for a sleeping thread.
func (m *hiccupMeter) stop() {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.flush(monotonicNS())
	m.file.Close()
	m.file = nil
}

// flush counts the wakes and hands whole records to the system.
func (m *hiccupMeter) flush(now int64) {
	m.append(now, noValue, m.wakes)
	if _, err := m.file.Write(m.buffer); err != nil {
		m.log.Error("hiccups are lost: " + err.Error())
	}
	m.buffer = m.buffer[:0]
	m.wakes = 0
	m.flushedNS = now
}

func (m *hiccupMeter) append(fields ...int64) {
	for _, field := range fields {
		m.buffer = binary.LittleEndian.AppendUint64(m.buffer, uint64(field))
	}
}

// deadlineTimer wakes its goroutine at an instant of CLOCK_MONOTONIC, through the runtime's own poller: a goroutine that
// slept in a system call would keep its P until the runtime's monitor takes it away, up to 10 ms later, and with one P
// nothing else would run for so long.
type deadlineTimer struct {
	descriptor int
	file       *os.File
	expired    []byte
}

func newDeadlineTimer() (*deadlineTimer, error) {
	descriptor, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("timerfd_create", err)
	}
	return &deadlineTimer{descriptor, os.NewFile(uintptr(descriptor), "timerfd"), make([]byte, 8)}, nil
}

// sleepUntil waits for a P when it wakes: that wait belongs to the hiccup.
func (t *deadlineTimer) sleepUntil(deadlineNS int64) error {
	deadline := unix.ItimerSpec{Value: unix.NsecToTimespec(deadlineNS)}
	if err := unix.TimerfdSettime(t.descriptor, unix.TFD_TIMER_ABSTIME, &deadline, nil); err != nil {
		return os.NewSyscallError("timerfd_settime", err)
	}
	_, err := t.file.Read(t.expired)
	return err
}

func difference(after, before int64) int64 {
	if after == noValue || before == noValue {
		return noValue
	}
	return after - before
}

// runDelay reads how long the thread that opened it has been ready to run and waited for a processor.
type runDelay struct {
	file int // noValue: the kernel does not tell
	text []byte
}

func openRunDelay() *runDelay {
	file, err := unix.Open("/proc/thread-self/schedstat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		file = noValue
	}
	return &runDelay{file: file, text: make([]byte, 64)}
}

func (d *runDelay) close() {
	if d.file != noValue {
		unix.Close(d.file)
	}
}

// read returns nanoseconds since the thread began, or noValue.
func (d *runDelay) read() int64 {
	if d.file == noValue {
		return noValue
	}
	n, err := unix.Pread(d.file, d.text, 0)
	if err != nil {
		return noValue
	}
	return secondField(d.text[:n])
}

// secondField is that of "<time on a processor> <time waiting for one> <timeslices>". A kernel that does not account
// for either says 0 to both; a thread that asks has been on a processor.
func secondField(text []byte) int64 {
	fields := [2]int64{}
	i := 0
	for _, c := range text {
		switch {
		case '0' <= c && c <= '9':
			fields[i] = fields[i]*10 + int64(c-'0')
		case c != ' ':
			return noValue
		case i == 1:
			if fields[0] == 0 {
				return noValue
			}
			return fields[1]
		default:
			i++
		}
	}
	return noValue
}
