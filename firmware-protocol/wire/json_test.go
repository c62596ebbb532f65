package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// rebuild writes a value from what its methods return.
func rebuild(b *strings.Builder, j JSON) {
	switch {
	case j.IsObject():
		b.WriteByte('{')
		for name, value := range j.Members() {
			text, _ := json.Marshal(name)
			fmt.Fprintf(b, "%s:", text)
			rebuild(b, value)
			b.WriteByte(',')
		}
		b.WriteByte('}')
	case j.IsArray():
		b.WriteByte('[')
		for i, value := range j.Elements() {
			fmt.Fprintf(b, "#%d=", i)
			rebuild(b, value)
			b.WriteByte(',')
		}
		b.WriteByte(']')
	default:
		if text, ok := j.Text(); ok {
			quoted, _ := json.Marshal(text)
			b.Write(quoted)
		} else if n, ok := j.Number(); ok {
			fmt.Fprint(b, n)
		} else {
			b.Write(j.raw)
		}
	}
}

func TestJSON(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		j, refusal := ParseJSON([]byte(text))
		if refusal != nil {
			t.Errorf("ParseJSON(%q): %s", text, refusal.Detail)
			return
		}
		var b strings.Builder
		if rebuild(&b, j); b.String() != want {
			t.Errorf("ParseJSON(%q) shows %s, want %s", text, b.String(), want)
		}
	}
	f(` { } `, `{}`)
	f(`[ ]`, `[]`)
	f(`{"a":1,"a" : 2 , "b":[1 , {"c":null},[]] }`, `{"a":1,"a":2,"b":[#0=1,#1={"c":null,},#2=[],],}`)
	f(`{"PM2.5":"12.3","\u00e4\"":true}`, `{"PM2.5":"12.3","ä\"":true,}`)
	f(`{"a":nan,"b":[-Inf, NaN]}`, `{"a":nan,"b":[#0=-Inf,#1=NaN,],}`)
	f(`"x"`, `"x"`)
	f(`-1.5e3`, `-1500`)
	for _, bad := range []string{"", " ", "{", `{"a"}`, `{"a":1,}`, "[1 2]", "nan", `{"a":01}`, "1 2", strings.Repeat("[", 17) + strings.Repeat("]", 17)} {
		if _, refusal := ParseJSON([]byte(bad)); refusal == nil || refusal.Reason != Malformed {
			t.Errorf("ParseJSON(%q) refuses %+v, want malformed", bad, refusal)
		}
	}
	if _, refusal := ParseJSON(bytes.Repeat([]byte(" "), MaxMessage+1)); refusal == nil || refusal.Reason != TooLarge {
		t.Errorf("a long message is refused as %+v, want too_large", refusal)
	}
	j, _ := ParseJSON([]byte(`{"a":{"b":[1]},"a":2}`))
	if got := j.Member("a").Member("b").String(); got != `"[1]"` {
		t.Errorf("a.b = %s", got)
	}
	if j.Member("c").IsNull() || j.Member("c").IsObject() || (JSON{}).IsArray() {
		t.Error("a missing member is something")
	}
}
