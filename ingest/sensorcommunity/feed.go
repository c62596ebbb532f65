package sensorcommunity

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"
)

const (
	maxFetch  = 8 << 30   // bytes of one fetch: a compressed month of one type of sensor has about 1 GB
	fetchTime = time.Hour // for a whole fetch
	maxRetry  = time.Hour // longest wait for a neighbour's Retry-After
)

// Feed is an address to fetch, only when it has changed, and with a User-Agent that names us.
type Feed struct {
	URL    string
	Agent  string       // the User-Agent
	Client *http.Client // nil means one with a timeout of an hour

	validators
	retryAfter time.Duration
}

// validators are the headers that tell the server which version we have.
type validators struct{ etag, modified string }

// Watch imports the address every time the interval has passed, until ctx ends. It calls done with the outcome of
// each round; err is nil when nothing has changed or everything succeeded.
func (f *Feed) Watch(ctx context.Context, im *Importer, every time.Duration, done func(changed bool, err error)) {
	for {
		wait := every
		changed, err := f.Import(ctx, im)
		if ctx.Err() != nil {
			return
		}
		done(changed, err)
		if err != nil {
			wait = max(wait, f.retryAfter)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// Import fetches and imports the address, unless it has not changed since the last import; changed reports which.
// After an error the next call fetches it again.
func (f *Feed) Import(ctx context.Context, im *Importer) (changed bool, err error) {
	file, now, err := f.fetch(ctx)
	if err != nil || file == nil {
		return false, err
	}
	defer file.Close()
	if err = im.Import(ctx, f.URL, file); err == nil {
		err = im.Flush(ctx)
	}
	if err == nil {
		f.validators = now
	}
	return true, err
}

// fetch returns the content as a file without a name; nil when it has not changed.
func (f *Feed) fetch(ctx context.Context) (*os.File, validators, error) {
	f.retryAfter = 0
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL, nil)
	if err != nil {
		return nil, f.validators, err
	}
	request.Header.Set("User-Agent", f.Agent)
	for name, value := range map[string]string{"If-None-Match": f.etag, "If-Modified-Since": f.modified} {
		if value != "" {
			request.Header.Set(name, value)
		}
	}
	response, err := cmp.Or(f.Client, &http.Client{Timeout: fetchTime}).Do(request)
	if err != nil {
		return nil, f.validators, fmt.Errorf("fetch: %w", err)
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
		file, err := save(response.Body)
		if err != nil {
			return nil, f.validators, fmt.Errorf("fetch %s: %w", f.URL, err)
		}
		return file, validators{response.Header.Get("ETag"), response.Header.Get("Last-Modified")}, nil
	case http.StatusNotModified:
		return nil, f.validators, nil
	}
	f.retryAfter = retryAfter(response.Header.Get("Retry-After"))
	return nil, f.validators, fmt.Errorf("fetch %s: %s", f.URL, response.Status)
}

// retryAfter parses seconds or a date (RFC 9110, 10.2.3), at most maxRetry.
func retryAfter(text string) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil {
		return min(max(0, time.Duration(min(seconds, int(maxRetry/time.Second)))*time.Second), maxRetry)
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(0, time.Until(at)), maxRetry)
}

// save writes r to a temporary file that is deleted when it is closed.
func save(r io.Reader) (*os.File, error) {
	file, err := os.CreateTemp("", "stadtluft-fetch-*")
	if err != nil {
		return nil, err
	}
	if err = os.Remove(file.Name()); err == nil {
		var n int64
		if n, err = io.Copy(file, io.LimitReader(r, maxFetch+1)); err == nil && n > maxFetch {
			err = fmt.Errorf("more than %d bytes", int64(maxFetch))
		}
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}
