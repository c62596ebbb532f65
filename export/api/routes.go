package api

import (
	"net/http"
	"slices"

	"stadtluft/export"
	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/ingest/admin"
	"stadtluft/ingest/httpapi/openapi"
	"stadtluft/ingest/stations"
)

// groups are the headings of the description, in order.
var groups = []openapi.Group{
	{Name: "data", Title: bilingual.Text{EN: "Data", DE: "Daten"}, About: bilingual.Text{
		EN: "Readings and averages for a period, as files. Everyone may read, scripts on other sites too.",
		DE: "Messwerte und Mittel eines Zeitraums als Dateien. Lesen dürfen alle, auch Skripte anderer Seiten."}},
	{Name: "live", Title: bilingual.Text{EN: "Now", DE: "Jetzt"}, About: bilingual.Text{
		EN: "The city and its stations as they are at the moment.",
		DE: "Die Stadt und ihre Stationen, wie sie im Augenblick sind."}},
	{Name: "stations", Title: bilingual.Text{EN: "Have a station", DE: "Eine Station betreiben"}, About: bilingual.Text{
		EN: "Register a station, look after it, deliver its readings.",
		DE: "Eine Station anmelden, pflegen und ihre Messwerte abliefern."}},
	{Name: "admin", Title: bilingual.Text{EN: "Look after the city", DE: "Die Stadt verwalten"}, About: bilingual.Text{
		EN: "For the administrator; approving a station is a change of its status.",
		DE: "Für die Verwaltung; eine Station freizugeben ist eine Änderung ihres Zustands."}},
	{Name: "archive", Title: bilingual.Text{EN: "The archive", DE: "Das Archiv"}, About: bilingual.Text{
		EN: "Closed days as files that stay, with checksums and a manifest of gaps.",
		DE: "Abgeschlossene Tage als Dateien, die bleiben, mit Prüfsummen und einem Verzeichnis der Lücken."}},
	{Name: "ogc", Title: bilingual.Text{EN: "OGC API – Features", DE: "OGC API – Features"}, About: bilingual.Text{
		EN: "For QGIS, GDAL and other geographic information systems (OGC 17-069r4).",
		DE: "Für QGIS, GDAL und andere Geoinformationssysteme (OGC 17-069r4)."}},
	{Name: "sta", Title: bilingual.Text{EN: "SensorThings", DE: "SensorThings"}, About: bilingual.Text{
		EN: "For clients of the SensorThings API 1.1 (OGC 18-088), the reading part of it.",
		DE: "Für Programme, die die SensorThings API 1.1 (OGC 18-088) lesen."}},
	{Name: "catalogue", Title: bilingual.Text{EN: "Catalogue and feeds", DE: "Katalog und Feeds"}, About: bilingual.Text{
		EN: "What there is, for data portals and search engines, and what is new, for feed readers.",
		DE: "Was es gibt, für Datenportale und Suchmaschinen, und was neu ist, für Feedreader."}},
	{Name: "service", Title: bilingual.Text{EN: "The server", DE: "Der Server"}, About: bilingual.Text{
		EN: "Its state and its own description.",
		DE: "Sein Zustand und seine Beschreibung."}},
}

// routes returns our routes and those of other packages, except the archive's.
func (s *Server) routes() []openapi.Route {
	owners := s.stations()
	return slices.Concat(s.dataRoutes(), s.comparisonRoutes(), s.liveRoutes(), owners.RegistrationRoutes(), s.healthRoutes(), s.Deliveries, owners.ManagementRoutes(), owners.NoticeRoutes(), s.admin().Routes(), s.serviceRoutes(), s.standardRoutes())
}

