package main

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// The hiccup meter's record has a count of wakes once a second.
const longestHiccupUS = 1_000_000

// config is what the environment said, checked.
type config struct {
	host       string
	port       int
	routesPath string
	workers    int

	upstream         *url.URL // nil: no upstream
	upstreamPool     bool
	upstreamPoolSize int
	upstreamTimeout  time.Duration

	jwtSecret    []byte         // nil: no HS256 token verifies
	jwtPublicKey *rsa.PublicKey // nil: no RS256 token verifies
	jwtCache     bool

	liveSetMiB   int
	bodyLimit    int64
	readTimeout  time.Duration
	drainDelay   time.Duration
	drainTimeout time.Duration

	logLevel     slog.Level
	metersDir    string        // empty: nothing is recorded
	hiccupPeriod time.Duration // 0: no hiccup meter
	control      bool          // the hiccup meter and nothing else
	faults       bool
}

// configError says which variable is at fault, and how.
type configError struct {
	variable string
	reason   string
}

func (e *configError) Error() string { return e.variable + ": " + e.reason }

func invalid(variable, reason string) error {
	return &configError{variable, reason}
}

func configFromEnvironment() (config, error) {
	var env environment
	c := config{
		host:    env.text("GATEWAY_HOST", "127.0.0.1"),
		workers: int(env.integer("GATEWAY_WORKERS", 1, 1, 1024)),

		upstream:         env.baseURL("GATEWAY_UPSTREAM"),
		upstreamPool:     env.onOff("GATEWAY_UPSTREAM_POOL"),
		upstreamPoolSize: int(env.integer("GATEWAY_UPSTREAM_POOL_SIZE", 64, 1, math.MaxInt32)),
		upstreamTimeout:  env.milliseconds("GATEWAY_UPSTREAM_TIMEOUT_MS", 2000, 1),

		jwtSecret:    env.base64URL("GATEWAY_JWT_HS256_SECRET"),
		jwtPublicKey: env.publicKey("GATEWAY_JWT_RS256_PUBLIC_KEY"),
		jwtCache:     env.onOff("GATEWAY_JWT_CACHE"),

		liveSetMiB:   int(env.integer("GATEWAY_LIVE_SET_MIB", 64, 0, math.MaxInt32)),
		bodyLimit:    env.integer("GATEWAY_BODY_LIMIT", 1<<20, 0, math.MaxInt32),
		readTimeout:  env.milliseconds("GATEWAY_READ_TIMEOUT_MS", 5000, 1),
		drainDelay:   env.milliseconds("GATEWAY_DRAIN_DELAY_MS", 0, 0),
		drainTimeout: env.milliseconds("GATEWAY_DRAIN_TIMEOUT_MS", 10000, 0),

		logLevel:     env.logLevel("GATEWAY_LOG_LEVEL"),
		metersDir:    env.text("GATEWAY_METERS_DIR", ""),
		hiccupPeriod: time.Duration(env.integer("GATEWAY_HICCUP_US", 10_000, 0, longestHiccupUS)) * time.Microsecond,
		control:      os.Getenv("GATEWAY_CONTROL") == "1",
		faults:       os.Getenv("ENABLE_FAULTS") == "1",
	}
	if c.control {
		env.requiredText("GATEWAY_METERS_DIR")
		if c.hiccupPeriod == 0 {
			env.fail("GATEWAY_HICCUP_US", "must not be 0 in a control")
		}
	} else {
		c.port = int(env.requiredInteger("GATEWAY_PORT", 1, math.MaxUint16))
		c.routesPath = env.requiredText("GATEWAY_ROUTES")
	}
	return c, env.err
}

// environment reads variables and remembers the first that is wrong. An empty variable counts as missing.
type environment struct{ err error }

func (e *environment) fail(variable, reason string) {
	if e.err == nil {
		e.err = invalid(variable, reason)
	}
}

func (e *environment) text(variable, fallback string) string {
	if value := os.Getenv(variable); value != "" {
		return value
	}
	return fallback
}

func (e *environment) requiredText(variable string) string {
	value := os.Getenv(variable)
	if value == "" {
		e.fail(variable, "is required")
	}
	return value
}

func (e *environment) integer(variable string, fallback, least, most int64) int64 {
	if os.Getenv(variable) == "" {
		return fallback
	}
	return e.requiredInteger(variable, least, most)
}

func (e *environment) requiredInteger(variable string, least, most int64) int64 {
	value := e.requiredText(variable)
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < least || n > most {
		e.fail(variable, fmt.Sprintf("%q is not a whole number from %d to %d", value, least, most))
	}
	return n
}

func (e *environment) milliseconds(variable string, fallback, least int64) time.Duration {
	return time.Duration(e.integer(variable, fallback, least, math.MaxInt32)) * time.Millisecond
}

func (e *environment) onOff(variable string) bool {
	value := e.text(variable, "on")
	if value != "on" && value != "off" {
		e.fail(variable, fmt.Sprintf("%q is neither on nor off", value))
	}
	return value == "on"
}

func (e *environment) logLevel(variable string) slog.Level {
	value := e.text(variable, "warn")
	level, known := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}[value]
	if !known {
		e.fail(variable, fmt.Sprintf("%q is not debug, info, warn or error", value))
	}
	return level
}

func (e *environment) baseURL(variable string) *url.URL {
	value := os.Getenv(variable)
	if value == "" {
		return nil
	}
	base, err := url.Parse(value)
	if err != nil || base.Scheme != "http" || base.Hostname() == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		e.fail(variable, fmt.Sprintf("%q is not a base URL like http://127.0.0.1:9000", value))
		return nil
	}
	return base
}

func (e *environment) base64URL(variable string) []byte {
	value := os.Getenv(variable)
	if value == "" {
		return nil
	}
	secret, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(value, "="))
	if err != nil || len(secret) == 0 {
		e.fail(variable, "is not base64url") // without the value: it is a secret
	}
	return secret
}

func (e *environment) publicKey(variable string) *rsa.PublicKey {
	path := os.Getenv(variable)
	if path == "" {
		return nil
	}
	key, err := readPublicKey(path)
	if err != nil {
		e.fail(variable, err.Error())
	}
	return key
}

func readPublicKey(path string) (*rsa.PublicKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("not a PEM file")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	if key, ok := key.(*rsa.PublicKey); ok {
		return key, nil
	}
	return nil, fmt.Errorf("holds a %T, not an RSA key", key)
}
