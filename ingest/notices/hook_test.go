package notices

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"stadtluft/ingest/registry"
)

// TestWebhooks sends to a receiver that the operator allows, as ntfy and as JSON.
func TestWebhooks(t *testing.T) {
	var mu sync.Mutex
	var got []*http.Request
	var bodies []string
	status := http.StatusOK
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got, bodies = append(got, r), append(bodies, string(body))
		w.Header().Set("Location", "http://"+r.Host+"/elsewhere")
		w.WriteHeader(status)
	}))
	defer receiver.Close()
	for kind, look := range map[registry.Hook]func(r *http.Request, body string) bool{
		registry.Ntfy: func(r *http.Request, body string) bool {
			return r.Header.Get("Title") == "=?utf-8?b?QmFsa29uIFPDvGQgaXN0IHN0aWxs?=" && strings.HasPrefix(body, "Der letzte Messwert") && strings.HasPrefix(r.Header.Get("Click"), "https://luft.example.org/stations/")
		},
		registry.JSONHook: func(r *http.Request, body string) bool {
			var c call
			return json.Unmarshal([]byte(body), &c) == nil && c.Kind == "silent" && c.Title == "Balkon Süd ist still" && c.Since != "" && r.Header.Get("Content-Type") == "application/json"
		},
	} {
		got, bodies, status = nil, nil, http.StatusFound
		s := begin(t, false)
		s.service.Hooks = &Hooks{Hosts: []string{"127.0.0.1"}}
		s.must(s.registry.Subscribe(t.Context(), s.id, registry.Owner, registry.Wanted{Hook: receiver.URL + "/geheim", HookKind: kind, Language: "de", Silent: true}, ""))
		s.look()
		if len(got) != 1 || got[0].URL.Path != "/geheim" || s.service.Stats(s.at).Queued[registry.ByHook] != 1 {
			t.Fatalf("%s: a redirect: %d requests", kind, len(got))
		}
		mu.Lock()
		status = http.StatusOK
		mu.Unlock()
		s.at = time.Now()
		s.pass(2*time.Hour, true)
		s.pass(26*time.Hour, false)
		if len(got) != 3 || !look(got[2], bodies[2]) {
			t.Errorf("%s: %d requests, %q", kind, len(got), bodies)
		}
		if strings.Contains(s.log.String(), "geheim") {
			t.Errorf("the address is in the log: %s", s.log.String())
		}
	}
}

// TestWebhooksReachNoOwnNetwork tries addresses of this host and of its networks, by number and by name.
func TestWebhooksReachNoOwnNetwork(t *testing.T) {
	reached := false
	receiver := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer receiver.Close()
	h := &Hooks{}
	for _, host := range []string{
		"127.0.0.1", "127.1.2.3", "[::1]", "0.0.0.0", "[::]", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200", "192.0.0.192", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
		"[fe80::1]", "[fd00:ec2::254]", "[ff02::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[2001:db8::1]",
	} {
		if err := h.Check("https://" + host + "/x"); err == nil {
			t.Errorf("%s can be set", host)
		}
		if err := h.dialled(t, host); !errors.Is(err, errHost) {
			t.Errorf("%s: %v, want %v", host, err, errHost)
		}
	}
	for _, address := range []string{"http://example.org/", "https://example.org:8443/", "https://localhost:" + receiver.URL[strings.LastIndexByte(receiver.URL, ':')+1:] + "/"} {
		if err := h.Check(address); err == nil {
			t.Errorf("%s can be set", address)
		}
	}
	// A name that says nothing of where it leads.
	if err := h.Check("https://localhost/x"); err != nil {
		t.Errorf("a name: %v", err)
	}
	if err := h.send(t.Context(), "https://localhost/x", registry.Ntfy, call{}); err == nil || !strings.Contains(err.Error(), errHost.Error()) || reached {
		t.Errorf("a name of this host: %v", err)
	}
	if err := h.Check("https://ntfy.sh/x"); err != nil {
		t.Errorf("ntfy.sh: %v", err)
	}
	if err := (&Hooks{Off: true}).send(t.Context(), "https://ntfy.sh/x", registry.Ntfy, call{}); err == nil {
		t.Error("switched off, and sent")
	}
}

// dialled returns why a webhook's request to a host failed, whatever Check says of the host.
func (h *Hooks) dialled(t *testing.T, host string) error {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+host+"/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := h.client(r.URL).Do(r)
	if err != nil {
		return cause(err)
	}
	answer.Body.Close()
	return nil
}
