package masthead

import (
	"os"
	"strings"
	"testing"
)

func TestHead(t *testing.T) {
	f := func(language string, wants ...string) {
		t.Helper()
		got := string(HTML(language, `Stadtluft "Köln"`, "?lang=de", "?f=html&lang=en"))
		for _, want := range wants {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %s, want %q in it", language, got, want)
			}
		}
	}
	f("de", `Stadtluft &#34;Köln&#34;`, `<a href="/register">Mitmachen</a>`, `aria-label="Sprache"`, `hreflang="de" aria-current="true">Deutsch`)
	f("en", `<a href="/about">About</a>`, `href="?f=html&amp;lang=en" lang="en" hreflang="en" aria-current="true"`, `href="?lang=de" lang="de" hreflang="de">Deutsch`)
	if got := string(Style([]byte("p{}"))); !strings.HasPrefix(got, string(style)) || !strings.HasSuffix(got, "p{}") {
		t.Errorf("Style = %q, want that of the head and then the page's own", got)
	}
}

// TestLinksAreThoseOfThePages compares with the navigation of the app.
func TestLinksAreThoseOfThePages(t *testing.T) {
	frame, err := os.ReadFile("../../../export/web/src/frame.ts")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(frame), "const navigation")
	list, _, _ = strings.Cut(list, "];")
	for _, l := range links {
		if !strings.Contains(list, `["`+l.Href+`", `) {
			t.Errorf("the app's navigation has no %s: %s", l.Href, list)
		}
	}
	if got := strings.Count(list, `["/`); got != len(links) {
		t.Errorf("the app's navigation has %d links, want %d", got, len(links))
	}
}
