package ogc

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"stadtluft/export"
	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/openapi"
)

// collection is a set of features.
type collection struct {
	id      string
	title   bilingual.Text
	about   bilingual.Text
	filters []openapi.Parameter      // select by a property's exact value (/rec/core/fc-filters)
	span    func(now time.Time) span // the time of its features
	bound   func() orb.Bound         // the place of its features
	// read yields the features that may fit the selection, always in the same order.
	read func(ctx context.Context, s selection, yield func(feature) error) error
	// after returns a function that reports whether a feature comes after the one with this id in that order; false for
	// an id that no feature can have.
	after func(id string) (func(f *feature) bool, bool)
}

// selection is the part of a collection that a request asks for.
type selection struct {
	boxes             boxes
	time              span
	station, quantity string // empty for all
	now               time.Time
	from              string // features before the one with this id need not be read; empty for all
}

var (
	byQuantity = openapi.Parameter{Name: "quantity", About: bilingual.Text{EN: "only this quantity", DE: "nur diese Messgröße"}, Choices: quantityNames()}
	byStation  = openapi.Parameter{Name: "station", About: bilingual.Text{EN: "only this station", DE: "nur diese Station"}}
)

func quantityNames() []string {
	var names []string
	for _, q := range quantity.All() {
		names = append(names, q.String())
	}
	return names
}

// admits reports whether a feature is selected.
func (s *selection) admits(f *feature) bool {
	if !s.time.meets(f.time) || !f.within(s.boxes) {
		return false
	}
	return (s.station == "" || s.station == f.station) && (s.quantity == "" || s.quantity == f.quantity)
}

// errEnough stops reading early.
var errEnough = errors.New("enough has been read")

// collections returns all collections; districts only when the city has some.
func (s *Service) collections() []collection {
	list := []collection{s.stations(), s.readings(), s.grid()}
	if len(s.Districts) > 0 {
		list = append(list, s.districts())
	}
	return list
}

func (s *Service) collection(r *request) (collection, error) {
	list := s.collections()
	id := r.PathValue("collection")
	i := slices.IndexFunc(list, func(c collection) bool { return c.id == id })
	if i < 0 {
		p := httpapi.New(http.StatusNotFound, "collection", "there is no collection %.80q; see %s/collections", id, r.base)
		for _, c := range list {
			p.Allowed = append(p.Allowed, c.id)
		}
		return collection{}, p
	}
	return list[i], nil
}

// address returns the address of a collection.
func (r *request) address(c collection) string { return r.base + "/collections/" + c.id }

const crs84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"

type description struct {
	ID          string   `json:"id"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Attribution string   `json:"attribution"`
	Extent      extent   `json:"extent"`
	ItemType    string   `json:"itemType"`
	CRS         []string `json:"crs"`
	StorageCRS  string   `json:"storageCrs"`
	Links       []link   `json:"links"`
}

type collections struct {
	Links       []link        `json:"links"`
	Collections []description `json:"collections"`
}

func (s *Service) describe(r *request, c collection) description {
	meta := s.Meta(r.now)
	d := description{
		ID: c.id, Title: c.title.In(r.language), Description: c.about.In(r.language), Attribution: meta.Attribution,
		Extent: c.extent(r.now), ItemType: "feature", CRS: []string{crs84}, StorageCRS: crs84,
	}
	d.Links = append(r.both(r.address(c), jsonType),
		link{r.address(c) + "/items?f=json", "items", export.GeoJSON.MediaType(), bilingual.Of("The features", "Die Objekte").In(r.language)},
		link{r.address(c) + "/items?f=html", "items", htmlType, bilingual.Of("The features, as a page", "Die Objekte, als Seite").In(r.language)},
	)
	d.Links = append(d.Links, licences(meta)...)
	return d
}

// stamp returns a time for JSON; nil when it is open.
func stamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := t.UTC().Format(time.RFC3339)
	return &text
}

func (s *Service) listCollections(r *request) error {
	list, rows := []description{}, []row{}
	for _, c := range s.collections() {
		d := s.describe(r, c)
		list = append(list, d)
		rows = append(rows, row{cell{d.Title, r.address(c) + "?f=html"}, cell{Text: d.Description}})
	}
	links := r.both(r.base+"/collections", jsonType)
	title := bilingual.Of("Collections", "Sammlungen").In(r.language)
	return r.send(jsonType, collections{links, list}, page{Title: title, Links: links, Rows: rows})
}

func (s *Service) describeCollection(r *request) error {
	c, err := s.collection(r)
	if err != nil {
		return err
	}
	d := s.describe(r, c)
	rows := []row{
		{cell{Text: bilingual.Of("Extent", "Ausdehnung").In(r.language)}, cell{Text: where(c.bound().ToPolygon())}},
		{cell{Text: bilingual.Of("Time", "Zeit").In(r.language)}, cell{Text: d.Extent.Temporal.words()}},
		{cell{Text: bilingual.Of("Coordinates", "Koordinaten").In(r.language)}, cell{Text: crs84}},
		r.source(s.Meta(r.now)),
	}
	return r.send(jsonType, d, page{Title: d.Title, Text: d.Description, Links: d.Links, Rows: rows})
}

// itemAddress returns the address of a feature.
func (r *request) itemAddress(c collection, id string) string {
	return r.address(c) + "/items/" + url.PathEscape(id)
}
