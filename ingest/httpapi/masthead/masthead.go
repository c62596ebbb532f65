// Package masthead makes the head that HTML pages share which a part of the server writes itself, such as those of the
// archive: the site's name, its pages, and the two languages. It has the links and the look of the head in export/web.
package masthead

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"slices"

	"stadtluft/firmware-protocol/bilingual"
)

//go:embed masthead.html
var text string

//go:embed masthead.css
var style []byte

var page = template.Must(template.New("masthead").Parse(text))

// link is a page of the site.
type link struct {
	Href string
	Text bilingual.Text
}

// links are the pages in the head, as in export/web/src/frame.ts.
var links = []link{
	{"/", bilingual.Of("Map", "Karte")},
	{"/register", bilingual.Of("Take part", "Mitmachen")},
	{"/coverage", bilingual.Of("Coverage", "Abdeckung")},
	{"/data", bilingual.Of("Data", "Daten")},
	{"/about", bilingual.Of("About", "Erklärung")},
}

// view is the data of the head, in one language.
type view struct {
	Language, Name, German, English string
	Links                           []link
}

func (v view) In(t bilingual.Text) string { return t.In(v.Language) }

// Words returns a text of the head itself.
func (v view) Words(english, german string) string {
	return bilingual.Of(english, german).In(v.Language)
}

// HTML returns the head in a language, "de" or "en". name is the site's; german and english are the addresses of the page
// in each language.
func HTML(language, name, german, english string) template.HTML {
	return head(view{language, name, german, english, links})
}

// WithoutLinks returns the head of a site that has no pages but one.
func WithoutLinks(language, name, german, english string) template.HTML {
	return head(view{language, name, german, english, nil})
}

func head(v view) template.HTML {
	var b bytes.Buffer
	if err := page.Execute(&b, v); err != nil {
		panic(fmt.Errorf("masthead: %w", err)) // its template is embedded, and a buffer takes everything
	}
	return template.HTML(b.String())
}

// Style returns the style sheet of a page with the head.
func Style(own []byte) []byte { return slices.Concat(style, own) }
