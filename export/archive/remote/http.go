package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Listing is what a process that has an archive answers at Name below its address: every published file, and Installation, the content
// of the file of that name.
type Listing struct {
	Installation string  `json:"installation"`
	Files        []Entry `json:"files"`
}

const (
	// ListingName is the address of the list below that of the archive.
	ListingName = "files.json"
	// InstallationName is the file whose content the list has.
	InstallationName = "installation"
	// mostListed bounds a list: more than a hundred years.
	mostListed = 256 << 20
)

// HTTP is an archive that is read from another process over HTTP. Nothing can be written to it.
type HTTP struct {
	*FS
	url string
}

// OverHTTP returns the archive at an address such as https://write.internal:8080/archive/, which ends with a slash. A host other
// than the address's is that of one of several cities which the process there serves.
func OverHTTP(url, host string) *HTTP {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: patience / 4}).DialContext, TLSHandshakeTimeout: patience / 4,
		ResponseHeaderTimeout: patience / 2, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
	}
	return &HTTP{FS: New(&origin{url: url, host: host, client: &http.Client{Transport: transport}}), url: url}
}

// String returns the address.
func (h *HTTP) String() string { return h.url }

// Check asks for the list.
func (h *HTTP) Check(ctx context.Context, _ bool) error { return h.Refresh(ctx) }

// errReadOnly is the error for writes.
var errReadOnly = errors.New("an archive that is read over HTTP is written by the process that has it")

// Publish returns an error.
func (h *HTTP) Publish(context.Context, string, string) error { return errReadOnly }

// Write returns an error.
func (h *HTTP) Write(context.Context, string, []byte) error { return errReadOnly }

// origin is the source of an HTTP.
type origin struct {
	url    string
	host   string // of requests; empty for that of url
	client *http.Client
}

// List gets the list, whose version is its ETag.
func (o *origin) List(ctx context.Context, version string) ([]Entry, string, error) {
	response, err := o.get(ctx, ListingName, func(h http.Header) {
		if version != "" {
			h.Set("If-None-Match", version)
		}
	})
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotModified {
		return nil, version, nil
	}
	if response.StatusCode != http.StatusOK {
		return nil, "", fmt.Errorf("%s%s answers %s: is it the address of a process with the role write or web, with /archive/ at its end?", o.url, ListingName, response.Status)
	}
	var list Listing
	if err := json.NewDecoder(io.LimitReader(response.Body, mostListed)).Decode(&list); err != nil {
		return nil, "", fmt.Errorf("%s%s: %w", o.url, ListingName, err)
	}
	if list.Installation != "" {
		list.Files = append(list.Files, Entry{Name: InstallationName, Bytes: int64(len(list.Installation)), Version: list.Installation})
	}
	return list.Files, response.Header.Get("ETag"), nil
}

// Read gets a part of a file.
func (o *origin) Read(ctx context.Context, file Entry, p []byte, offset int64) error {
	if file.Name == InstallationName {
		copy(p, file.Version[offset:])
		return nil
	}
	if len(p) == 0 {
		return nil
	}
	part := fmt.Sprintf("bytes %d-%d/%d", offset, offset+int64(len(p))-1, file.Bytes)
	response, err := o.get(ctx, file.Name, func(h http.Header) {
		h.Set("Range", strings.Replace(part[:strings.IndexByte(part, '/')], " ", "=", 1))
		h.Set("Accept-Encoding", "identity")
	})
	if err != nil {
		return err
	}
	defer response.Body.Close()
	got := response.Header.Get("Content-Range")
	if response.StatusCode != http.StatusPartialContent || got != part {
		return fmt.Errorf("%s%s answers %s with %q, want %q", o.url, file.Name, response.Status, got, part)
	}
	_, err = io.ReadFull(response.Body, p)
	return err
}

func (o *origin) get(ctx context.Context, name string, set func(http.Header)) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.url+name, bytes.NewReader(nil))
	if err != nil {
		return nil, err
	}
	request.Host = o.host
	set(request.Header)
	return o.client.Do(request)
}
