package httpapi

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

const (
	// bodyTime is how long a client has to send a body, without the time that bodyRate adds.
	bodyTime = 10 * time.Second
	// bodyRate is the number of bytes for which it has a second more, so that a slow radio link may send a large body.
	bodyRate = 500
)

// TimeBodies ends the reading of a request's body that comes slower than bodyTime and bodyRate allow.
func TimeBodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			b := &timedBody{ReadCloser: r.Body, control: http.NewResponseController(w), end: time.Now().Add(bodyTime)}
			_ = b.control.SetReadDeadline(b.end) // every connection supports deadlines; also for what the server reads of a body that nobody wants
			timed := *r
			timed.Body = b
			r = &timed
		}
		next.ServeHTTP(w, r)
	})
}

// timedBody moves the deadline of its connection with each byte, and removes it at the end of the body.
type timedBody struct {
	io.ReadCloser
	control *http.ResponseController
	end     time.Time
	ended   bool
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		b.ended = true
		_ = b.control.SetReadDeadline(time.Time{}) // for whoever waits for the client to go
	case n > 0:
		b.end = b.end.Add(time.Duration(n) * time.Second / bodyRate)
		_ = b.control.SetReadDeadline(b.end)
	}
	return n, err
}

// ReadBody returns a request's whole body, of at least 1 and at most limit bytes. Its errors are problems.
func ReadBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength == 0 && r.ProtoMajor == 1 && r.Header.Get("Content-Length") == "" {
		return nil, New(http.StatusLengthRequired, "Content-Length", "the request has no Content-Length, so its body cannot be told from the next request: send one").
			InGerman("Die Anfrage hat kein Content-Length, ihr Inhalt ist deshalb nicht von der nächsten Anfrage zu trennen: Sende es mit.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, New(http.StatusRequestEntityTooLarge, "", "the body has more than %d bytes: split it", limit).InGerman("Der Inhalt hat mehr als %d Byte: Teile ihn.", limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, New(http.StatusRequestTimeout, "", "the body came too slowly: %d bytes in %v and a second for each %d more", len(body), bodyTime, bodyRate).
			InGerman("Der Inhalt kam zu langsam: %d Byte in %v und einer Sekunde für je %d weitere.", len(body), bodyTime, bodyRate)
	case err != nil:
		return nil, Wrong("", "the body broke off after %d bytes: %v", len(body), err).InGerman("Der Inhalt brach nach %d Byte ab.", len(body))
	case len(body) == 0:
		return nil, Wrong("", "the request has no body").InGerman("Die Anfrage hat keinen Inhalt.")
	}
	return body, nil
}

// unread reports whether a part of a request's body has not been read.
func unread(r *http.Request) bool {
	b, ok := r.Body.(*timedBody)
	return ok && !b.ended
}
