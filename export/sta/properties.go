package sta

import (
	"cmp"
	"fmt"
	"time"

	"stadtluft/export"
	"stadtluft/ingest"
)

const geoJSON = "application/geo+json"

func named(name, description func(e *entity) string) []property {
	return []property{
		{name: "name", of: func(_ *world, e *entity) any { return name(e) }},
		{name: "description", of: func(_ *world, e *entity) any { return description(e) }},
	}
}

func always(name string, value any) property {
	return property{name: name, of: func(*world, *entity) any { return value }}
}

func members(of func(w *world, e *entity) any) property {
	return property{name: "properties", of: of, open: true}
}

func thingProperties() []property {
	list := named(func(e *entity) string { return e.station.Name }, func(e *entity) string {
		return "A citizens' measuring station. " + export.Disclaimer
	})
	return append(list, members(func(w *world, e *entity) any {
		st := e.station
		return map[string]any{
			"kit": st.Kit, "sensors": texts(st.Sensors), "exposure": string(st.Exposure), "height": export.Known(st.Height), "status": string(st.Status), "demo": st.Demo,
			"source": cmp.Or(st.Source, export.OwnSource), "source_id": st.SourceID(), "licence": st.Licence, "attribution": w.meta.Attribution,
		}
	}))
}

// texts returns a list that is never null in JSON.
func texts(list []string) []any {
	all := []any{}
	for _, s := range list {
		all = append(all, s)
	}
	return all
}

func locationProperties() []property {
	return append(placed(), property{name: "location", open: true, of: func(_ *world, e *entity) any { return e.point() }})
}

func featureProperties() []property {
	return append(placed(), property{name: "feature", open: true, of: func(_ *world, e *entity) any { return e.point() }})
}

func placed() []property {
	list := named(func(e *entity) string { return e.station.Name }, func(e *entity) string {
		return "The centre of the 100 m cell that the station stands in; the exact place is not published."
	})
	return append(list, always("encodingType", geoJSON))
}

func datastreamProperties() []property {
	list := named(
		func(e *entity) string { return about(e.quantity).name + ", " + e.station.Name },
		func(e *entity) string {
			return about(e.quantity).name + " at a citizens' station. " + export.Disclaimer
		},
	)
	return append(list,
		always("observationType", "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"),
		property{name: "unitOfMeasurement", open: true, of: func(_ *world, e *entity) any {
			unit := unitOf(e.quantity)
			return map[string]any{"name": unit.name, "symbol": e.quantity.Unit(), "definition": unit.definition}
		}},
		property{name: "phenomenonTime", may: true, of: func(_ *world, e *entity) any {
			if e.at.IsZero() {
				return nil
			}
			return span{export.Earlier(e.station.Places[0].From, e.at), e.at}
		}},
		members(func(_ *world, e *entity) any {
			return map[string]any{"quantity": e.quantity.String(), "licence": e.station.Licence}
		}),
	)
}

// span is a Datastream's phenomenonTime: from the station's first place to the latest observation, both included. In a
// condition it is its two ends, of which one must fulfil it: "ge T" asks for observations at or after T, "lt T" for some before
// T. It is ordered by its end, so that streams that still measure come together.
type span struct{ from, to time.Time }

// String returns the interval as in ISO 8601.
func (s span) String() string { return s.from.Format(time.RFC3339) + "/" + s.to.Format(time.RFC3339) }

func sensorProperties() []property {
	list := named(func(e *entity) string { return e.kit }, func(e *entity) string { return "A kit that volunteers build: " + e.kit })
	return append(list,
		always("encodingType", "application/json"),
		property{name: "metadata", open: true, of: func(w *world, e *entity) any {
			return map[string]any{"kit": e.kit, "sensors": texts(w.sensorsOf[e.kit])}
		}},
	)
}

func observedPropertyProperties() []property {
	list := named(func(e *entity) string { return about(e.quantity).name }, func(e *entity) string { return about(e.quantity).description })
	definition := property{name: "definition", of: func(w *world, e *entity) any {
		return cmp.Or(about(e.quantity).definition, w.selfLink(e))
	}}
	return append(list[:1:1], definition, list[1], members(func(_ *world, e *entity) any {
		return map[string]any{"quantity": e.quantity.String(), "unit": e.quantity.Unit()}
	}))
}

func observationProperties() []property {
	at := func(_ *world, e *entity) any { return e.at }
	return []property{
		{name: "phenomenonTime", like: time.Time{}, of: at},
		{name: "resultTime", like: time.Time{}, of: at},
		{name: "result", like: 0.0, of: func(_ *world, e *entity) any { return e.value.Value }},
		{name: "parameters", open: true, of: func(_ *world, e *entity) any {
			return map[string]any{"flags": texts(e.value.Flags.Names()), "good": e.value.Flags.Good()}
		}},
	}
}

// The ids of entities consist of facts that never change: a station's id, the number of its place, a quantity, whole
// seconds.
func placeID(st *ingest.Station, place int) string { return fmt.Sprintf("%s-%d", st.ID, place+1) }
