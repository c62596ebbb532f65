package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stadtluft/ingest/notices/noticestest"
)

// TestNoticesOfARunningServer registers with an address, confirms it with the link of the mail, unsubscribes by one click as a mail
// program does, subscribes again and erases the station, and looks for the address in every byte of the data folder and in the log.
func TestNoticesOfARunningServer(t *testing.T) {
	const email = "anna.schmitz@example.org"
	data, mails := t.TempDir(), noticestest.Start(t, false)
	host, port, _ := net.SplitHostPort(mails.Addr)
	env := []string{"STADTLUFT_SMTP_HOST=" + host, "STADTLUFT_SMTP_PORT=" + port, "STADTLUFT_SMTP_TLS=none", "STADTLUFT_SMTP_FROM=luft@example.org", "STADTLUFT_LOG_LEVEL=debug"}
	p := prepare(t, data, env...)
	p.env = append(p.env, "STADTLUFT_HTTP_PUBLIC_URL="+p.url)
	p.start()
	a := &access{process: p}
	do := func(status int, method, address, body string, login func(*http.Request)) *http.Response {
		t.Helper()
		response := a.send(t, method, strings.TrimPrefix(address, p.url), body, login)
		if response.StatusCode != status {
			t.Fatalf("%s %s: %s, want %d", method, address, response.Status, status)
		}
		return response
	}
	german := func(r *http.Request) { r.Header.Set("Accept-Language", "de") }
	var made registered
	registration := `{"name":"Hof","email":"` + email + `","lon":6.9583,"lat":50.9413,"kit":"sds011-bme280","height":3,"exposure":"outdoor","licence_consent":true}`
	if err := json.NewDecoder(do(http.StatusCreated, "POST", "/api/v1/stations", registration, german).Body).Decode(&made); err != nil {
		t.Fatal(err)
	}
	// link waits for a number of mails and returns a link of the last.
	link := func(n int, action string) string {
		t.Helper()
		eventually(t, "a mail", func() bool { return len(mails.Mails()) >= n })
		m := mails.Mails()[n-1]
		_, rest, ok := strings.Cut(m.Text, p.url+"/notices/"+action+"/"+made.ID+"/")
		if !ok || m.To != email || m.Header.Get("Content-Language") != "de" {
			t.Fatalf("mail %+v", m)
		}
		return "/notices/" + action + "/" + made.ID + "/" + strings.Fields(rest)[0]
	}
	anyone := func(*http.Request) {}
	confirm, unsubscribe := link(1, "confirm"), link(1, "unsubscribe")
	do(http.StatusOK, "GET", confirm, "", anyone)
	if got := a.noticesOf(t, made); got["confirmed"] != false {
		t.Errorf("opening the link has confirmed it: %v", got)
	}
	do(http.StatusOK, "POST", confirm, "", anyone)
	if got := a.noticesOf(t, made); got["confirmed"] != true || got["email"] != email {
		t.Errorf("confirmed: %v", got)
	}
	do(http.StatusOK, "POST", unsubscribe, "List-Unsubscribe=One-Click", func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") })
	if got := a.noticesOf(t, made); got["email"] != "" {
		t.Errorf("unsubscribed: %v", got)
	}
	nowhere(t, data, email)

	do(http.StatusOK, "PUT", "/api/v1/stations/"+made.ID+"/notices", `{"email":"`+email+`","silent":true}`, func(r *http.Request) {
		german(r)
		bearer(made.Manage)(r)
	})
	link(2, "confirm")
	eventually(t, "two mails to be counted", func() bool {
		return p.metric("stadtluft_notices_sent_total") == 2 && p.metric("stadtluft_notices_queued") == 0
	})
	do(http.StatusNoContent, "DELETE", "/api/v1/stations/"+made.ID+"?readings=erase", "", bearer(made.Manage))
	nowhere(t, data, email)
	p.kill()
	nowhere(t, data, email)
	if log := p.log.String(); strings.Contains(log, email) || !strings.Contains(log, "stadtluft is up") {
		t.Errorf("the address is in the log, or the log is empty: %s", log)
	}
}

// noticesOf returns what the owner of a station sees of its notices.
func (a *access) noticesOf(t *testing.T, of registered) map[string]any {
	t.Helper()
	var managed struct{ Notices map[string]any }
	if err := json.NewDecoder(a.send(t, "GET", "/api/v1/stations/"+of.ID+"/manage", "", bearer(of.Manage)).Body).Decode(&managed); err != nil {
		t.Fatal(err)
	}
	return managed.Notices
}

// nowhere expects a text in no file below a folder, and every file to be for its user alone.
func nowhere(t *testing.T, folder, text string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		files++
		content, err := os.ReadFile(path)
		if err == nil && bytes.Contains(content, []byte(text)) {
			t.Errorf("%s has %s", path, text)
		}
		if info, e := entry.Info(); e == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil && !os.IsNotExist(err) || files == 0 {
		t.Fatalf("%d files, %v", files, err)
	}
}
