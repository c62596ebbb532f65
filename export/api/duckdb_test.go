package api

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// counted is the number of a table's rows and the sum of its values.
type counted struct {
	N   int
	Sum float64
}

func count(t *testing.T, table io.Reader) (c counted) {
	t.Helper()
	rows, err := csv.NewReader(table).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		v, err := strconv.ParseFloat(row[slices.Index(rows[0], "value")], 64)
		if err != nil {
			t.Fatal(err)
		}
		c.N, c.Sum = c.N+1, c.Sum+v
	}
	return c
}

// TestDuckDBReadsByHTTP has DuckDB, on a page of another site, read Parquet from here, and compares with the CSV. It
// reads files in ranges, and needs no other server.
func TestDuckDBReadsByHTTP(t *testing.T) {
	h := living(t)
	file := h.http.URL + "/archive/2026/05/01/readings"
	question := h.http.URL + "/api/v1/readings?from=2026-05-01&to=" + time.Now().UTC().Format(time.RFC3339) + "&format="
	unpacked, err := gzip.NewReader(bytes.NewReader(h.get(file + ".csv.gz")))
	if err != nil {
		t.Fatal(err)
	}
	want := [][]counted{{count(t, unpacked)}, {count(t, bytes.NewReader(h.get(question+"csv")))}}
	const sql = "SELECT count(*) \"N\", sum(value) \"Sum\" FROM read_parquet('%s')"
	var got struct {
		Answers [][]counted
		Asked   []struct {
			Method, URL string
			Status      int
		}
	}
	out := run(t, "node", clients+"duckdb-browser.mjs", fmt.Sprintf(sql, file+".parquet"), fmt.Sprintf(sql, question+"parquet"))
	if err := json.Unmarshal([]byte(out), &got); err != nil || !reflect.DeepEqual(got.Answers, want) || want[0][0].N != 100 || want[1][0].N == 0 {
		t.Errorf("DuckDB counts %+v, %v, want %+v", got.Answers, err, want)
	}
	pieces := 0
	for _, a := range got.Asked {
		if !strings.HasPrefix(a.URL, h.http.URL) {
			t.Errorf("it asked %s", a.URL)
		} else if a.URL == file+".parquet" && a.Method == http.MethodGet {
			pieces++
			if a.Status != http.StatusPartialContent {
				t.Errorf("the file is answered with %d, want 206", a.Status)
			}
		}
	}
	if pieces == 0 {
		t.Errorf("no piece of the file was asked for: %+v", got.Asked)
	}
}
