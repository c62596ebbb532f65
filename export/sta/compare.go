package sta

import (
	"cmp"
	"strings"
	"time"
)

// compare orders two values of one type; false when they have no order. It parses a text compared with a time as a time,
// because clients put times in quotes.
func compare(a, b any) (order int, ok bool) {
	switch a := a.(type) {
	case float64:
		if b, same := b.(float64); same {
			return cmp.Compare(a, b), true
		}
	case string:
		switch b := b.(type) {
		case string:
			return strings.Compare(a, b), true
		case time.Time:
			at, err := parseMoment(a)
			return at.Compare(b), err == nil
		}
	case bool:
		if b, same := b.(bool); same {
			return cmp.Compare(number(a), number(b)), true
		}
	case time.Duration:
		if b, same := b.(time.Duration); same {
			return cmp.Compare(a, b), true
		}
	case time.Time:
		if b, same := b.(time.Time); same {
			return a.Compare(b), true
		}
		if text, quoted := b.(string); quoted {
			at, err := parseMoment(text)
			return a.Compare(at), err == nil
		}
	}
	return 0, false
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// compareForOrder orders any two values for $orderby: missing values come first.
func compareForOrder(a, b any) int {
	a, b = first(a), first(b)
	if a == nil || b == nil {
		return cmp.Compare(number(a != nil), number(b != nil))
	}
	order, ok := compare(a, b)
	if !ok {
		return strings.Compare(typeName(a), typeName(b))
	}
	return order
}

// first returns the first of several values.
func first(v any) any {
	if many, ok := v.(several); ok {
		if len(many) == 0 {
			return nil
		}
		return many[0]
	}
	return v
}
