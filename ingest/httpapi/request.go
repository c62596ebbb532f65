package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
)

// MaxBody is the largest JSON body of a request, in bytes.
const MaxBody = 64 << 10

// ReadJSON decodes a request's body into what v points to: one JSON object without unknown members and of at most
// MaxBody bytes. Its Content-Type must say JSON, because browsers let the pages of any site send other types.
func ReadJSON(w http.ResponseWriter, r *http.Request, v any) error {
	given := r.Header.Get("Content-Type")
	if mediaType, _, err := mime.ParseMediaType(given); err != nil || mediaType != "application/json" {
		return New(http.StatusUnsupportedMediaType, "Content-Type", "the Content-Type is %.80q: send application/json", given).InGerman("Der Content-Type ist %.80q: Sende application/json.", given)
	}
	body, err := ReadBody(w, r, MaxBody)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err = decoder.Decode(v); err == nil {
		if _, err = decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("there is more than one object")
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
