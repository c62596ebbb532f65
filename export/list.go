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

// next is the buffer, ready for another row.
func (l *list) next() []byte {
	if l.more {
		l.buf = append(l.buf, ',')
	}
	l.more = true
	return append(l.buf, '\n')
}

// End closes the document.
func (l *list) End() error {
	l.buf = append(l.buf, "\n]}\n"...)
	return l.flush(true)
}
