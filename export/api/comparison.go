package api

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"stadtluft/export"
	"stadtluft/export/download"
	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/geo"
	"stadtluft/ingest/comparison"
	"stadtluft/ingest/httpapi/openapi"
)

// comparisonDocument is the comparison with official instruments as JSON.
type comparisonDocument struct {
	export.Envelope
	Until    *string            `json:"until"` // end of the last day that is compared; null while nothing is
	Kappa    float64            `json:"kappa"` // in force
	Headline []headline         `json:"headline"`
	Kappas   []comparison.Kappa `json:"kappas"`
	Stations []officialStation  `json:"stations"`
	Rows     []comparisonRow    `json:"rows"`
}

// headline is what the city's hourly means of a quantity are worth: all official stations together over 90 days, and the
// stations nearest to them that have enough hours.
type headline struct {
	Quantity string       `json:"quantity"`
	Unit     string       `json:"unit"`
	Radius   int          `json:"radius_m"`
	Days     int          `json:"period_days"`
	N        int          `json:"n"`
	Bias     export.Milli `json:"bias"` // stations minus instruments
	SD       export.Milli `json:"sd"`   // two of three hours are within it of the bias
}

type officialStation struct {
	ID      string  `json:"id"`
	Name    string  `json:"name"`
	Source  string  `json:"source"`
	Licence string  `json:"licence"`
	Lon     float64 `json:"lon"`
	Lat     float64 `json:"lat"`
}

// comparisonRow is a row of the table as JSON.
type comparisonRow struct{ comparison.Row }

// MarshalJSON writes the table's columns.
func (r comparisonRow) MarshalJSON() ([]byte, error) {
	return export.ComparisonColumns.AppendObject(nil, &r.Row), nil
}

// JSONSchema is that of the table's columns.
func (comparisonRow) JSONSchema() openapi.Schema {
	return objectSchema(export.ComparisonColumns.Fields())
}

func numbers(values []int) []string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = strconv.Itoa(v)
	}
	return names
}

func comparisonParameters() []openapi.Parameter {
	return append(formats(export.JSON, export.CSV, export.Parquet), quantityParameter(everyQuantity),
		openapi.Parameter{Name: "radius", Kind: openapi.List, Choices: numbers(comparison.Radii), About: bilingual.Of("metres within which stations are compared; without it each radius", "Umkreis der verglichenen Stationen in Metern; sonst jeder")},
		openapi.Parameter{Name: "days", Kind: openapi.List, Choices: numbers(comparison.Periods), About: bilingual.Of("length of the period; without it each", "Länge des Zeitraums; sonst jede")},
		openapi.Parameter{Name: "official", About: bilingual.Of("id of an official station, or all for all of them together; without it every row", "Kennung einer amtlichen Station, oder all für alle zusammen; sonst jede Zeile")},
	)
}

func pairParameters() []openapi.Parameter {
	list := append(period(bilingual.Of("30 days before to", "30 Tage vor to")), formats(export.CSV, export.JSON, export.Parquet)...)
	return append(list,
		openapi.Parameter{Name: "official", About: bilingual.Of("id of an official station; without it all", "Kennung einer amtlichen Station; sonst alle")},
		openapi.Parameter{Name: "quantity", Choices: quantityNames(), Default: quantity.PM2_5.String(), About: bilingual.Of("one quantity", "eine Messgröße")},
		openapi.Parameter{Name: "radius", Choices: numbers(comparison.Radii), Default: strconv.Itoa(comparison.Radii[0]), About: bilingual.Of("metres within which stations are compared", "Umkreis der verglichenen Stationen in Metern")})
}

func (s *Server) comparisonRoutes() []openapi.Route {
	answers := func(schema openapi.Schema) []openapi.Answer {
		return []openapi.Answer{{Forms: []openapi.Content{{Type: "text/csv"}, {Type: export.JSON.MediaType(), Schema: schema}, {Type: export.Parquet.MediaType()}}}}
	}
	return []openapi.Route{{
		Method: "GET", Path: "/api/v1/comparison", Handler: s.answer(s.tagged(s.getComparison)), Group: "data", ID: "getComparison",
		Summary: bilingual.Of("The city’s stations compared with official instruments.", "Die Stationen der Stadt im Vergleich mit amtlichen Geräten."),
		About: bilingual.Of("Computed every night over 30, 90 and 365 days. As JSON with what the map says of it, and with the hygroscopicity κ that it proposes.",
			"Jede Nacht berechnet, über 30, 90 und 365 Tage. Als JSON mit dem, was die Karte davon sagt, und mit dem κ, das es vorschlägt."),
		Parameters: comparisonParameters(), Answers: answers(openapi.SchemaOf(comparisonDocument{})),
	}, {
		Method: "GET", Path: "/api/v1/comparison/hours", Handler: s.answer(s.tagged(s.getComparisonHours)), Group: "data", ID: "getComparisonHours",
		Summary:    bilingual.Of("The hours behind the comparison.", "Die Stunden hinter dem Vergleich."),
		Parameters: pairParameters(), Answers: answers(openapi.Ref("pairs")),
	}}
}

