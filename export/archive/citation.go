package archive

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"time"

	"stadtluft/export"
)

// Names of a year's files.
const (
	citationName = "CITATION.cff"
	dataciteName = "datacite.xml"
)

// About is what the city says of its archive.
type About struct {
	City      string
	Publisher string         // empty: the attribution
	Base      string         // the server's address without a slash at its end; may be empty
	DOIs      map[int]string // by year, such as 10.5072/abc, of those that the city registered
}

// aYear is a year of the archive as it is cited.
type aYear struct {
	export.Citation
	archive *Archive
	path    string
	meta    export.Meta
}

// yearOf describes the year from first to last.
func (a *Archive) yearOf(ctx context.Context, path string, first, last Day) (*aYear, error) {
	days, err := a.published(ctx, first, last)
	if err != nil {
		return nil, err
	}
	meta, number := a.meta(), first.date.Year()
	y := &aYear{archive: a, path: path, meta: meta, Citation: export.Citation{
		City: a.About.City, Publisher: cmp.Or(a.About.Publisher, a.Meta.Attribution), Year: number, Days: days, Licence: meta.Licence, DOI: a.About.DOIs[number],
	}}
	y.URL = a.address(path + "/")
	return y, nil
}

// address returns the address of a path below Root; empty where the server's own is not known.
func (a *Archive) address(path string) string {
	if a.About.Base == "" {
		return ""
	}
	return a.About.Base + Root + path
}

func (y *aYear) issued() time.Time { return y.Issued().Add(-y.archive.DayOffset).UTC() }

func (y *aYear) description() string {
	text := "Readings of citizens' air quality stations with quality flags, hourly and daily means of stations and of grid cells, one folder a day. " + export.Disclaimer
	if y.meta.Demo {
		text += demoNotice
	}
	return text
}

// dataPackage returns the year as a Data Package: the means of all stations, whose files are of the whole year.
func (y *aYear) dataPackage() ([]byte, error) {
	p := y.archive.newPackage(y.meta)
	p.ID, p.Name, p.Title, p.Description = y.Identifier(), "stadtluft-"+y.path, y.Title(), y.description()
	p.Version, p.Created, p.Modified = y.Version(), y.issued(), y.Modified().UTC().Truncate(time.Second)
	p.Identifier, p.Homepage, p.Citation = y.Identifier(), y.URL, y.Text()
	first, last, err := span(y.path, "", "")
	if err != nil {
		return nil, err
	}
	for _, name := range joinable {
		j, err := y.archive.join(y.path, first, last, name)
		if err != nil {
			return nil, err
		}
		sum, err := y.archive.checksum(j)
		if err != nil {
			return nil, err
		}
		p.Resources = append(p.Resources, y.archive.describe(File{Name: name, Bytes: j.size, SHA256: sum}, y.meta))
	}
	return p.text()
}

// citation returns the year in the Citation File Format 1.2.0 (doi 10.5281/zenodo.5171937). The licence is an address, as
// that version's list of SPDX names lacks Germany's.
func (y *aYear) citation() []byte {
	var b strings.Builder
	line := func(format, value string) {
		if value != "" {
			text, _ := export.AppendJSON(nil, value) // a string always marshals; JSON's are YAML's
			fmt.Fprintf(&b, format+": %s\n", text)
		}
	}
	b.WriteString("cff-version: 1.2.0\nmessage: \"If you use these data, please cite them as below.\"\ntype: dataset\n")
	line("title", y.Title())
	b.WriteString("authors:\n")
	line("  - name", y.Publisher)
	line("version", y.Version())
	fmt.Fprintf(&b, "date-released: %s\n", y.Modified().UTC().Format(time.DateOnly))
	line("doi", y.DOI)
	line("url", y.URL)
	line("license-url", export.LicenceURL(y.Licence))
	line("abstract", y.description())
	b.WriteString("keywords:\n  - air quality\n  - particulate matter\n  - citizen science\n")
	return []byte(b.String())
}

