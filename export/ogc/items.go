package ogc

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/openapi"
)

// items answers with a page of a collection's features.
func (s *Service) items(r *request, c collection) error {
	chosen := selection{boxes: r.bbox(), time: r.datetime(), station: r.filter(byStation), quantity: r.filter(byQuantity), now: r.now}
	chosen.from = r.query.Text("after")
	behind, possible := c.after(chosen.from)
	if chosen.from != "" && !possible {
		r.query.Fail(httpapi.Wrong("after", "after: %.80q is no feature of this collection: follow the link rel=next", chosen.from))
	}
	if err := r.query.Done(); err != nil {
		return err
	}
	result, err := c.page(r, chosen, r.offset(), r.limit(), behind)
	if err != nil {
		return err
	}
	result.links = r.pageLinks(c, &result)
	if r.html {
		return r.sendPage(s.itemsPage(r, c, &result))
	}
	return result.send(r, s.Meta(r.now))
}

// filter returns the value of a filter; empty for all, and when the collection does not have it.
func (r *request) filter(f openapi.Parameter) string {
	if !r.query.Has(f.Name) {
		return ""
	}
	return r.query.Text(f.Name)
}

// result is a page of features.
type result struct {
	features []feature
	matched  int // on all pages; counted on the first page alone and up to maxCounted, else -1
	more     bool
	links    []link
}

// maxCounted is the largest number of features that is counted; with more, numberMatched is left out
// (/req/core/fc-numberMatched).
const maxCounted = 100_000

