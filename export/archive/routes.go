package archive

import (
	"net/http"

	"stadtluft/export"
	"stadtluft/export/archive/remote"
	"stadtluft/export/parquet"
	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/ingest/httpapi/openapi"
)

// Routes returns the routes below Root. serve is a handler that calls Serve.
func Routes(serve http.Handler) []openapi.Route {
	part := func(name, english, german string) openapi.Parameter {
		return openapi.Parameter{Name: name, About: bilingual.Text{EN: english, DE: german}}
	}
	year, month, day := part("year", "four digits", "vier Ziffern"), part("month", "two digits", "zwei Ziffern"), part("day", "two digits", "zwei Ziffern")
	file := part("file", "a file’s name, such as readings.parquet; index.json lists them", "Name einer Datei, etwa readings.parquet; index.json nennt sie")
	level := func(path, id, english, german string, parameters ...openapi.Parameter) openapi.Route {
		return openapi.Route{
			Method: "GET", Path: Root + path + "index.json", Handler: serve, Group: "archive", ID: id, Summary: bilingual.Text{EN: english, DE: german},
			Parameters: parameters, Answers: []openapi.Answer{{Forms: []openapi.Content{{Type: "application/json", Schema: openapi.SchemaOf(index{})}}}},
		}
	}
	files := []openapi.Answer{{Forms: []openapi.Content{
		{Type: parquet.MediaType}, {Type: "application/gzip"}, {Type: export.GeoJSON.MediaType()}, {Type: "application/json"}, {Type: "text/plain"}, {Type: "application/xml"},
	}}}
	return []openapi.Route{
		level("", "getArchive", "The years that there are.", "Die Jahre, die es gibt."),
		{
			Method: "GET", Path: Root + remote.ListingName, Handler: serve, Group: "archive", ID: "getArchiveFiles",
			Summary: bilingual.Text{
				EN: "Every file of every revision, with its size in bytes and its time, gzipped: for copies of all of it.",
				DE: "Jede Datei jeder Revision mit Größe in Bytes und Zeit, mit gzip: für Kopien von allem.",
			},
			Answers: []openapi.Answer{{Forms: []openapi.Content{{Type: "application/json", Schema: openapi.SchemaOf(remote.Listing{})}}}},
		},
		level("{year}/", "getArchiveYear", "The months of a year, and all of it as one file.", "Die Monate eines Jahres, und alles davon als eine Datei.", year),
		level("{year}/{month}/", "getArchiveMonth", "The days of a month, those that lack, and all of it as one file.", "Die Tage eines Monats, die fehlenden, und alles davon als eine Datei.", year, month),
		{
			Method: "GET", Path: Root + "{year}/{file}", Handler: serve, Group: "archive", ID: "getArchiveYearFile",
			Summary: bilingual.Text{
				EN: "A year as one file: means-1h.parquet, means-24h.parquet, the means of every station; datapackage.json, CITATION.cff and datacite.xml, to cite it by; SHA256SUMS.",
				DE: "Ein Jahr als eine Datei: means-1h.parquet, means-24h.parquet, die Mittel aller Stationen; datapackage.json, CITATION.cff und datacite.xml zum Zitieren; SHA256SUMS.",
			},
			Parameters: []openapi.Parameter{year, file}, Answers: files,
		}, {
			Method: "GET", Path: Root + "{year}/{month}/{file}", Handler: serve, Group: "archive", ID: "getArchiveMonthFile",
			Summary:    bilingual.Text{EN: "The same of a month: the means and SHA256SUMS.", DE: "Dasselbe von einem Monat: die Mittel und SHA256SUMS."},
			Parameters: []openapi.Parameter{year, month, file}, Answers: files,
		},
		level("{year}/{month}/{day}/", "getArchiveDay", "A day’s files with their checksums, and its revisions.", "Die Dateien eines Tages mit Prüfsummen, und seine Revisionen.", year, month, day),
		{
			Method: "GET", Path: Root + "{year}/{month}/{day}/{file}", Handler: serve, Group: "archive", ID: "getArchiveFile",
			Summary:    bilingual.Text{EN: "A file of a day’s newest revision.", DE: "Eine Datei der neuesten Revision eines Tages."},
			Parameters: []openapi.Parameter{year, month, day, file}, Answers: files,
		}, {
			Method: "GET", Path: Root + "{year}/{month}/{day}/{revision}/{file}", Handler: serve, Group: "archive", ID: "getArchiveRevision",
			Summary:    bilingual.Text{EN: "A file of a revision, which never changes.", DE: "Eine Datei einer Revision, die sich nie ändert."},
			Parameters: []openapi.Parameter{year, month, day, part("revision", "such as r1", "etwa r1"), file}, Answers: files,
		}, {
			Method: "GET", Path: Root + "{path...}", Handler: serve, Group: "archive", ID: "getArchivePage",
			Summary: bilingual.Text{EN: "The same as pages for people, years and months as one file, and the means of single stations.", DE: "Dasselbe als Seiten für Menschen, Jahre und Monate als eine Datei, und die Mittel einzelner Stationen."},
			Parameters: []openapi.Parameter{
				part("path", "a level, such as 2026/05/; a bundle, such as 2026/05.tar; a station’s means, such as stations/4F7K2QX/means-1h.parquet or 2026/stations/4F7K2QX/means-24h.csv.gz", "eine Ebene, etwa 2026/05/; ein Bündel, etwa 2026/05.tar; die Mittel einer Station, etwa stations/4F7K2QX/means-1h.parquet oder 2026/stations/4F7K2QX/means-24h.csv.gz"),
				{Name: "lang", Choices: []string{"de", "en"}, About: bilingual.Text{EN: "the page’s language; without it the browser’s", DE: "Sprache der Seite; sonst die des Browsers"}},
			},
			Answers: []openapi.Answer{{Forms: []openapi.Content{{Type: "text/html"}, {Type: "application/x-tar"}, {Type: parquet.MediaType}, {Type: "application/gzip"}}}},
		},
	}
}