// datacite is a document of DataCite's metadata schema 4.6 (doi 10.14454/mzv1-5b55), with the members that it demands, and
// of the others those that we know.
type datacite struct {
	XMLName    xml.Name `xml:"http://datacite.org/schema/kernel-4 resource"`
	XSI        string   `xml:"xmlns:xsi,attr"`
	Location   string   `xml:"xsi:schemaLocation,attr"`
	Identifier typedXML `xml:"identifier"`
	Creators   struct {
		Creator struct {
			Name struct {
				Type string `xml:"nameType,attr"`
				Text string `xml:",chardata"`
			} `xml:"creatorName"`
		} `xml:"creator"`
	} `xml:"creators"`
	Titles struct {
		Title languageXML `xml:"title"`
	} `xml:"titles"`
	Publisher    string `xml:"publisher"`
	Year         string `xml:"publicationYear"`
	ResourceType struct {
		General string `xml:"resourceTypeGeneral,attr"`
		Text    string `xml:",chardata"`
	} `xml:"resourceType"`
	Subjects   []languageXML  `xml:"subjects>subject"`
	Dates      []typedDate    `xml:"dates>date"`
	Language   string         `xml:"language"`
	Alternates *alternates    `xml:"alternateIdentifiers"`
	Formats    []string       `xml:"formats>format"`
	Version    string         `xml:"version"`
	Rights     []rightsXML    `xml:"rightsList>rights"`
	About      descriptionXML `xml:"descriptions>description"`
	Places     []string       `xml:"geoLocations>geoLocation>geoLocationPlace"`
}

type typedXML struct {
	Type string `xml:"identifierType,attr"`
	Text string `xml:",chardata"`
}

type languageXML struct {
	Language string `xml:"xml:lang,attr"`
	Text     string `xml:",chardata"`
}

type typedDate struct {
	Type string `xml:"dateType,attr"`
	Text string `xml:",chardata"`
}

type alternates struct {
	Alternate struct {
		Type string `xml:"alternateIdentifierType,attr"`
		Text string `xml:",chardata"`
	} `xml:"alternateIdentifier"`
}

type rightsXML struct {
	URI  string `xml:"rightsURI,attr"`
	Text string `xml:",chardata"`
}

type descriptionXML struct {
	Language string `xml:"xml:lang,attr"`
	Type     string `xml:"descriptionType,attr"`
	Text     string `xml:",chardata"`
}

// toBeAssigned is DataCite's word for an identifier that is registered later (schema 4.6, appendix 3).
const toBeAssigned = "(:tba)"

// datacite returns the year as metadata with which the city can register a DOI.
func (y *aYear) datacite() ([]byte, error) {
	day := func(t time.Time) string { return t.UTC().Format(time.DateOnly) }
	first, last := y.Days[0].Date, y.Days[len(y.Days)-1].Date
	d := datacite{
		XSI: "http://www.w3.org/2001/XMLSchema-instance", Location: "http://datacite.org/schema/kernel-4 https://schema.datacite.org/meta/kernel-4.6/metadata.xsd",
		Identifier: typedXML{"DOI", cmp.Or(y.DOI, toBeAssigned)}, Publisher: y.Publisher, Year: strconv.Itoa(y.Modified().UTC().Year()), Language: "en", Version: y.Version(),
		Subjects: []languageXML{{"en", "air quality"}, {"en", "particulate matter"}, {"en", "citizen science"}, {"de", "Luftqualität"}, {"de", "Feinstaub"}},
		Dates:    []typedDate{{"Issued", day(y.issued())}, {"Updated", day(y.Modified())}, {"Collected", day(first) + "/" + day(last)}},
		Formats:  []string{"application/vnd.apache.parquet", "text/csv", "application/geo+json"},
		Rights:   []rightsXML{{export.LicenceURL(y.Licence), y.Licence}},
		About:    descriptionXML{"en", "Abstract", y.description()}, Places: filled(y.City),
	}
	for _, licence := range y.meta.Licences {
		d.Rights = append(d.Rights, rightsXML{licence, licence})
	}
	d.Creators.Creator.Name.Type, d.Creators.Creator.Name.Text = "Organizational", y.Publisher
	d.Titles.Title = languageXML{"en", y.Title()}
	d.ResourceType.General, d.ResourceType.Text = "Dataset", "Sensor measurements"
	if y.URL != "" {
		d.Alternates = &alternates{}
		d.Alternates.Alternate.Type, d.Alternates.Alternate.Text = "URL", y.URL
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	encoder := xml.NewEncoder(&b)
	encoder.Indent("", " ")
	err := encoder.Encode(d)
	return append(b.Bytes(), '\n'), err
}

// text returns the package as it is written.
func (p *dataPackage) text() ([]byte, error) {
	text, err := json.MarshalIndent(p, "", " ")
	return append(text, '\n'), err
}