func (s *Server) dataRoutes() []openapi.Route {
	readings := rows("readings", "means")
	return []openapi.Route{{
		Method: "GET", Path: "/api/v1/readings", Handler: s.answer(s.tagged(s.getReadings)), Group: "data", ID: "getReadings",
		Summary: bilingual.Of("Readings of all stations.", "Messwerte aller Stationen."),
		About: bilingual.Of("One row per value, by time, then station. With resolution, means of single stations.",
			"Eine Zeile je Wert, nach Zeit, dann Station. Mit resolution Mittel einzelner Stationen."),
		Parameters: s.readingParameters(false), Answers: readings,
	}, {
		Method: "GET", Path: "/api/v1/stations/{id}/readings", Handler: s.answer(s.tagged(s.getStationReadings)), Group: "data", ID: "getStationReadings",
		Summary: bilingual.Of("Readings of one station.", "Messwerte einer Station."), Parameters: s.readingParameters(true), Answers: readings,
	}, {
		Method: "GET", Path: "/api/v1/grid", Handler: s.prepare(false, s.getGrid), Group: "data", ID: "getGrid",
		Summary: bilingual.Of("Averages of the cells of the European statistical grid.", "Mittel der Zellen des europäischen statistischen Gitters."),
		About: bilingual.Of("One window, or with from and to every full hour or day that begins in the period.",
			"Ein Zeitfenster, oder mit from und to jede volle Stunde, jeder volle Tag, der im Zeitraum beginnt."),
		Parameters: s.gridParameters(), Answers: rows("grid"),
	}, {
		Method: "GET", Path: "/api/v1/districts", Handler: s.prepare(false, s.getDistricts), Group: "data", ID: "getDistricts",
		Summary: bilingual.Of("Averages of the city’s districts.", "Mittel der Stadtteile."),
		About: bilingual.Of("A district’s value is the mean over its cells; both indices are with it in GeoJSON.",
			"Der Wert eines Stadtteils ist das Mittel über seine Zellen; im GeoJSON stehen beide Indizes dabei."),
		Parameters: s.areaParameters(), Answers: rows("districts"),
	}, {
		Method: "GET", Path: "/api/v1/index", Handler: s.answer(s.tagged(s.getIndex)), Group: "data", ID: "getIndex",
		Summary:    bilingual.Of("The European and the German air quality index of each cell.", "Der europäische und der deutsche Luftqualitätsindex jeder Zelle."),
		Parameters: append(append(windowParameters(), cellSize(s.City.Resolution)), allFormats()...), Answers: rows("index"),
	}, {
		Method: "GET", Path: "/api/v1/coverage", Handler: s.prepare(true, s.getCoverage), Group: "data", ID: "getCoverage",
		Summary:    bilingual.Of("What is measured, now and over time, and where the next station helps most.", "Was gemessen wird, jetzt und über die Zeit, und wo die nächste Station am meisten hilft."),
		Parameters: append(windowParameters(), coverageParameters()...), Answers: rows("coverage", "history"),
	}, {
		Method: "GET", Path: "/api/v1/stations/{id}/series", Handler: s.answer(s.tagged(s.getSeries)), Group: "data", ID: "getSeries",
		Summary:    bilingual.Of("A station’s hours or days beside its neighbours’.", "Stunden oder Tage einer Station neben denen ihrer Nachbarn."),
		Parameters: seriesParameters(), Answers: objectOf(series{}),
	}, {
		Method: "GET", Path: "/api/v1/installations", Handler: s.answer(s.tagged(s.getInstallations)), Group: "data", ID: "getInstallations",
		Summary:    bilingual.Of("Where each station stood, how it was exposed and what it measured with, and when.", "Wo jede Station stand, wie sie hing und womit sie maß, und wann."),
		About:      bilingual.Of("Retired stations too. One row per station and period in which nothing changed.", "Auch abgemeldete Stationen. Eine Zeile je Station und Zeitraum, in dem sich nichts änderte."),
		Parameters: tableParameters(), Answers: table("installations"),
	}, {
		Method: "GET", Path: "/api/v1/calibrations", Handler: s.answer(s.tagged(s.getCalibrations)), Group: "data", ID: "getCalibrations",
		Summary:    bilingual.Of("The calibrations on the stations’ records.", "Die Kalibrierungen der Stationen."),
		Parameters: tableParameters(), Answers: table("calibrations"),
	}, {
		Method: "GET", Path: "/api/v1/quality", Handler: s.answer(s.tagged(s.getQuality)), Group: "data", ID: "getQuality",
		Summary: bilingual.Of("The rules in force: checks, correction, averages; and what was checked on a day.", "Die geltenden Regeln: Prüfungen, Korrektur, Mittel; und was an einem Tag geprüft wurde."),
		Parameters: []openapi.Parameter{{Name: "day", About: bilingual.Text{
			EN: "a day such as 2026-05-01: which checks of its hours were made, and which could not be and why",
			DE: "ein Tag wie 2026-05-01: welche Prüfungen seiner Stunden gemacht wurden, welche nicht gingen und warum"}}},
		Answers: objectOf(export.Quality{}),
	}, {
		Method: "GET", Path: "/api/v1/schema/{file}", Handler: s.answer(s.tagged(s.getSchema)), Group: "data", ID: "getSchema",
		Summary: bilingual.Of("The columns of a table.", "Die Spalten einer Tabelle."),
		About: bilingual.Of("A Table Schema (Frictionless) with licence, averaging rule and quality rule: what a CSV has no place for. The Link header of each CSV names it.",
			"Ein Table Schema (Frictionless) mit Lizenz, Mittelungs- und Qualitätsregel: was in CSV keinen Platz hat. Die Kopfzeile Link jeder CSV-Datei nennt es."),
		Parameters: s.schemaParameters(), Answers: objectOf(export.TableSchema{}),
	}}
}

