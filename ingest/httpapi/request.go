package httpapi

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
)

// MaxBody is the largest JSON body of a request, in bytes.
const MaxBody = 64 << 10

// ReadJSON decodes a request's body into what v points to: one JSON object without unknown members and of at most
// MaxBody bytes.
func ReadJSON(w http.ResponseWriter, r *http.Request, v any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, MaxBody))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(v)
	if err == nil {
		if _, err = decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("there is more than one object")
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return New(http.StatusRequestEntityTooLarge, "", "the body has more than %d bytes", MaxBody).InGerman("Die Anfrage hat mehr als %d Byte.", MaxBody)
	}
	return Wrong("", "the body is not the JSON object it should be: %v", err).InGerman("Die Anfrage ist nicht das JSON-Objekt, das sie sein soll.")
}

// Bearer returns a request's bearer token; it is empty when there is none.
func Bearer(r *http.Request) string {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return ""
	}
	return token
}
