package export

import "io"

// list is a document of many rows in GeoJSON or JSON: a head that says of itself what meta holds, then one row a line.
type list struct {
	document
	meta    Meta
	geojson bool
	more    bool
}

func newList(w io.Writer, format Format, meta Meta) list {
	return list{document: document{w: w}, meta: meta, geojson: format == GeoJSON}
}

// Begin writes the head.
func (l *list) Begin() error {
	l.buf = append(l.buf, '{')
	if l.geojson {
		l.buf = append(l.buf, `"type":"FeatureCollection",`...)
	}
	l.buf = AppendMembers(l.buf, l.meta)
	if l.geojson {
		l.buf = append(l.buf, `,"features":[`...)
		return nil
	}
	l.buf = append(l.buf, `,"rows":[`...)
	return nil
}

// next appends what stands before another row.
func (l *list) next(b []byte) []byte {
	if l.more {
		b = append(b, ',')
	}
	l.more = true
	return append(b, '\n')
}

// End closes the document.
func (l *list) End() error {
	l.buf = append(l.buf, "\n]}\n"...)
	return l.flush(true)
}