// getComparison answers with the last comparison.
func (s *Server) getComparison(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r)
	d := document{format: q.format(), meta: s.meta(time.Now()), name: "comparison", schema: "comparison.json"}
	d.meta.Averaging = export.ComparisonRule
	wanted, radii, days, official := q.list("quantity"), q.list("radius"), q.list("days"), q.text("official")
	if err := q.done(); err != nil {
		return err
	}
	result := s.compared()
	rows := []comparison.Row{}
	for _, row := range result.Rows {
		if chosen(wanted, row.Quantity) && chosen(radii, strconv.Itoa(row.Radius)) && chosen(days, strconv.Itoa(row.Period)) &&
			(official == "" || official == row.Official || official == "all" && row.Official == "") {
			rows = append(rows, row)
		}
	}
	if d.from = result.Until; d.format != export.JSON {
		return sendWhole(w, r, d, rows, download.NewComparison)
	}
	d.head(w)
	return writeJSON(w, http.StatusOK, export.JSON.MediaType(), s.comparisonDocument(result, rows, d.meta))
}

// compared returns the last comparison, which is empty before the first.
func (s *Server) compared() *comparison.Result {
	if s.Comparison != nil {
		if r, ok := s.Comparison.Latest(); ok {
			return r
		}
	}
	return &comparison.Result{Kappa: s.City.Correction.Kappa, Rows: []comparison.Row{}, Kappas: []comparison.Kappa{}}
}

func chosen(names []string, name string) bool { return len(names) == 0 || slices.Contains(names, name) }

func (s *Server) comparisonDocument(result *comparison.Result, rows []comparison.Row, meta export.Meta) comparisonDocument {
	doc := comparisonDocument{Envelope: meta.Envelope(), Kappa: result.Kappa, Headline: []headline{}, Kappas: result.Kappas, Stations: []officialStation{}, Rows: make([]comparisonRow, len(rows))}
	if result.Compared() {
		doc.Until = new(result.Until.UTC().Format(time.RFC3339))
	}
	for i, row := range rows {
		doc.Rows[i] = comparisonRow{row}
	}
	for _, q := range quantity.All() {
		if row, ok := result.Headline(q); ok {
			doc.Headline = append(doc.Headline, headline{q.String(), q.Unit(), row.Radius, row.Period, row.N, export.MilliOf(row.Bias), export.MilliOf(row.SD)})
		}
	}
	now := time.Now()
	for _, st := range s.Registry.Stations() {
		if st.Official() && st.Shown() {
			at := geo.Published(st.PlaceAt(now).Public)
			doc.Stations = append(doc.Stations, officialStation{st.ID, st.Name, st.Source, st.Licence, at[0], at[1]})
		}
	}
	return doc
}

// maxPairDays is the longest period of hours in one answer.
const maxPairDays = 366 * 24 * time.Hour

// getComparisonHours answers with the compared hours of a period.
func (s *Server) getComparisonHours(w http.ResponseWriter, r *http.Request) error {
	q, now := newQuery(r), time.Now().UTC()
	to := q.time("to", now)
	from := q.time("from", to.AddDate(0, 0, -30))
	d := document{format: q.format(), meta: s.meta(now), name: "comparison-hours", schema: "pairs.json", from: from, to: to}
	d.meta.Averaging = export.ComparisonRule
	about, _ := quantity.Parse(q.text("quantity")) // checked
	radius, official := q.number("radius"), q.text("official")
	if from.After(to) || to.Sub(from) > maxPairDays {
		q.Fail(wrong("from", "from must be before to, at most %.0f days", maxPairDays.Hours()/24).InGerman("from liegt vor to, höchstens %.0f Tage.", maxPairDays.Hours()/24))
	}
	if err := q.done(); err != nil {
		return err
	}
	var pairs []comparison.Pair
	if s.Comparison != nil {
		err := s.Comparison.Pairs(official, about, radius, from, to, func(p comparison.Pair) error {
			if !p.Start.Before(from) && p.Start.Before(to) {
				pairs = append(pairs, p)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return sendWhole(w, r, d, pairs, download.NewPairs)
}
