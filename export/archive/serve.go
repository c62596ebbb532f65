package archive

import (
	"cmp"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"stadtluft/export"
	"stadtluft/export/archive/remote"
	"stadtluft/export/parquet"
)

// Root is the path of the archive.
const Root = "/archive/"

// served is a file of a revision with its address.
type served struct {
	Name   string `json:"name"`
	Href   string `json:"href"`
	Bytes  int64  `json:"bytes,omitempty"` // left out of small files that are made when they are asked for
	SHA256 string `json:"sha256,omitempty"`

	path     string
	modified time.Time
}

// filesOf returns the files of a revision, 0 for the newest, by name. The error is fs.ErrNotExist when it does not
// exist.
func (a *Archive) filesOf(d Day, revision int) ([]served, error) {
	newest, err := a.newest(d)
	if err != nil {
		return nil, err
	}
	revision = cmp.Or(revision, newest)
	sums, err := a.sums(d, revision)
	if err != nil {
		return nil, err
	}
	sums[sumsName] = ""
	var files []served
	for name, sum := range sums {
		path := path.Join(a.revisionFolder(d, revision), name)
		info, err := a.files().Stat(path)
		if err != nil {
			return nil, err
		}
		files = append(files, served{Name: name, Href: name, Bytes: info.Size(), SHA256: sum, path: path, modified: info.ModTime()})
	}
	slices.SortFunc(files, func(x, y served) int { return strings.Compare(x.Name, y.Name) })
	return files, nil
}

// address matches the paths below Root.
var address = regexp.MustCompile(`^(?:(\d{4})(?:/(\d{2})(?:/(\d{2})(?:/r([1-9]\d{0,8}))?)?)?)?(\.tar|/?[^/]*)$`)

// Serve answers a request below Root. The error is fs.ErrNotExist when the path does not exist; nothing is written
// before an error.
func (a *Archive) Serve(w http.ResponseWriter, r *http.Request) error {
	rest := strings.TrimPrefix(r.URL.Path, Root)
	if parts := historyAddress.FindStringSubmatch(rest); parts != nil {
		return a.serveHistory(w, r, parts)
	}
	parts := address.FindStringSubmatch(rest)
	if parts == nil {
		return fs.ErrNotExist
	}
	first, last, err := span(parts[1], parts[2], parts[3])
	if err != nil {
		return fs.ErrNotExist
	}
	tail := parts[5]
	switch {
	case tail == ".tar" && parts[1] != "" && parts[3] == "":
		return a.serveBundle(w, r, first, last, strings.TrimSuffix(rest, ".tar"))
	case tail == "" && rest != "":
		http.Redirect(w, r, r.URL.Path+"/", http.StatusMovedPermanently)
		return nil
	case tail == "" || tail == "/" || strings.TrimPrefix(tail, "/") == "index.html":
		return a.servePage(w, r, parts)
	case strings.TrimPrefix(tail, "/") == "index.json":
		return a.serveIndex(w, parts)
	case rest == remote.ListingName:
		return a.serveListing(w, r)
	case rest == styleName:
		return serveStyle(w, r)
	case parts[3] != "" && strings.HasPrefix(tail, "/"):
		revision, _ := strconv.Atoi(parts[4]) // digits; none means the newest
		return a.serveFile(w, r, first, revision, tail[1:])
	}
	return a.serveWhole(w, r, first, last, parts)
}

// span returns the first and last day of a year, a month or a day; of everything without a year.
func span(year, month, day string) (first, last Day, err error) {
	switch {
	case year == "":
		first, last = Ends()
		return first, last, nil
	case month == "":
		date, err := time.Parse("2006", year)
		return Day{date}, Day{date.AddDate(1, 0, -1)}, err
	case day == "":
		date, err := time.Parse("2006-01", year+"-"+month)
		return Day{date}, Day{date.AddDate(0, 1, -1)}, err
	}
	first, err = ParseDay(year + "-" + month + "-" + day)
	return first, first, err
}

// serveFile serves a file unchanged, so that the kernel can send it.
func (a *Archive) serveFile(w http.ResponseWriter, r *http.Request, d Day, revision int, name string) error {
	files, err := a.filesOf(d, revision)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(files, func(f served) bool { return f.Name == name })
	if i < 0 {
		return fs.ErrNotExist
	}
	file, err := a.open(files[i].path)
	if err != nil {
		return err
	}
	defer file.Close()
	newest, err := a.newest(d)
	if err != nil {
		return err
	}
	m, err := a.Manifest(d, cmp.Or(revision, newest))
	if err != nil {
		return err
	}
	head(w, m.Licence, m.Licences, mediaType(name), fileName(d.String()+"-"+name, m.Demo), files[i].SHA256)
	if revision > 0 {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, "", files[i].modified, file)
	return nil
}

func (a *Archive) serveBundle(w http.ResponseWriter, r *http.Request, first, last Day, name string) error {
	b, err := a.bundle(first, last)
	if err != nil {
		return err
	}
	if len(b.pieces) == 1 {
		return fs.ErrNotExist
	}
	defer b.Close()
	meta := a.meta()
	head(w, meta.Licence, meta.Licences, "application/x-tar", fileName(strings.ReplaceAll(name, "/", "-")+".tar", meta.Demo), b.modTag)
	http.ServeContent(w, r, "", b.latest, b)
	return nil
}

// head sets the headers that files have in common. An empty tag is left out.
func head(w http.ResponseWriter, licence string, licences []string, media, name, tag string) {
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "no-cache")
	h.Set("Link", `<http://dcat-ap.de/def/licenses/`+licence+`>; rel="license"`)
	for _, neighbour := range licences {
		h.Add("Link", `<`+neighbour+`>; rel="license"`)
	}
	if tag != "" {
		h.Set("ETag", `"`+tag+`"`)
	}
}

// fileName returns a file's name for downloads. Demo data is marked.
func fileName(name string, demo bool) string {
	if demo {
		return "demo-stadtluft-" + name
	}
	return "stadtluft-" + name
}

func mediaType(name string) string {
	switch path.Ext(name) {
	case ".gz":
		return "application/gzip"
	case ".parquet":
		return parquet.MediaType
	case ".geojson":
		return export.GeoJSON.MediaType()
	case ".json":
		return "application/json"
	case ".xml":
		return "application/xml"
	}
	return "text/plain; charset=utf-8"
}
