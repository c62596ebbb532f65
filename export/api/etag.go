package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	// maxHeld is the largest answer that gets a tag, in bytes. Longer ones stream and are made again for each request.
	maxHeld = 1 << 20
	// maxRemembered is the largest number of addresses for which the time of their last change is kept.
	maxRemembered = 4096
)

// tagOf returns the tag of an answer: of all but the time at which it was made, the one member that differs between equal
// answers.
func tagOf(body []byte) string {
	sum := sha256.New()
	if before, rest, found := bytes.Cut(body, []byte(`"generated":"`)); found {
		sum.Write(before)
		_, body, _ = bytes.Cut(rest, []byte(`"`))
	}
	sum.Write(body)
	return `W/"` + hex.EncodeToString(sum.Sum(nil)[:12]) + `"`
}

// tagged gives an answer an ETag and the time since which it has been the same, so that clients need not load it again.
// The tag is weak: two answers with the same tag may differ in their time of generation.
func (s *Server) tagged(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		held := &held{ResponseWriter: w, status: http.StatusOK}
		if err := h(held, r); err != nil || held.passing {
			return err
		}
		if held.status == http.StatusOK && held.body.Len() > 0 {
			tag := tagOf(held.body.Bytes())
			w.Header().Set("ETag", tag)
			since := s.changes.since(r.URL.RequestURI(), tag, time.Now())
			if !since.After(time.Now()) {
				w.Header().Set("Last-Modified", since.Format(http.TimeFormat))
			}
			if known(r, tag, since) {
				w.WriteHeader(http.StatusNotModified)
				return nil
			}
		}
		w.WriteHeader(held.status)
		_, err := w.Write(held.body.Bytes())
		return err
	}
}

// known reports whether the client has the answer already, by the request's conditions (RFC 9110, section 13).
func known(r *http.Request, tag string, since time.Time) bool {
	if tags := r.Header.Get("If-None-Match"); tags != "" {
		for _, t := range strings.Split(tags, ",") {
			if t = strings.TrimSpace(t); t == "*" || strings.TrimPrefix(t, "W/") == strings.TrimPrefix(tag, "W/") {
				return true
			}
		}
		return false
	}
	text := r.Header.Get("If-Modified-Since")
	if text == "" {
		return false
	}
	when, err := http.ParseTime(text)
	return err == nil && !since.After(when)
}

// changes holds the time of the last change of addresses' answers. An unknown address has changed now. The zero value is
// ready to use.
type changes struct {
	mu   sync.Mutex // guards last
	last map[[16]byte]change
}

type change struct {
	tag   string
	since time.Time // whole seconds
}

// since returns the time since which the address has had the tag.
func (c *changes) since(address, tag string, now time.Time) time.Time {
	sum := sha256.Sum256([]byte(address))
	key := [16]byte(sum[:])
	now = now.UTC().Truncate(time.Second)
	c.mu.Lock()
	defer c.mu.Unlock()
	last, known := c.last[key]
	if known && last.tag == tag {
		return last.since
	}
	if known && !now.After(last.since) {
		now = last.since.Add(time.Second) // two answers never have the same time
	}
	if c.last == nil || len(c.last) >= maxRemembered {
		c.last = map[[16]byte]change{}
	}
	c.last[key] = change{tag, now}
	return now
}

// held buffers an answer until it is too long for that.
type held struct {
	http.ResponseWriter
	status  int
	body    bytes.Buffer
	passing bool // it was too long
}

func (h *held) WriteHeader(status int) { h.status = status }

func (h *held) Write(b []byte) (int, error) {
	if !h.passing {
		if h.body.Len()+len(b) <= maxHeld {
			return h.body.Write(b)
		}
		h.passing = true
		h.ResponseWriter.WriteHeader(h.status)
		if _, err := h.body.WriteTo(h.ResponseWriter); err != nil {
			return 0, err
		}
		h.body = bytes.Buffer{}
	}
	return h.ResponseWriter.Write(b)
}

// Unwrap returns the underlying writer for http.ResponseController.
func (h *held) Unwrap() http.ResponseWriter { return h.ResponseWriter }
