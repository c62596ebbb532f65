package ingest

import (
	"testing"

	"stadtluft/firmware-protocol/wire"
)

// TestFlagsExplainThemselves expects a name, a level and four different sentences for every flag.
func TestFlagsExplainThemselves(t *testing.T) {
	for _, f := range AllFlags() {
		if names := f.Names(); len(names) != 1 {
			t.Errorf("flag %d has the names %v", f, names)
		}
		if name := f.Words(); name.EN == "" || name.DE == "" || name.EN == name.DE {
			t.Errorf("%v is called %+v", f, name)
		}
		e := f.Explain()
		texts := map[string]bool{e.English: true, e.German: true, e.TodoEnglish: true, e.TodoGerman: true}
		if delete(texts, ""); len(texts) != 4 {
			t.Errorf("%v is explained as %+v", f, e)
		}
		if hourly := f.Level() != ReadingLevel; hourly != (f&HourFlagMask != 0) {
			t.Errorf("%v is found in a %s", f, f.Level())
		}
	}
	if (Humid | Range).Explain() != (wire.Explanation{}) {
		t.Error("two flags at once have an explanation")
	}
}