func (s *Server) liveRoutes() []openapi.Route {
	return []openapi.Route{{
		Method: "GET", Path: "/api/v1/city", Handler: s.prepare(true, s.getCity), Group: "live", ID: "getCity",
		Summary:    bilingual.Of("The city: its boundary, its air, and what this server does.", "Die Stadt: ihre Grenze, ihre Luft, und was dieser Server tut."),
		Parameters: s.areaParameters(), Answers: rows("city"),
	}, {
		Method: "GET", Path: "/api/v1/cells/{cell}", Handler: s.answer(s.tagged(s.getCell)), Group: "live", ID: "getCell",
		Summary: bilingual.Of("One cell: its averages, both indices, and one quantity’s last 24 hours.", "Eine Zelle: ihre Mittel, beide Indizes und die letzten 24 Stunden einer Messgröße."),
		Parameters: append([]openapi.Parameter{{Name: "cell", About: bilingual.Of("the cell’s long or short code", "langer oder kurzer Name der Zelle")},
			{Name: "quantity", Choices: quantityNames(), Default: quantity.PM2_5.String(), About: bilingual.Of("of the last 24 hours", "der letzten 24 Stunden")}}, windowParameters()...),
		Answers: objectOf(cellDocument{}),
	}, {
		Method: "GET", Path: "/api/v1/stations", Handler: s.prepare(true, s.getStations), Group: "live", ID: "getStations",
		Summary:    bilingual.Of("The public stations and their latest values.", "Die öffentlichen Stationen und ihre letzten Werte."),
		Parameters: listParameters, Answers: geojson(openapi.SchemaOf(stationsCollection{})),
	}, {
		Method: "GET", Path: "/api/v1/stations/{id}", Handler: s.answer(s.tagged(s.getStation)), Group: "live", ID: "getStation",
		Summary:    bilingual.Of("One station, with the places where it stood.", "Eine Station, mit den Orten, an denen sie stand."),
		Parameters: []openapi.Parameter{stations.ID}, Answers: geojson(openapi.Ref("Station")),
	}, {
		Method: "GET", Path: "/api/v1/places", Handler: s.answer(s.tagged(s.getPlaces)), Group: "live", ID: "getPlaces",
		Summary: bilingual.Of("Names of places in the city and around it.", "Namen von Orten in der Stadt und um sie herum."),
		About:   bilingual.Of("The largest come first.", "Die größten stehen vorn."),
		Answers: geojson(openapi.SchemaOf(placesCollection{})),
	}, {
		Method: "GET", Path: "/api/v1/water", Handler: s.answer(s.tagged(s.getWater)), Group: "live", ID: "getWater",
		Summary: bilingual.Of("Rivers and lakes, as the map draws them.", "Flüsse und Seen, wie die Karte sie zeichnet."),
		Answers: geojson(openapi.SchemaOf(waterCollection{})),
	}, {
		Method: "GET", Path: "/api/v1/stream", Handler: s.answer(s.getStream), Group: "live", ID: "getStream",
		Summary: bilingual.Of("A live stream of server-sent events.", "Ein Live-Stream von Ereignissen (server-sent events)."),
		About:   bilingual.Of("reading: a station’s values; grid: the live averages changed.", "reading: Werte einer Station; grid: die laufenden Mittel haben sich geändert."),
		Answers: []openapi.Answer{{Forms: []openapi.Content{{Type: "text/event-stream", Schema: streamSchema()}}}},
	}}
}

