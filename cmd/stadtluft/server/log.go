package server

import (
	"io"
	"log/slog"
	"strings"
)

// NewLogger returns the configured logger. It masks the passwords of addresses and escapes what cannot be
// printed.
func NewLogger(c Config, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(strings.ToUpper(c.LogLevel))) // validated with the configuration
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: maskAttr}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