// page reads a page. The first page counts all that is selected; later pages read no farther than they must.
func (c collection) page(r *request, chosen selection, skip, limit int, behind func(*feature) bool) (result, error) {
	page := result{matched: -1}
	first := chosen.from == ""
	if first {
		page.matched = 0
	}
	err := c.read(r.Context(), chosen, func(f feature) error {
		if !first && !behind(&f) || !chosen.admits(&f) {
			return nil
		}
		if first {
			page.matched++
		}
		if skip > 0 {
			skip--
			return nil
		}
		if len(page.features) < limit {
			page.features = append(page.features, f)
			return nil
		}
		page.more = true
		if page.matched >= 0 && page.matched <= maxCounted {
			return nil
		}
		page.matched = -1
		return errEnough
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return page, err
}

func (r *request) pageLinks(c collection, page *result) []link {
	here := r.address(c) + "/items"
	if q := r.URL.RawQuery; q != "" {
		here += "?" + q
	}
	links := r.both(here, export.GeoJSON.MediaType())
	links = append(links, link{Href: r.address(c), Rel: "collection", Type: jsonType, Title: c.title.In(r.language)})
	if page.more {
		q := r.URL.Query()
		q.Del("offset")
		q.Set("after", page.features[len(page.features)-1].id)
		links = append(links, link{Href: r.address(c) + "/items?" + q.Encode(), Rel: "next", Type: links[0].Type, Title: bilingual.Of("The next page", "Die nächste Seite").In(r.language)})
	}
	return links
}

// withForm returns an address with the parameter f set.
func withForm(address, form string) string {
	path, query, _ := strings.Cut(address, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return address // it has been parsed before
	}
	values.Set("f", form)
	return path + "?" + values.Encode()
}

// send writes the page as GeoJSON.
func (p *result) send(r *request, meta export.Meta) error {
	b := append([]byte(nil), `{"type":"FeatureCollection","timeStamp":"`...)
	b = r.now.AppendFormat(b, time.RFC3339)
	b = append(b, `",`...)
	if p.matched >= 0 {
		b = append(strconv.AppendInt(append(b, `"numberMatched":`...), int64(p.matched), 10), ',')
	}
	b = strconv.AppendInt(append(b, `"numberReturned":`...), int64(len(p.features)), 10)
	b = export.AppendMembers(append(b, ','), meta)
	b, err := export.AppendJSON(append(b, `,"links":`...), p.links)
	if err != nil {
		return err
	}
	b = append(b, `,"features":[`...)
	for i := range p.features {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = p.features[i].append(append(b, '\n'), nil); err != nil {
			return err
		}
	}
	b = append(b, "\n]}\n"...)
	r.w.Header().Set("Content-Type", export.GeoJSON.MediaType())
	_, err = r.w.Write(b)
	return err
}

// item answers with one feature.
func (s *Service) item(r *request) error {
	c, err := s.collection(r)
	if err != nil {
		return err
	}
	id := r.PathValue("feature")
	if err := r.query.Done(); err != nil {
		return err
	}
	missing := httpapi.New(http.StatusNotFound, "feature", "the collection %s has no feature %.80q now", c.id, id)
	behind, possible := c.after(id)
	if !possible {
		return missing
	}
	var found *feature
	err = c.read(r.Context(), selection{now: r.now, from: id}, func(f feature) error {
		switch {
		case f.id == id:
			found = &f
			return errEnough
		case behind(&f):
			return errEnough
		}
		return nil
	})
	switch {
	case err != nil && !errors.Is(err, errEnough):
		return err
	case found == nil:
		return missing
	}
	links := append(r.both(r.itemAddress(c, id), export.GeoJSON.MediaType()), link{Href: r.address(c), Rel: "collection", Type: jsonType, Title: c.title.In(r.language)})
	if r.html {
		return r.sendPage(page{Title: cmp.Or(found.title(), id), Links: links, Rows: found.rows()})
	}
	b, err := found.append(nil, links)
	if err != nil {
		return err
	}
	r.w.Header().Set("Content-Type", export.GeoJSON.MediaType())
	_, err = r.w.Write(append(b, '\n'))
	return err
}

// title returns a feature's name, if it has one.
func (f *feature) title() string {
	for _, p := range f.properties() {
		if name, ok := p.value.(string); ok && p.name == "name" {
			return name
		}
	}
	return ""
}

func (f *feature) rows() []row {
	rows := []row{{cell{Text: "geometry"}, cell{Text: where(f.geometry())}}}
	for _, p := range f.properties() {
		rows = append(rows, row{cell{Text: p.name}, cell{Text: words(p.value)}})
	}
	return rows
}

// words returns a property's value for people.
func words(v any) string {
	switch v := v.(type) {
	case nil:
		return "–"
	case *string:
		if v == nil {
			return "–"
		}
		return *v
	}
	return fmt.Sprint(v)
}

// where returns a place for people: a point, or the box around other geometries, in degrees, longitude first.
func where(g orb.Geometry) string {
	b := g.Bound()
	if p, point := g.(orb.Point); point {
		return fmt.Sprintf("%.6f, %.6f", p.Lon(), p.Lat())
	}
	return fmt.Sprintf("%.4f, %.4f – %.4f, %.4f", b.Min.Lon(), b.Min.Lat(), b.Max.Lon(), b.Max.Lat())
}

// itemsPage shows a page of features as a table.
func (s *Service) itemsPage(r *request, c collection, result *result) page {
	p := page{Title: c.title.In(r.language), Text: c.about.In(r.language), Links: result.links}
	for i := range result.features {
		f := &result.features[i]
		if i == 0 {
			p.Head = []string{"id", "geometry"}
			for _, property := range f.properties() {
				p.Head = append(p.Head, property.name)
			}
		}
		cells := row{cell{f.id, r.itemAddress(c, f.id) + "?f=html"}, cell{Text: where(f.geometry())}}
		for _, property := range f.properties() {
			cells = append(cells, cell{Text: words(property.value)})
		}
		p.Rows = append(p.Rows, cells)
	}
	p.Text += " " + result.words(r)
	return p
}

// words returns the number of features and the time of the page.
func (p *result) words(r *request) string {
	at := r.now.Format(time.RFC3339)
	switch shown := len(p.features); {
	case shown == 0:
		return bilingual.Of("Nothing fits the question now.", "Nichts passt gerade auf die Frage.").In(r.language)
	case p.matched < 0:
		return fmt.Sprintf(bilingual.Of("%d features on this page, %s.", "%d Objekte auf dieser Seite, %s.").In(r.language), shown, at)
	default:
		return fmt.Sprintf(bilingual.Of("%d of %d features, %s.", "%d von %d Objekten, %s.").In(r.language), shown, p.matched, at)
	}
}
