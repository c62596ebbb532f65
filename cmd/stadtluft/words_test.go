package main

import (
	"os"
	"regexp"
	"testing"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/ingest"
)

// TestPagesCallFlagsAsTheServerDoes compares the pages' catalogues with ingest.Flags.Words, so that a page, a feed and
// an answer never call the same flag by two names.
func TestPagesCallFlagsAsTheServerDoes(t *testing.T) {
	for language, name := range map[string]func(bilingual.Text) string{
		"en": func(n bilingual.Text) string { return n.EN },
		"de": func(n bilingual.Text) string { return n.DE },
	} {
		file := "../../export/web/src/messages/" + language + "/names.ts"
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		section := regexp.MustCompile(`(?s)export const flag\b[^{]*\{(.*?)\n\};`).FindSubmatch(source)
		if section == nil {
			t.Fatalf("%s has no flags", file)
		}
		got := map[string]string{}
		for _, line := range regexp.MustCompile(`(?m)^  (\w+): "(.*)",$`).FindAllSubmatch(section[1], -1) {
			got[string(line[1])] = string(line[2])
		}
		for _, f := range ingest.AllFlags() {
			if want := name(f.Words()); got[f.String()] != want {
				t.Errorf("%s calls %s %q, want %q", file, f, got[f.String()], want)
			}
		}
		if len(got) != len(ingest.AllFlags()) {
			t.Errorf("%s has %d flags, want %d", file, len(got), len(ingest.AllFlags()))
		}
	}
}
