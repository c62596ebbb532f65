package export

import (
	"cmp"
	"fmt"
	"strconv"
	"time"
)

// Citation is what a year of the archive is cited by.
type Citation struct {
	City      string
	Publisher string
	Year      int
	Days      []Day
	Licence   string
	URL       string // of the year's files; empty where the server's own address is not known
	DOI       string // such as 10.5072/abc; empty when none is registered
}

// Title returns the title of the year.
func (c Citation) Title() string {
	return fmt.Sprintf("Stadtluft %s: air quality measurements %d", c.City, c.Year)
}

// Version returns the number of archived days and, behind a point, of their corrections: both only ever grow, so a
// version names one state of the archive.
func (c Citation) Version() string {
	corrections := 0
	for _, d := range c.Days {
		corrections += d.Revision - 1
	}
	return strconv.Itoa(len(c.Days)) + "." + strconv.Itoa(corrections)
}

// Modified returns when the newest revision of a day was written; the zero time when there is no day.
func (c Citation) Modified() (at time.Time) {
	for _, d := range c.Days {
		at = Later(at, d.Updated)
	}
	return at
}

// Issued returns when the first day was closed, where days end at midnight UTC; the zero time when there is no day.
func (c Citation) Issued() time.Time {
	if len(c.Days) == 0 {
		return time.Time{}
	}
	return c.Days[0].Date.Add(24*time.Hour + DayClosed)
}

// Identifier returns the address that stays: that of the DOI, else of the files.
func (c Citation) Identifier() string {
	if c.DOI != "" {
		return "https://doi.org/" + c.DOI
	}
	return c.URL
}

// Text returns how to cite it.
func (c Citation) Text() string {
	text := fmt.Sprintf("%s (%d): %s. Version %s.", c.Publisher, cmp.Or(c.Modified().Year(), c.Year), c.Title(), c.Version())
	if id := c.Identifier(); id != "" {
		text += " " + id + "."
	}
	return text + " " + LicenceURL(c.Licence)
}
