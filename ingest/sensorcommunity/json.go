package sensorcommunity

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"stadtluft/firmware-protocol/wire"
)

// record is one record of data.json.
type record struct {
	Timestamp string `json:"timestamp"`
	Location  struct {
		ID        json.Number `json:"id"`
		Latitude  text        `json:"latitude"`
		Longitude text        `json:"longitude"`
		Indoor    int         `json:"indoor"`
	} `json:"location"`
	Sensor struct {
		ID   json.Number `json:"id"`
		Type struct {
			Name string `json:"name"`
		} `json:"sensor_type"`
	} `json:"sensor"`
	Values []struct {
		Name  string `json:"value_type"`
		Value text   `json:"value"`
	} `json:"sensordatavalues"`
}

// text is a string, the text of a number, or empty.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	if s := string(b); s != "null" {
		*t = text(strings.Trim(s, `"`))
	}
	return nil
}

// maxAhead bounds the bytes of one record; the file is not read beyond a longer one.
const maxAhead = 1 << 20

// allowance is a reader that returns at most the bytes left.
type allowance struct {
	r    io.Reader
	left int
}

func (a *allowance) Read(p []byte) (int, error) {
	if a.left == 0 {
		return 0, fmt.Errorf("more than %d bytes", maxAhead)
	}
	n, err := a.r.Read(p[:min(len(p), a.left)])
	a.left -= n
	return n, err
}

// readJSON reads the live data, an array of records, one by one.
func readJSON(file string, r io.Reader, row func(Row) error, broken func(Broken)) error {
	ahead := &allowance{r: r, left: maxAhead}
	decoder := json.NewDecoder(ahead)
	if token, err := decoder.Token(); err != nil || token != json.Delim('[') {
		return fmt.Errorf("%s: not an array of records: is this Sensor.Community's data.json?", file)
	}
	number := 1
	for ; decoder.More(); number++ {
		ahead.left = maxAhead
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			return fmt.Errorf("%s: record %d: %w", file, number, err)
		}
		var rec record
		if len(raw) > maxRecord {
			broken(Broken{file, number, wire.TooLarge, fmt.Sprintf("the record has more than %d bytes", maxRecord)})
			continue
		}
		if err := json.Unmarshal(raw, &rec); err != nil {
			broken(Broken{file, number, wire.Malformed, err.Error()})
			continue
		}
		n := Row{
			File: file, Line: number, Location: rec.Location.ID.String(), Sensor: rec.Sensor.ID.String(), Type: rec.Sensor.Type.Name,
			Indoor: rec.Location.Indoor != 0,
		}
		if reason, problem := n.place(string(rec.Location.Longitude), string(rec.Location.Latitude), rec.Timestamp); problem != "" {
			broken(Broken{file, number, reason, problem})
			continue
		}
		for _, v := range rec.Values {
			n.value(v.Name, string(v.Value))
		}
		if err := row(n); err != nil {
			return err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return fmt.Errorf("%s: it breaks off: %w", file, err)
	}
	ahead.left = maxAhead
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		broken(Broken{file, number, wire.Malformed, "there is text after the closing bracket; it is not read"})
	}
	return nil
}
