// Package bilingual holds a text in English and German, the two languages that Stadtluft speaks to people. Every package may
// import it. It knows nothing of what the texts are about, and leaves it to the caller which language a reader gets.
package bilingual

// Text is a text in both languages.
type Text struct {
	EN string `json:"en"`
	DE string `json:"de"`
}

// In returns the text in a language: the German one for "de", the English one for anything else.
func (t Text) In(language string) string {
	if language == "de" {
		return t.DE
	}
	return t.EN
}

// Of returns the text that is en in English and de in German.
func Of(en, de string) Text { return Text{EN: en, DE: de} }
