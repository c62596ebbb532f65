package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"regexp"
	"strings"
)

// generated is the one member that differs between equal answers.
var generated = regexp.MustCompile(`"generated":"[^"]*"`)

// tagged gives an answer of bounded size an ETag, so that who has it already need not load it again. The
// tag is weak: two answers with the same tag may differ in when they were made.
func tagged(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		held := &held{header: w.Header(), status: http.StatusOK}
		if err := h(held, r); err != nil {
			return err
		}
		sum := sha256.Sum256(generated.ReplaceAll(held.body.Bytes(), nil))
		tag := `W/"` + hex.EncodeToString(sum[:12]) + `"`
		w.Header().Set("ETag", tag)
		for _, known := range strings.Split(r.Header.Get("If-None-Match"), ",") {
			if held.status == http.StatusOK && strings.TrimSpace(known) == tag {
				w.WriteHeader(http.StatusNotModified)
				return nil
			}
		}
		w.WriteHeader(held.status)
		_, err := w.Write(held.body.Bytes())
		return err
	}
}

// held is an answer in memory.
type held struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *held) Header() http.Header         { return h.header }
func (h *held) WriteHeader(status int)      { h.status = status }
func (h *held) Write(b []byte) (int, error) { return h.body.Write(b) }