func (s *Server) healthRoutes() []openapi.Route {
	return []openapi.Route{{
		Method: "GET", Path: "/api/v1/stations/{id}/health", Handler: s.answer(s.getHealth), Group: "stations", ID: "getHealth",
		Summary:    bilingual.Of("A station’s diagnosis: what was refused, why, and what to do.", "Wie es einer Station geht: was abgewiesen wurde, warum, und was zu tun ist."),
		Parameters: []openapi.Parameter{stations.ID}, Answers: objectOf(health{}),
	}}
}

func (s *Server) serviceRoutes() []openapi.Route {
	return append([]openapi.Route{{
		Method: "GET", Path: "/api", Handler: s.answer(s.getDescription), Group: "service", ID: "getDescription",
		Summary:    bilingual.Of("This page.", "Diese Seite."),
		Parameters: []openapi.Parameter{{Name: "lang", Choices: []string{"de", "en"}, About: bilingual.Of("its language; without it the browser’s", "ihre Sprache; sonst die des Browsers")}},
		Answers:    []openapi.Answer{{Forms: []openapi.Content{{Type: "text/html"}}}},
	}, {
		Method: "GET", Path: "/api/openapi.json", Handler: s.answer(s.tagged(s.getOpenAPI)), Group: "service", ID: "getOpenAPI",
		Summary: bilingual.Of("The same for programs (OpenAPI 3.1).", "Dasselbe für Programme (OpenAPI 3.1)."),
		Answers: openapi.AnswerOf("application/json", openapi.DocumentSchema()),
	}, {
		Method: "GET", Path: "/api/style.css", Handler: s.answer(s.getStyle), Group: "service", ID: "getStyle",
		Summary: bilingual.Of("How this page looks.", "Wie diese Seite aussieht."), Answers: []openapi.Answer{{Forms: []openapi.Content{{Type: "text/css"}}}},
	}}, s.stateRoutes()...)
}

// stateRoutes returns the routes that report the state of the process.
func (s *Server) stateRoutes() []openapi.Route {
	plain := []openapi.Answer{{Forms: []openapi.Content{{Type: "text/plain"}}}}
	return []openapi.Route{{
		Method: "GET", Path: "/healthz", Handler: s.answer(s.getHealthz), Group: "service", ID: "getHealthz", Free: true,
		Summary: bilingual.Of("The program lives.", "Das Programm lebt."), Answers: plain,
	}, {
		Method: "GET", Path: "/readyz", Handler: s.answer(s.getReadyz), Group: "service", ID: "getReadyz", Free: true,
		Summary: bilingual.Of("Whether everything works, and if not, what to do.", "Ob alles arbeitet, und wenn nicht, was zu tun ist."),
		Answers: []openapi.Answer{{Forms: []openapi.Content{{Type: "application/json", Schema: openapi.SchemaOf(admin.State{})}}},
			{Status: http.StatusServiceUnavailable, About: bilingual.Of("something does not", "etwas nicht"), Forms: []openapi.Content{{Type: "application/json", Schema: openapi.SchemaOf(admin.State{})}}}},
	}, {
		Method: "GET", Path: "/metrics", Handler: s.Metrics, Group: "service", ID: "getMetrics", Free: true,
		Summary: bilingual.Of("Figures for Prometheus.", "Zahlen für Prometheus."), Answers: plain,
	}}
}
