package ingest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"stadtluft/firmware-protocol/bilingual"
	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

// Words returns what became of a contact, as the rest of a sentence that says when and how it came.
func (c Contact) Words() bilingual.Text {
	names, other := c.unknown()
	switch {
	case c.Taken && len(c.Refusals) > 0:
		return bilingual.Of("values taken, a part of the message refused", "Werte übernommen, ein Teil der Nachricht abgewiesen")
	case c.Taken:
		return bilingual.Of("values taken", "Werte übernommen")
	case other != "":
		why := other.Explain()
		return bilingual.Of("nothing usable. "+why.English, "nichts Brauchbares. "+why.German)
	case len(names) > 0:
		text := UnknownNames(names)
		return bilingual.Of("nothing usable: unknown names "+text.EN, "nichts Brauchbares: unbekannte Namen "+text.DE)
	}
	return bilingual.Of("a message without values", "eine Nachricht ohne Werte")
}

// unknown returns a contact's names that are no quantities, and the first reason to refuse something for which a name is
// not the cause; empty when there is none.
func (c Contact) unknown() (names []string, other wire.Reason) {
	names = append(names, c.Ignored...)
	for _, r := range c.Refusals {
		if r.Reason != wire.UnknownMember {
			return nil, r.Reason
		}
		if _, name, inArray := strings.Cut(r.Field, "]."); inArray {
			r.Field = name
		}
		names = append(names, cmp.Or(r.Field, hiddenName))
	}
	return names, ""
}

// UnknownNames lists names, each with the quantity that was probably meant. Several for one quantity ask which of them it
// is, because none of them was taken for that reason.
func UnknownNames(names []string) bilingual.Text {
	var order []quantity.Quantity // 0 for names without one
	groups := map[quantity.Quantity][]string{}
	for _, name := range names {
		q, _ := wire.Meant(name)
		if groups[q] == nil {
			order = append(order, q)
		}
		if quoted := strconv.QuoteToGraphic(name); !slices.Contains(groups[q], quoted) {
			groups[q] = append(groups[q], quoted)
		}
	}
	var text bilingual.Text
	for i, q := range order {
		if i > 0 {
			text.EN, text.DE = text.EN+"; ", text.DE+"; "
		}
		list, en, de := strings.Join(groups[q], ", "), "", ""
		switch {
		case q == 0:
		case len(groups[q]) == 1:
			en, de = fmt.Sprintf(", did you mean %q?", q), fmt.Sprintf(", meintest du %q?", q)
		default:
			en, de = fmt.Sprintf(", which of them is %q?", q), fmt.Sprintf(", welcher davon ist %q?", q)
		}
		text.EN, text.DE = text.EN+list+en, text.DE+list+de
	}
	return text
}
