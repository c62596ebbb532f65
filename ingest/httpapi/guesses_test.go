package httpapi

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// TestGuessing tries wrong tokens for an hour: ten at once and then one in six seconds are looked at. Others are not
// held up by it.
func TestGuessing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Guesses
		try := func(address, token string) (right bool, status int) {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = net.JoinHostPort(address, "1")
			r.Header.Set("Authorization", "Bearer "+token)
			w := httptest.NewRecorder()
			right, err := g.Right(w, r, func(token string) bool { return token == "secret" })
			var p *Problem
			if errors.As(err, &p) {
				if w.Header().Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
				return right, p.Status
			}
			return right, http.StatusOK
		}
		looked := 0
		for range 3600 {
			if _, status := try("192.0.2.1", "wrong"); status == http.StatusOK {
				looked++
			} else if status != http.StatusTooManyRequests {
				t.Fatalf("status %d", status)
			}
			time.Sleep(time.Second)
		}
		if looked < 600 || looked > 611 {
			t.Errorf("%d guesses were looked at in an hour", looked)
		}
		for status := 0; status != http.StatusTooManyRequests; {
			_, status = try("192.0.2.1", "wrong")
		}
		if right, status := try("192.0.2.1", "secret"); right && status == http.StatusOK {
			t.Error("the address that guesses is let in at once")
		}
		if right, _ := try("192.0.2.2", "secret"); !right {
			t.Error("another address is held up")
		}
		if right, status := try("192.0.2.1", ""); right || status != http.StatusOK {
			t.Error("a request without a token is a guess")
		}
		time.Sleep(2 * time.Minute)
		if right, _ := try("192.0.2.1", "secret"); !right {
			t.Error("the right token does not count two minutes later")
		}
		for i := range 2 * maxGuessers {
			try(fmt.Sprintf("2001:db8:%x:%x::1", i>>8, i&0xff), "wrong")
		}
		if len(g.of) > maxGuessers {
			t.Errorf("%d addresses are remembered", len(g.of))
		}
	})
}
