package influx

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
)

// result is one chunk of a response.
type result struct {
	columns []string
	values  json.RawMessage // an array of rows, each an array of scalars
}

// cell is a value of a row as JSON has it.
type cell []byte

var errRows = errors.New("InfluxDB: the answer's values are not rows of single values")

// each calls f with each row, whose cells are valid until it returns. It is written for speed: encoding/json takes several
// times as long for values of any type.
func (r result) each(f func(row []cell) error) error {
	if len(r.values) == 0 || r.values[0] == 'n' { // null
		return nil
	}
	var row []cell
	rest, ok := opening(r.values)
	for ok {
		if rest, ok = opening(rest); !ok {
			break
		}
		row = row[:0]
		for len(rest) > 0 && rest[0] != ']' {
			var one cell
			if one, rest = scalar(rest); one == nil {
				return errRows
			}
			row = append(row, one)
		}
		if len(rest) == 0 {
			return errRows
		}
		if err := f(row); err != nil {
			return err
		}
		rest = separator(rest[1:])
		if len(rest) > 0 && rest[0] == ']' {
			return nil
		}
	}
	if len(rest) == 1 && rest[0] == ']' { // no rows
		return nil
	}
	return errRows
}

// opening returns what follows the bracket with which b begins.
func opening(b []byte) (rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '[' {
		return b, false
	}
	return separator(b[1:]), true
}

// separator returns what follows spaces and a comma.
func separator(b []byte) []byte {
	for len(b) > 0 && (b[0] == ',' || b[0] == ' ' || b[0] == '\n' || b[0] == '\t' || b[0] == '\r') {
		b = b[1:]
	}
	return b
}

// scalar returns the value with which b begins, and what follows it and a comma; nil for an array or an object.
func scalar(b []byte) (one cell, rest []byte) {
	end := 0
	switch b[0] {
	case '[', '{':
		return nil, b
	case '"':
		for end = 1; end < len(b) && b[end] != '"'; end++ {
			if b[end] == '\\' {
				end++
			}
		}
		end++
	default:
		for end < len(b) && b[end] != ',' && b[end] != ']' && b[end] > ' ' {
			end++
		}
	}
	if end > len(b) {
		return nil, b
	}
	return cell(b[:end]), separator(b[end:])
}

func (c cell) null() bool { return c[0] == 'n' }

// text returns a string; it is empty for everything else.
func (c cell) text() string { return string(c.bytes()) }

// bytes is text without a copy.
func (c cell) bytes() []byte {
	if c[0] != '"' {
		return nil
	}
	if bytes.IndexByte(c, '\\') < 0 {
		return c[1 : len(c)-1]
	}
	var text string
	_ = json.Unmarshal(c, &text) // it is valid
	return []byte(text)
}

// whole returns the value of an integer column; 0 for null.
func (c cell) whole() int64 {
	n, _ := strconv.ParseInt(string(c), 10, 64)
	return n
}

// milli returns the value of a float column in thousandths.
func (c cell) milli() int64 {
	f, _ := strconv.ParseFloat(string(c), 64)
	return int64(math.Round(f * 1000))
}
