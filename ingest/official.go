package ingest

import "slices"

// The Source of stations whose instruments an authority runs. UBA, NRW and EEA are networks whose interfaces
// are read; Authority is any other, from a table.
const (
	UBA       = "uba"               // Umweltbundesamt, the German Environment Agency
	NRW       = "luftqualitaet-nrw" // LANUK, the environment agency of North Rhine-Westphalia
	EEA       = "eea"               // European Environment Agency
	Authority = "official"
)

var official = []string{UBA, NRW, EEA, Authority}

// IsOfficial reports whether a Source is that of an authority.
func IsOfficial(source string) bool { return slices.Contains(official, source) }

// Official reports whether an authority runs the station's instruments. It is a reference for the city's stations:
// their averages, checks and corrections leave it out, the checks of low-cost sensors leave it alone, and each
// of its values is the mean of the hour that begins at the reading's time.
func (s *Station) Official() bool { return IsOfficial(s.Source) }
