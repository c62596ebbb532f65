package feed

import (
	"encoding/xml"
	"net/http"
	"slices"
	"time"

	"stadtluft/export"
	"stadtluft/ingest/httpapi"
)

// maxEntries is the largest number of entries of a feed; the newest are kept.
const maxEntries = 200

const mediaType = "application/atom+xml"

// send completes a feed and answers with it. since is its time of update when it has no entries.
func (s *Service) send(w http.ResponseWriter, r *http.Request, d document, since time.Time) error {
	slices.SortStableFunc(d.Entries, func(a, b entry) int { return b.at.Compare(a.at) })
	d.Entries = d.Entries[:min(len(d.Entries), maxEntries)]
	if len(d.Entries) > 0 {
		since = d.Entries[0].at
	}
	meta := s.Meta(time.Now().UTC())
	d.Updated = since.UTC().Truncate(time.Second).Format(time.RFC3339)
	d.Author, d.Generator = meta.Attribution, "Stadtluft"
	d.Rights = meta.Attribution + ", " + export.LicenceURL(meta.Licence)
	self := s.Base(r) + r.URL.EscapedPath()
	d.Links = append([]link{{Rel: "self", Address: self + "?lang=" + d.Language, Type: mediaType, Language: d.Language}}, d.Links...)
	for _, other := range httpapi.Languages() {
		if other != d.Language {
			d.Links = append(d.Links, link{Rel: "alternate", Address: self + "?lang=" + other, Type: mediaType, Language: other})
		}
	}
	d.Links = append(d.Links, link{Rel: "license", Address: export.LicenceURL(meta.Licence)})
	b, err := xml.MarshalIndent(d, "", " ")
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", mediaType+"; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Language", d.Language)
	h.Set("Vary", "Accept-Language")
	_, err = w.Write(append([]byte(xml.Header), append(b, '\n')...))
	return err
}

// page returns a link to a page of ours with details.
func (s *Service) page(r *http.Request, path, language string) link {
	return link{Rel: "alternate", Address: s.Base(r) + path + "?lang=" + language, Type: "text/html", Language: language}
}
