// Package sta publishes stations and their readings as OGC SensorThings API 1.1, Part 1: Sensing (OGC 18-088), the
// reading part of it, at /sta/v1.1, for FROST's clients, QGIS and dashboards.
//
// A station is a Thing, its places are Locations, a quantity of it is a Datastream, a value an Observation. The package
// reads through Source and changes nothing; it answers 501 to the rest of the standard. One request reads at most
// maxLooked readings and answers with at most maxEntities entities, which are held in memory; for more it answers with
// an error that says how to ask for less. Retired stations are not shown; their readings are at /api/v1/readings.
package sta

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"stadtluft/export"
	"stadtluft/export/live"
	"stadtluft/ingest"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/store"
)

// Root is the path of the service.
const Root = "/sta/v1.1"

// Source gives the service its data.
type Source interface {
	ingest.Stations
	// Stations lists every registered station by id.
	Stations() []*ingest.Station
	// Latest returns a station's latest values at a moment.
	Latest(id string, at time.Time) live.Station
	// Readings yields stored readings as store.Store does.
	Readings(ctx context.Context, q store.ReadingQuery, yield func(ingest.Reading) error) error
	// Meta returns the licence, the attribution and the time of a document made at a moment.
	Meta(at time.Time) export.Meta
}

// Service is the service of one city.
type Service struct {
	Source
	Base func(*http.Request) string // the server's address without a slash at its end
	Log  *slog.Logger
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request) error {
	path := strings.TrimPrefix(r.URL.EscapedPath(), Root)
	switch first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/"); {
	case first == "$batch":
		return unsupported("batch requests are not supported: ask one thing at a time")
	case first == "CreateObservations":
		return unsupported("this service can only be read; stations publish over MQTT, see /api/v1/stations")
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return unsupported("this service can only be read: %.60s is not supported", r.Method)
	}
	w.Header().Set("Cache-Control", "no-cache")
	world := newWorld(r.Context(), s, s.Base(r)+Root, time.Now().UTC())
	if strings.Trim(path, "/") == "" {
		return s.landing(w, world)
	}
	return world.answer(w, r, path)
}

// landing lists the sets and what the service supports (OGC 18-088, section 9.2.1).
func (s *Service) landing(w http.ResponseWriter, world *world) error {
	first := landing{
		Settings: settings{classes, missing, map[string]int{"readings": maxLooked, "reads": maxReads, "entities": maxEntities, "top": maxTop, "skip": maxSkip, "expand": maxExpand}},
		Licence:  world.meta.Licence, Attribution: world.meta.Attribution, Notice: export.Disclaimer, Demo: world.meta.Demo,
	}
	for _, k := range kinds {
		first.Value = append(first.Value, set{k.plural, world.base + "/" + k.plural})
	}
	return httpapi.JSON(w, http.StatusOK, jsonType, first)
}

// answer answers a request for a path below the root.
func (w *world) answer(out http.ResponseWriter, r *http.Request, path string) error {
	a, err := w.resolve(path)
	if err != nil {
		return err
	}
	o, err := parseQuery(r.URL.RawQuery, a.kind)
	if err != nil {
		return err
	}
	if a.one != nil || a.property != "" {
		if err := o.onlyForOne(); err != nil {
			return err
		}
	}
	if a.property != "" {
		return w.sendProperty(out, a)
	}
	b, err := w.append(nil, a, o, w.base+path)
	if err != nil {
		return err
	}
	out.Header().Set("Content-Type", "application/json")
	_, err = out.Write(append(b, '\n'))
	return err
}

// onlyForOne refuses options that select among entities when the path names a single one.
func (o *options) onlyForOne() error {
	for name := range o.written {
		if name != "$select" && name != "$expand" {
			return httpapi.Wrong(name, "%s is for sets of entities, not for one", name)
		}
	}
	return nil
}

func (w *world) append(b []byte, a address, o options, here string) ([]byte, error) {
	if a.refs {
		o.chosen, o.expand = []string{"@iot.selfLink"}, nil
	}
	if a.one != nil {
		plan := w.budget
		if err := plan.plan(w, []*entity{a.one}, o); err != nil {
			return nil, err
		}
		return w.appendEntity(b, a.one, o)
	}
	plan := w.budget
	if a.kind == observations {
		if err := plan.planLink(observations, expansion{many(a.kind), o}, 1); err != nil {
			return nil, err
		}
	}
	page, err := w.entities(a.kind, a.of, many(a.kind), o)
	if err != nil {
		return nil, err
	}
	if a.kind != observations && len(page.entities) > 0 {
		if err := plan.plan(w, page.entities, o); err != nil {
			return nil, err
		}
	}
	return w.appendList(b, page, here, o)
}

// sendProperty answers with one property, as a member of an object or by itself.
func (w *world) sendProperty(out http.ResponseWriter, a address) error {
	var value any = a.one.id
	name := "@iot.id"
	if p, ok := a.one.kind.property(a.property); ok {
		name, value = p.name, p.of(w, a.one)
	}
	if !a.plain {
		object := objectWriter{b: []byte("{")}
		object.add(name, value)
		if object.err != nil {
			return object.err
		}
		out.Header().Set("Content-Type", "application/json")
		_, err := out.Write(append(object.b, "}\n"...))
		return err
	}
	b, err := appendValue(nil, value)
	if err != nil {
		return err
	}
	switch v := value.(type) {
	case string:
		b = []byte(v)
	case time.Time:
		b = v.AppendFormat(nil, time.RFC3339)
	}
	out.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err = out.Write(b)
	return err
}
