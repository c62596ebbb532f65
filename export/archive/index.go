package archive

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"stadtluft/export"
)

// index describes one level: the archive, a year, a month, a day, or a revision of a day.
type index struct {
	Path        string    `json:"path"` // such as 2026/05
	Licence     string    `json:"licence"`
	Attribution string    `json:"attribution"`
	Notice      string    `json:"notice"`
	Demo        bool      `json:"demo"`
	Children    []child   `json:"children,omitempty"`              // years, months or days
	Missing     []string  `json:"missing_days,omitempty"`          // missing between the first and the last of a month's days
	Download    *served   `json:"download,omitempty"`              // all of it
	Revision    int       `json:"revision,omitempty"`              // of a day, that of the files
	Revisions   []string  `json:"revisions,omitempty"`             // addresses of the revisions
	Files       []served  `json:"files,omitempty"`                 // of a day; of a year and a month those of all of it
	Without     []string  `json:"days_without_means,omitempty"`    // that the means of a year or month lack
	Stations    string    `json:"station_files,omitempty"`         // template of the addresses of single stations' means
	Manifest    *Manifest `json:"-"`                               // of a day
	Differs     []string  `json:"differs_from_previous,omitempty"` // files
}

// child is an entry of the next level.
type child struct {
	Name     string `json:"name"`
	Href     string `json:"href"`
	Days     int    `json:"days,omitempty"`     // of a year or month
	Bytes    int64  `json:"bytes,omitempty"`    // of a day
	Revision int    `json:"revision,omitempty"` // of a day
}

// index returns a level by its year, month, day and revision, each of which may be empty.
func (a *Archive) index(year, month, day, revision string) (*index, error) {
	first, last, err := span(year, month, day)
	if err != nil {
		return nil, fs.ErrNotExist
	}
	meta := a.meta()
	x := &index{Licence: meta.Licence, Attribution: meta.Attribution, Notice: export.Disclaimer, Demo: meta.Demo}
	x.Path = strings.Join(filled(year, month, day, revision), "/")
	if day != "" {
		return x, a.fillDay(x, first, revision)
	}
	days, err := a.Days(first, last)
	if err != nil {
		return nil, err
	}
	if len(days) == 0 && year != "" {
		return nil, fs.ErrNotExist
	}
	x.group(days, len(x.Path))
	if month == "" {
		x.Stations = "stations/{id}/means-{1h|24h}.{parquet|csv.gz}"
	}
	if year == "" {
		return x, nil
	}
	b, err := a.bundle(first, last)
	if err != nil {
		return nil, err
	}
	name := x.Path[strings.LastIndexByte(x.Path, '/')+1:] + ".tar"
	x.Download = &served{Name: name, Href: "../" + name, Bytes: b.size}
	if err := a.fillWhole(x, first, last, month); err != nil || month == "" {
		return x, err
	}
	return x, a.fillMonth(x, days)
}

// fillWhole adds the files of a year or a month as a whole, with the sizes of those that are large.
func (a *Archive) fillWhole(x *index, first, last Day, month string) error {
	for _, name := range wholes(month) {
		f := served{Name: name, Href: name}
		if slices.Contains(joinable, name) {
			j, err := a.join(x.Path, first, last, name)
			if err != nil {
				return err
			}
			f.Bytes, x.Without = j.size, j.without
		}
		x.Files = append(x.Files, f)
	}
	return nil
}

func filled(parts ...string) []string {
	var list []string
	for _, p := range parts {
		if p != "" {
			list = append(list, p)
		}
	}
	return list
}

// group counts days by the next level below a path of a given length.
func (x *index) group(days []Day, length int) {
	if length > 0 {
		length++ // the slash
	}
	for _, d := range days {
		name, _, _ := strings.Cut(d.date.Format("2006/01/02")[length:], "/")
		if n := len(x.Children); n == 0 || x.Children[n-1].Name != name {
			x.Children = append(x.Children, child{Name: name, Href: name + "/"})
		}
		x.Children[len(x.Children)-1].Days++
	}
}

// fillMonth adds a month's days, and those that are missing.
func (a *Archive) fillMonth(x *index, days []Day) error {
	for i, d := range days {
		c := &x.Children[i]
		c.Days = 0
		files, err := a.filesOf(d, 0)
		if err != nil {
			return err
		}
		for _, f := range files {
			c.Bytes += f.Bytes
		}
		if c.Revision, err = a.newest(d); err != nil {
			return err
		}
		for between := days[max(i-1, 0)].Next(); between.Compare(d) < 0; between = between.Next() {
			x.Missing = append(x.Missing, between.String())
		}
	}
	return nil
}

// fillDay adds the files of a day's revision; of the newest when none is named.
func (a *Archive) fillDay(x *index, d Day, revision string) error {
	revisions, err := a.Revisions(d)
	if err != nil {
		return err
	}
	if len(revisions) == 0 {
		return fs.ErrNotExist
	}
	x.Revision = revisions[len(revisions)-1]
	up := ""
	if revision != "" {
		x.Revision, _ = strconv.Atoi(strings.TrimPrefix(revision, "r")) // digits
		up = "../"
	}
	for _, n := range revisions {
		x.Revisions = append(x.Revisions, up+"r"+strconv.Itoa(n)+"/")
	}
	m, err := a.Manifest(d, x.Revision)
	if err != nil {
		return err
	}
	x.Manifest, x.Licence, x.Attribution, x.Demo, x.Differs = &m, m.Licence, m.Attribution, m.Demo, m.Differs
	x.Files, err = a.filesOf(d, x.Revision)
	return err
}

// serveIndex answers with a level as JSON.
func (a *Archive) serveIndex(w http.ResponseWriter, parts []string) error {
	x, err := a.index(parts[1], parts[2], parts[3], revisionName(parts[4]))
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(x, "", " ")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(append(text, '\n')) // the client may have gone
	return nil
}

func revisionName(digits string) string {
	if digits == "" {
		return ""
	}
	return "r" + digits
}
