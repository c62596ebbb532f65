package catalog

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"time"

	"stadtluft/ingest/httpapi"
)

// robots answers with robots.txt: where the sitemap is, and which addresses crawlers should skip because they have no
// end (RFC 9309).
func (s *Service) robots(w http.ResponseWriter, r *http.Request) error {
	const rules = "User-agent: *\nDisallow: /api/v1/\nDisallow: /ogc/\nDisallow: /sta/\n\nSitemap: %s/sitemap.xml\n"
	return send(w, "text/plain; charset=utf-8", fmt.Appendf(nil, rules, clean(s.Base(r))))
}

// maxSitemap is the largest number of addresses in a sitemap (sitemaps.org).
const maxSitemap = 50_000

type sitemap struct {
	XMLName   xml.Name    `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
	Alternate string      `xml:"xmlns:xhtml,attr"`
	Pages     []sitemapAt `xml:"url"`
}

type sitemapAt struct {
	Address  string        `xml:"loc"`
	Modified string        `xml:"lastmod,omitempty"`
	Others   []translation `xml:"xhtml:link"`
}

type translation struct {
	Rel      string `xml:"rel,attr"`
	Language string `xml:"hreflang,attr"`
	Address  string `xml:"href,attr"`
}

// sitemap lists the public pages in each language, and the newest days of the archive.
func (s *Service) sitemap(w http.ResponseWriter, r *http.Request) error {
	days, err := s.Days(r.Context())
	if err != nil {
		return err
	}
	base := clean(s.Base(r))
	m := sitemap{Alternate: "http://www.w3.org/1999/xhtml"}
	for _, page := range s.Pages {
		m.add(base + page)
	}
	for _, day := range slices.Backward(days) {
		if len(m.Pages) == maxSitemap {
			break
		}
		m.Pages = append(m.Pages, sitemapAt{Address: base + day.ArchivePath(), Modified: day.Updated.UTC().Format(time.RFC3339)})
	}
	b, err := xml.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	return send(w, "application/xml; charset=utf-8", append([]byte(xml.Header), append(b, '\n')...))
}

// add adds a page in each language, with links to the other languages.
func (m *sitemap) add(page string) {
	var others []translation
	for _, language := range httpapi.Languages() {
		others = append(others, translation{"alternate", language, page + "?lang=" + language})
	}
	others = append(others, translation{"alternate", "x-default", page})
	for _, o := range others {
		m.Pages = append(m.Pages, sitemapAt{Address: o.Address, Others: others})
	}
}
