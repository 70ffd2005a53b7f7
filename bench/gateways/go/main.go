// Command gateway is the Go reference gateway, on net/http.
package main

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
)

const (
	exitOK            = 0
	exitFailure       = 1
	exitConfiguration = 2
)

func main() {
	os.Exit(run())
}

func run() int {
	logger := newLogger(slog.LevelInfo)
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)

	config, err := configFromEnvironment()
	if err != nil {
		return misconfigured(logger, err)
	}
	runtime.GOMAXPROCS(config.workers)
	if config.control {
		return runControl(config, terminated, logger)
	}
	return runGateway(config, terminated, logger)
}

func runGateway(config config, terminated <-chan os.Signal, logger *slog.Logger) int {
	routes, err := loadTable(config.routesPath)
	if err != nil {
		return misconfigured(logger, invalid("GATEWAY_ROUTES", err.Error()))
	}
	if config.metersDir != "" {
		sampler, err := startSampler(config.metersDir, logger)
		if err != nil {
			return misconfigured(logger, invalid("GATEWAY_METERS_DIR", err.Error()))
		}
		defer sampler.stop()
	}
	if config.metersDir != "" && config.hiccupPeriod != 0 {
		hiccups, err := startHiccupMeter(config.metersDir, config.hiccupPeriod, logger)
		if err != nil {
			return misconfigured(logger, invalid("GATEWAY_METERS_DIR", err.Error()))
		}
		defer hiccups.stop()
	}
	gateway := newGateway(config, routes, newLogger(config.logLevel))

	address := net.JoinHostPort(config.host, strconv.Itoa(config.port))
	listener, err := net.Listen("tcp", address)
	if err != nil {
		reason := err
		if operation := (*net.OpError)(nil); errors.As(err, &operation) {
			reason = operation.Err
		}
		logger.Error("cannot listen on "+address+": "+reason.Error(), "host", config.host, "port", config.port)
		return exitFailure
	}
	logger.Info("listening", "host", config.host, "port", config.port, "pid", os.Getpid(), "workers", config.workers)
	return serve(gateway, listener, terminated, logger)
}

// runControl runs the hiccup meter and nothing else: what it sees, the machine did.
func runControl(config config, terminated <-chan os.Signal, logger *slog.Logger) int {
	hiccups, err := startHiccupMeter(config.metersDir, config.hiccupPeriod, logger)
	if err != nil {
		return misconfigured(logger, invalid("GATEWAY_METERS_DIR", err.Error()))
	}
	defer hiccups.stop()
	logger.Info("control", "pid", os.Getpid())
	<-terminated
	return exitOK
}

func misconfigured(logger *slog.Logger, err error) int {
	variable := ""
	if invalid := (*configError)(nil); errors.As(err, &invalid) {
		variable = invalid.variable
	}
	logger.Error(err.Error(), "variable", variable)
	return exitConfiguration
}
