package main

import (
	"log/slog"
	"os"
	"strings"
	"time"
)

// newLogger writes one JSON object a line to standard output, under the contract's names.
func newLogger(level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(groups []string, attribute slog.Attr) slog.Attr {
			if len(groups) > 0 {
				return attribute
			}
			switch attribute.Key {
			case slog.TimeKey:
				return slog.String("ts", attribute.Value.Time().UTC().Format(time.RFC3339Nano))
			case slog.LevelKey:
				return slog.String("level", strings.ToLower(attribute.Value.String()))
			}
			return attribute
		},
	}))
}
