package httpapi

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"stadtluft/ingest/httpapi/openapi"
)

func TestPreferred(t *testing.T) {
	f := func(header, want string, offers ...string) {
		t.Helper()
		if got := Preferred(header, offers...); got != want {
			t.Errorf("Preferred(%q, %q) = %q, want %q", header, offers, got, want)
		}
	}
	const jsonType, htmlType = "application/json", "text/html"
	f("", jsonType, jsonType, htmlType)
	f("*/*", jsonType, jsonType, htmlType)
	f("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", htmlType, jsonType, htmlType) // a browser's
	f("text/html;q=0.5, application/json", jsonType, jsonType, htmlType)
	f("text/*, application/json;q=0.1", htmlType, jsonType, htmlType)
	f("application/json;q=0, */*;q=0.1", htmlType, jsonType, htmlType) // RFC 9110, 12.4.2: 0 is not acceptable
	f("TEXT/HTML; charset=utf-8; q=0.9", htmlType, jsonType, htmlType)
	f("image/png", jsonType, jsonType, htmlType)
	f("text/html;q=2", jsonType, jsonType, htmlType)
	f("de-DE,de;q=0.9,en;q=0.8", "de", "en", "de")
	f("fr, en;q=0.5, de;q=0.4", "en", "en", "de")
	f("fr", "en", "en", "de")
}

// TestQuery sends requests to a mounted route.
func TestQuery(t *testing.T) {
	mux := http.NewServeMux()
	Mount(mux, []openapi.Route{{
		Method: "GET", Path: "/here", Parameters: []openapi.Parameter{{Name: "a"}, {Name: "b", Choices: []string{"x", "y"}, Default: "x"}},
		Handler: With(slog.New(slog.DiscardHandler), nil, func(w http.ResponseWriter, r *http.Request) error {
			q := NewQuery(r)
			if q.Given("a") && q.Text("a") == "7" {
				q.Fail(Wrong("a", "not 7"))
			}
			if q.Has("c") {
				t.Error("the route has a parameter c")
			}
			if err := q.Done(); err != nil {
				return err
			}
			_, err := io.WriteString(w, q.Text("a")+q.Text("b"))
			return err
		}),
	}})
	f := func(raw string, wantStatus int, wantField, want string) {
		t.Helper()
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("GET", "/here?"+raw, nil))
		var p Problem
		if got := w.Body.String(); wantStatus == http.StatusOK && got != want {
			t.Errorf("%q: %s, want %s", raw, got, want)
		} else if wantStatus != http.StatusOK && (json.Unmarshal(w.Body.Bytes(), &p) != nil || p.Field != wantField || p.Detail != want) {
			t.Errorf("%q: %s, want field %q: %s", raw, got, wantField, want)
		}
		if w.Code != wantStatus {
			t.Errorf("%q: %d, want %d", raw, w.Code, wantStatus)
		}
	}
	f("", 200, "", "x")
	f("a=1&b=y", 200, "", "1y")
	f("a=1;2&b=", 200, "", "1;2x")
	f("c=1", 400, "c", `there is no parameter "c" here`)
	f("a=1&a=2", 400, "a", "a is given 2 times")
	f("b=z", 400, "b", `b "z" is not one of those allowed`)
	f("a=7", 400, "a", "not 7")
	f("a=%zz", 400, "", `the query cannot be read: invalid URL escape "%zz"`)
}

// A parameter that is read and not declared panics with the first request.
func TestAnUndeclaredParameterIsAPanic(t *testing.T) {
	mux := http.NewServeMux()
	Mount(mux, []openapi.Route{{Method: "GET", Path: "/here", Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { NewQuery(r).Text("a") })}})
	defer func() {
		if recover() == nil {
			t.Error("it is read without a word")
		}
	}()
	mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/here", nil))
}

func TestAnAnswerIsWholeOrNone(t *testing.T) {
	explained := errors.New("explained")
	explain := func(err error) *Problem {
		if errors.Is(err, explained) {
			return New(http.StatusTeapot, "", "short and stout")
		}
		return nil
	}
	serve := func(h Handler) (status int, p Problem, err error) {
		t.Helper()
		server := httptest.NewServer(With(slog.New(slog.DiscardHandler), explain, h))
		defer server.Close()
		response, err := http.Get(server.URL)
		if err != nil {
			return 0, p, err
		}
		defer response.Body.Close()
		b, err := io.ReadAll(response.Body)
		if err == nil && response.StatusCode != http.StatusOK {
			if got := response.Header.Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("content type %q", got)
			}
			err = json.Unmarshal(b, &p)
		}
		return response.StatusCode, p, err
	}
	failing := func(err error) Handler { return func(http.ResponseWriter, *http.Request) error { return err } }

	if status, p, err := serve(failing(Wrong("bbox", "no box"))); status != 400 || p.Field != "bbox" || p.Title != "Bad Request" || err != nil {
		t.Errorf("a problem: %d %+v %v", status, p, err)
	}
	if status, p, err := serve(failing(explained)); status != 418 || p.Detail != "short and stout" || err != nil {
		t.Errorf("an explained error: %d %+v %v", status, p, err)
	}
	if status, p, err := serve(failing(errors.New("secret"))); status != 503 || p.Detail == "secret" || err != nil {
		t.Errorf("another error: %d %+v %v", status, p, err)
	}
	_, _, err := serve(func(w http.ResponseWriter, _ *http.Request) error {
		_, _ = w.Write(make([]byte, 100_000))
		return errors.New("the disk is gone")
	})
	if err == nil {
		t.Error("an answer that broke off ended like a whole one")
	}
}
