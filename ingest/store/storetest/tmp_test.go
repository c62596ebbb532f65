package storetest

import ("testing"; "path/filepath"; "stadtluft/ingest/store"; "stadtluft/ingest/store/sqlite")

func TestTmp(t *testing.T) {
	Run(t, func(t *testing.T) store.Store {
		s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "readings.db"))
		if err != nil { t.Fatal(err) }
		return s
	})
}
