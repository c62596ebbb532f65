package ogc

// text is something in both languages.
type text struct{ en, de string }

func (t text) in(language string) string {
	if language == "de" {
		return t.de
	}
	return t.en
}
