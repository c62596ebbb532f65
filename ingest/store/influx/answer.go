package influx

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxErrorBody bounds how much of an unsuccessful response is read, in bytes.
const maxErrorBody = 4096

// answerError is an unsuccessful response: of InfluxDB, or of a proxy or another server at its address.
type answerError struct {
	url     string
	bucket  string
	status  int
	own     bool   // InfluxDB itself sent it
	words   string // its error message; else the first line of the body
	retryIn time.Duration
}

func (e *answerError) Error() string {
	switch {
	case !e.own:
		return fmt.Sprintf("%s answers %d, which is not InfluxDB's (%s): check store.influxdb.url and the proxy before it", e.url, e.status, e.words)
	case e.status == http.StatusUnauthorized, e.status == http.StatusForbidden:
		return fmt.Sprintf("InfluxDB at %s does not accept the token: check store.influxdb.token (%s)", e.url, e.words)
	case e.status == http.StatusNotFound:
		return fmt.Sprintf("InfluxDB at %s has no bucket %q for us: check store.influxdb.bucket, .org and the token's permissions (%s)", e.url, e.bucket, e.words)
	case e.status == http.StatusBadRequest && strings.Contains(e.words, "orgID or org"):
		return fmt.Sprintf("InfluxDB at %s is a version that needs an organisation: set store.influxdb.org (%s)", e.url, e.words)
	}
	return fmt.Sprintf("InfluxDB at %s answers %d: %s", e.url, e.status, e.words)
}

// pointWords matches the messages of InfluxDB 1.8, 2 and 3 that are about points; no other error is about data.
var pointWords = regexp.MustCompile(`unable to parse|partial write|field type conflict|failure writing points|errors encountered on line`)

// blamesPoints reports whether InfluxDB says that it rejects points of the request.
func (e *answerError) blamesPoints() bool {
	return e.own && (e.status == http.StatusBadRequest || e.status == http.StatusUnprocessableEntity) && pointWords.MatchString(e.words)
}

// retryable reports whether a request may succeed later without a change of our settings.
func retryable(err error) bool {
	var answer *answerError
	if errors.As(err, &answer) {
		return !answer.own || answer.status == http.StatusTooManyRequests || answer.status >= 500
	}
	return !errors.Is(err, errClosed)
}

// answer reads an unsuccessful response.
func (s *Store) answer(response *http.Response) *answerError {
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxErrorBody)) // the part that was read is shown
	e := &answerError{url: s.shownURL(), bucket: s.options.Bucket, status: response.StatusCode}
	if e.words = ownWords(body); e.words != "" {
		e.own = true
	} else {
		e.words = firstLine(body)
	}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.retryIn = time.Duration(seconds) * time.Second
	}
	return e
}

// ownWords returns the message in InfluxDB's JSON: "error" in 1.8, "code" and "message" in 2, "error" with details in
// 3. It is empty for everything else.
func ownWords(body []byte) string {
	var words struct{ Error, Code, Message string }
	if err := json.Unmarshal(body, &words); err != nil || words.Error == "" && (words.Code == "" || words.Message == "") {
		return ""
	}
	return strings.TrimSpace(words.Error + words.Message)
}

var tag = regexp.MustCompile(`<[^>]*>`)

// firstLine returns the first line of text of a page or a plain response.
func firstLine(body []byte) string {
	for line := range strings.Lines(html.UnescapeString(tag.ReplaceAllString(string(body), "\n"))) {
		if line = strings.TrimSpace(strings.ToValidUTF8(line, "")); line != "" {
			return strconv.Quote(line)
		}
	}
	return "without a word"
}
