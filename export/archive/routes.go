package archive

import (
	"net/http"

	"stadtluft/export"
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
		{Type: parquet.MediaType}, {Type: "application/gzip"}, {Type: export.GeoJSON.MediaType()}, {Type: "application/json"}, {Type: "text/plain"},
	}}}
	return []openapi.Route{
		level("", "getArchive", "The years that there are.", "Die Jahre, die es gibt."),
		level("{year}/", "getArchiveYear", "The months of a year, and all of it as one file.", "Die Monate eines Jahres, und alles davon als eine Datei.", year),
		level("{year}/{month}/", "getArchiveMonth", "The days of a month, those that lack, and all of it as one file.", "Die Tage eines Monats, die fehlenden, und alles davon als eine Datei.", year, month),
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
			Summary: bilingual.Text{EN: "The same as pages for people, and years and months as one file.", DE: "Dasselbe als Seiten für Menschen, und Jahre und Monate als eine Datei."},
			Parameters: []openapi.Parameter{
				part("path", "a level, such as 2026/05/, or a bundle, such as 2026/05.tar", "eine Ebene, etwa 2026/05/, oder ein Bündel, etwa 2026/05.tar"),
				{Name: "lang", Choices: []string{"de", "en"}, About: bilingual.Text{EN: "the page’s language; without it the browser’s", DE: "Sprache der Seite; sonst die des Browsers"}},
			},
			Answers: []openapi.Answer{{Forms: []openapi.Content{{Type: "text/html"}, {Type: "application/x-tar"}}}},
		},
	}
}
