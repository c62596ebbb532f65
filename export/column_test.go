package export

import (
	"io"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/geo"
)

// sample is a row with a value of each type.
type sample struct {
	text, word string
	cell       geo.Cell
	time       time.Time
	truth      bool
	number     *int
	milli      *Milli
	decimal    float64
	point      orb.Point
	placed     bool
}

func (s *sample) place() (orb.Point, bool) { return s.point, s.placed }

var sampleColumns = Columns[sample]{
	textColumn("text", bilingual.Of("", ""), func(s *sample) string { return s.text }),
	wordColumn("word", bilingual.Of("", ""), func(s *sample) string { return s.word }).among("µg/m³", ""),
	cellColumn("cell", bilingual.Of("", ""), func(s *sample) geo.Cell { return s.cell }).unique(),
	timeColumn("time", bilingual.Of("", ""), func(s *sample) time.Time { return s.time }),
	boolColumn("truth", bilingual.Of("", ""), func(s *sample) bool { return s.truth }),
	countColumn("number", bilingual.Of("", ""), func(s *sample) int64 { return orNone(s.number) }).optional(),
	shareColumn("milli", bilingual.Of("", ""), func(s *sample) int64 { return orNone(s.milli) }).optional(),
	decimalColumn("decimal", InUnit, bilingual.Of("", ""), func(s *sample) float64 { return s.decimal }),
	longitudeColumn[sample](bilingual.Of("", "")).of((*sample).place).optional(),
	latitudeColumn[sample](bilingual.Of("", "")).of((*sample).place).optional(),
}

var samples = []sample{
	{`a;"b"`, "µg/m³", geo.Cell{Size: 1000, North: 3096000, East: 4107000}, noon.Add(time.Hour / 7), true, new(0), new(Milli(-5)), 12.5, orb.Point{6.9579884, 50.9410119}, true},
	{cell: geo.Cell{Size: 100}, time: noon.In(time.FixedZone("", 3600))},
}

// TestColumnsOfEachType writes each type in each format, with a value and without one.
func TestColumnsOfEachType(t *testing.T) {
	f := func(format Format, want string) {
		t.Helper()
		got := encode(t, samples, func(w io.Writer) Encoder[sample] {
			return newRows(w, format, Meta{}, sampleColumns, func(b []byte, s *sample) []byte { return appendPoint(b, s.point, s.placed) })
		})
		if string(got) != want {
			t.Errorf("%s is\n%s\nwant\n%s", format, got, want)
		}
	}
	const head = `"licence":"","attribution":"","demo":false,"notice":"` + Disclaimer + `",`
	f(CSV, `text,word,cell,time,truth,number,milli,decimal,lon,lat
"a;""b""",µg/m³,CRS3035RES1000mN3096000E4107000,2026-05-01T12:08:34Z,true,0,-0.005,12.5,6.957988,50.941012
,,CRS3035RES100mN0E0,2026-05-01T12:00:00Z,false,,,0,,
`)
	f(Semicolon, `text;word;cell;time;truth;number;milli;decimal;lon;lat
"a;""b""";µg/m³;CRS3035RES1000mN3096000E4107000;2026-05-01T12:08:34Z;true;0;-0.005;12.5;6.957988;50.941012
;;CRS3035RES100mN0E0;2026-05-01T12:00:00Z;false;;;0;;
`)
	f(JSON, `{`+head+`"rows":[
{"text":"a;\"b\"","word":"µg/m³","cell":"CRS3035RES1000mN3096000E4107000","time":"2026-05-01T12:08:34Z","truth":true,"number":0,"milli":-0.005,"decimal":12.5,"lon":6.957988,"lat":50.941012},
{"text":"","word":"","cell":"CRS3035RES100mN0E0","time":"2026-05-01T12:00:00Z","truth":false,"number":null,"milli":null,"decimal":0,"lon":null,"lat":null}
]}
`)
	f(GeoJSON, `{"type":"FeatureCollection",`+head+`"features":[
{"type":"Feature","geometry":{"type":"Point","coordinates":[6.957988,50.941012]},"properties":{"text":"a;\"b\"","word":"µg/m³","cell":"CRS3035RES1000mN3096000E4107000","time":"2026-05-01T12:08:34Z","truth":true,"number":0,"milli":-0.005,"decimal":12.5}},
{"type":"Feature","geometry":null,"properties":{"text":"","word":"","cell":"CRS3035RES100mN0E0","time":"2026-05-01T12:00:00Z","truth":false,"number":null,"milli":null,"decimal":0}}
]}
`)
}

// TestRowsNeedNoMemory adds rows to documents of each format and wants no allocation for one.
func TestRowsNeedNoMemory(t *testing.T) {
	for _, format := range []Format{CSV, JSON, GeoJSON} {
		e := newRows(io.Discard, format, Meta{}, sampleColumns, func(b []byte, s *sample) []byte { return appendPoint(b, s.point, s.placed) })
		row := samples[0]
		row.text = "plain"
		for range 2000 { // until the buffer has its size
			if err := e.Add(row); err != nil {
				t.Fatal(err)
			}
		}
		if got := testing.AllocsPerRun(2000, func() { _ = e.Add(row) }); got > 0 {
			t.Errorf("%s: %v allocations a row, want none", format, got)
		}
	}
}

// TestValue has each value as other packages' JSON takes it, a latitude without its longitude before it too.
func TestValue(t *testing.T) {
	for i, want := range []string{
		`["a;\"b\"","µg/m³","CRS3035RES1000mN3096000E4107000","2026-05-01T12:08:34Z",true,0,-0.005,12.5,6.957988,50.941012]`,
		`["","","CRS3035RES100mN0E0","2026-05-01T12:00:00Z",false,null,null,0,null,null]`,
	} {
		var values []any
		for _, c := range sampleColumns {
			values = append(values, c.Value(&samples[i]))
		}
		if got, err := AppendJSON(nil, values); err != nil || string(got) != want {
			t.Errorf("values %s, %v, want %s", got, err, want)
		}
	}
}

// TestWithout leaves columns out and the others in their order.
func TestWithout(t *testing.T) {
	short := sampleColumns.Without("cell", "decimal", "lon")
	if got := string(short.AppendObject(nil, &samples[0])); got != `{"text":"a;\"b\"","word":"µg/m³","time":"2026-05-01T12:08:34Z","truth":true,"number":0,"milli":-0.005,"lat":50.941012}` {
		t.Errorf("the object is %s", got)
	}
	if n := len(short.Fields()); n != len(sampleColumns)-3 {
		t.Errorf("%d fields are left, want %d", n, len(sampleColumns)-3)
	}
}

// TestOnly takes columns in the order they are named in.
func TestOnly(t *testing.T) {
	if got := string(sampleColumns.Only("truth", "number", "text").appendKnown(nil, &samples[1])); got != `"truth":false,"text":""` {
		t.Errorf("the members are %s", got)
	}
}
