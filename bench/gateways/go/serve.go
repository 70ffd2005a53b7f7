package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

const (
	headerLimit = 64 << 10
	// net/http reads this much more than MaxHeaderBytes, for its read buffer.
	headerSlack = 4096
	// A connection that was accepted at the last moment is noted a little later.
	lastAccept = 100 * time.Millisecond
)

// serve answers requests until it is terminated, and returns the exit code.
func serve(gateway *gateway, listener net.Listener, terminated <-chan os.Signal, logger *slog.Logger) int {
	config := gateway.config
	var silent silentConns
	server := &http.Server{
		Handler:                      gateway,
		ReadHeaderTimeout:            config.readTimeout,
		MaxHeaderBytes:               headerLimit - headerSlack,
		DisableGeneralOptionsHandler: true, // it would answer "OPTIONS *" with 200
		ConnState:                    silent.observe,
		ErrorLog:                     slog.NewLogLogger(gateway.log.Handler(), slog.LevelError),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()

	select {
	case err := <-failed:
		logger.Error("cannot accept connections: " + err.Error())
		return exitFailure
	case <-terminated:
	}
	gateway.draining.Store(true)
	time.Sleep(config.drainDelay)

	ctx, cancel := context.WithTimeout(context.Background(), config.drainTimeout)
	defer cancel()
	time.AfterFunc(lastAccept, silent.close)
	if err := server.Shutdown(ctx); err != nil {
		logger.Error("requests were still in flight when the drain timeout passed", "reason", err.Error())
		server.Close()
		return exitFailure
	}
	return exitOK
}

// silentConns are the connections that have not sent a request yet. They are as idle as any, but http.Server.Shutdown
// would wait for them for five seconds.
type silentConns struct{ conns sync.Map }

func (s *silentConns) observe(conn net.Conn, state http.ConnState) {
	if state == http.StateNew {
		s.conns.Store(conn, nil)
	} else {
		s.conns.Delete(conn)
	}
}

func (s *silentConns) close() {
	s.conns.Range(func(conn, _ any) bool {
		conn.(net.Conn).Close()
		return true
	})
}
