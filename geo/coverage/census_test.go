package coverage

import (
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"

	"stadtluft/geo"
)

// The corner of cell(0, 0) is N 3096000, E 4107000.
var twoCells = []geo.Cell{cell(0, 0), cell(0, 1)}

func TestReadPeople(t *testing.T) {
	f := func(text string, want map[geo.Cell]int) {
		t.Helper()
		got, err := ReadPeople(strings.NewReader(text), twoCells)
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("ReadPeople(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	type m = map[geo.Cell]int
	both := m{cell(0, 0): 1840, cell(0, 1): 7}
	// Census of 2022.
	f("GITTER_ID_1km;x_mp_1km;y_mp_1km;Einwohner\n"+
		"CRS3035RES1000mN3096000E4107000;4107500;3096500;1840\n"+
		"CRS3035RES1000mN3096000E4108000;4108500;3096500;7\n"+
		"CRS3035RES1000mN2689000E4337000;4337500;2689500;4\n", both)
	// Census of 2011: short codes, −1 for uninhabited or withheld.
	f("\"Gitter_ID_1km\";\"x_mp_1km\";\"y_mp_1km\";\"Einwohner\"\r\n\"1kmN3096E4107\";4107500;3096500;1840\r\n\"1kmN3096E4108\";4108500;3096500;-1\r\n", m{cell(0, 0): 1840})
	f("\ufeffINHABITANTS,ID\n1840,1kmN3096E4107\n7,1kmN3096E4108\n", both)
	f("1kmN3096E4107;1840\n1kmN3096E4108;7\n", both)
	f("where,how many\n1kmN3096E4107,1840\n1kmN3096E4108,\n", m{cell(0, 0): 1840})
	f("id;GITTER_ID_1km;Einwohner;Alter\n1;1kmN3096E4107; 1840 ;44,5\n2;1kmN3096E4108;–;-\n", m{cell(0, 0): 1840})
	// Parts are added up, and the finest code counts.
	f("GITTER_ID_100m;GITTER_ID_1km;Einwohner\n"+
		"CRS3035RES100mN3096000E4107000;CRS3035RES1000mN3096000E4107000;4\n"+
		"CRS3035RES100mN3096900E4107900;CRS3035RES1000mN3096000E4107000;5\n"+
		"CRS3035RES100mN3096900E4108000;CRS3035RES1000mN3096000E4108000;-\n"+
		"CRS3035RES100mN3097000E4107000;CRS3035RES1000mN3097000E4107000;9\n", m{cell(0, 0): 9})
	// 0 is a number; the result of withheld numbers alone has no cell.
	f("c;n\n1kmN3096E4107;0\n1kmN3096E4108;-1\n", m{cell(0, 0): 0})
	f("c;n\n1kmN3096E4107;-1\n", m{})
}

func TestReadPeopleRefuses(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		got, err := ReadPeople(strings.NewReader(text), twoCells)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ReadPeople(%q) = %v, %v, want an error with %q", text, got, err, want)
		}
	}
	f("", "census table: it is empty")
	f("GITTER_ID_1km;Einwohner\n", "none of its cells lies in the city")
	f("c;n\n1kmN2689E4337;4\n", "none of its cells lies in the city")
	f("GITTER_ID_1km;Einwohner\nhere;4\n", "line 2: no cell code")
	f("c;n\n1kmN3096E4107;4\nthere;5\n", `line 3: cell "there"`)
	f("c;n\n1kmN3096E4107;many\n", `line 2: inhabitants "many"`)
	f("c;n\n1kmN3096E4107;-2\n", `line 2: inhabitants "-2"`)
	f("c;n\n1kmN3096E4107;10000001\n", "line 2: inhabitants")
	f("c;n\n1kmN2689E4337;4.5\n", `line 2: inhabitants "4.5"`)
	f("c;n\n1kmN3096E4107;4\n1kmN3096E4107;5\n", "line 3: cell CRS3035RES1000mN3096000E4107000 is there already")
	f("c;n\n1kmN3096E4107;4\n\n1kmN3096E4108\n", "line 4: wrong number of fields")
	f("c;n\n100mN30960E41070;4\n1kmN3096E4107;4\n", "line 3: cell CRS3035RES1000mN3096000E4107000 has another size")
	f("c;n\n2kmN1548E2053;4\n", "line 2: cells of 2000 m are no parts of the city's cells of 1000 m")
	f("c;x;y\n1kmN3096E4107;1;2\n", "no column is called one of einwohner, inhabitants")
	f("1kmN3096E4107;1;2\n", "no column is called one of einwohner, inhabitants")
	if _, err := ReadPeople(strings.NewReader("c;n\n1kmN3096E4107;4\n"), nil); err == nil {
		t.Error("a city without cells is no error")
	}
}

// endless repeats a line without end.
type endless struct {
	line string
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.line[e.at:])
	e.at = (e.at + n) % len(e.line)
	return n, nil
}

func TestReadPeopleIsBounded(t *testing.T) {
	line := "1kmN2689E4337;4;" + strings.Repeat(" ", 4000) + "\n"
	r := io.MultiReader(strings.NewReader("c;Einwohner;x\n"), &endless{line: line})
	if _, err := ReadPeople(r, twoCells); err == nil || !strings.Contains(err.Error(), "larger than 268435456 bytes") {
		t.Errorf("an endless table: %v", err)
	}
}

func FuzzReadPeople(f *testing.F) {
	f.Add("GITTER_ID_1km;x_mp_1km;y_mp_1km;Einwohner\nCRS3035RES1000mN3096000E4107000;4107500;3096500;1840\n")
	f.Add("INHABITANTS,ID\n1840,1kmN3096E4107\n-1,1kmN3096E4108\n")
	f.Add("\ufeff\"c\";\"n\"\r\n100mN30960E41070;4\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		people, err := ReadPeople(strings.NewReader(text), twoCells)
		if err != nil {
			return
		}
		written := "c;n\n1kmN2689E4337;-1\n" // a table needs no inhabited cell, but one in the city
		for _, c := range twoCells {
			if n, ok := people[c]; ok {
				written += fmt.Sprintf("%s;%d\n", c.Short(), min(n, maxInhabitants))
			} else {
				written += fmt.Sprintf("%v;-1\n", c)
			}
		}
		again, err := ReadPeople(strings.NewReader(written), twoCells)
		if err != nil || len(again) != len(people) {
			t.Errorf("%q gave %v, written again %v, %v", text, people, again, err)
		}
	})
}
