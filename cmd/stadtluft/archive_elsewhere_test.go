package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"stadtluft/export/archive/bucket/s3test"
)

// TestArchiveElsewhere has a process that archives a day into a bucket, and one with the pages that reads it from there over HTTP. The
// bucket's server goes away and comes back: /readyz names it, readings arrive meanwhile, and the pages still have the day.
func TestArchiveElsewhere(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short: needs an S3 server")
	}
	s3, data := s3test.Start(t), t.TempDir()
	s3.Make("air")
	inBucket := []string{
		"STADTLUFT_ARCHIVE=s3://air/koeln", "STADTLUFT_ARCHIVE_S3_ENDPOINT=" + s3.URL, "STADTLUFT_ARCHIVE_S3_ACCESS_KEY=" + s3test.AccessKey, "STADTLUFT_ARCHIVE_S3_SECRET_KEY=" + s3test.SecretKey,
	}
	nats := "STADTLUFT_NATS_URL=" + startNATS(t)
	writer := launch(t, data, append(inBucket, nats, "STADTLUFT_ROLES=ingest,write,aggregate")...)
	noon := time.Now().UTC().Truncate(24 * time.Hour).Add(-4*24*time.Hour + 12*time.Hour) // of a closed day
	storeReadings(t, data, "A", noon)
	day, yesterday := noon.Format(time.DateOnly), strconv.FormatInt(time.Now().Add(-24*time.Hour).Unix(), 10)
	mark := s3.Path("air", "koeln/.marks/"+day+"."+yesterday+".A") // as if it had waited long enough for late readings
	if err := errors.Join(os.MkdirAll(filepath.Dir(mark), 0o755), os.WriteFile(mark, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	writer.kill()
	writer.start() // archives at once, and then each minute
	web := launch(t, data, nats, "STADTLUFT_ROLES=web", "STADTLUFT_ARCHIVE="+writer.url+"/archive/")

	folder := "/archive/" + noon.Format("2006/01/02") + "/"
	eventually(t, "the pages to have the day", func() bool {
		status, body := web.ask(folder + "index.json")
		return status == http.StatusOK && strings.Contains(body, `"revision": 1`)
	})
	object, err := os.ReadFile(s3.Path("air", "koeln/"+noon.Format("2006/01/02")+"/r1/readings.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.url+folder+"readings.parquet", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Range", "bytes=1000-1999")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	part, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil || response.StatusCode != http.StatusPartialContent || string(part) != string(object[1000:2000]) {
		t.Errorf("a part of a file: %s, %d bytes, %v", response.Status, len(part), err)
	}
	if status, body := writer.ready(); status != http.StatusOK || strings.Contains(body, "archive") {
		t.Errorf("/readyz: %d %s", status, body)
	}

	s3.Stop()
	eventually(t, "/readyz to name the server", func() bool { _, body := writer.ready(); return strings.Contains(body, "s3://air/koeln at "+s3.URL) })
	station := web.register(t, "")
	eventually(t, "the intake to know the station", func() bool {
		status, _ := deliver(t, writer.url+"/api/v1/push/native", station.ID, station.Token, []byte(`{"temperature":21}`))
		return status == http.StatusAccepted
	})
	web.arrives(t, "a reading", station.ID, map[string]float64{"temperature": 21})
	if status, body := web.ask(folder + "index.json"); status != http.StatusOK {
		t.Errorf("the day while the bucket is away: %d %s", status, body)
	}
	s3.Restart()
	eventually(t, "/readyz to be well", func() bool {
		status, body := writer.ready()
		return status == http.StatusOK && !strings.Contains(body, "archive")
	})

	for _, pair := range append(inBucket, "STADTLUFT_ARCHIVE=s3://water") {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv(name, value)
	}
	if status, out, _ := command(t, "check", "--data", t.TempDir()); status != 1 || !strings.Contains(out, "s3://water at "+s3.URL) || !strings.Contains(out, "does not exist") {
		t.Errorf("check of a bucket that is missing: %d %s", status, out)
	}
}
