package server

import (
	"regexp"
	"strings"
)

// licences are the names of licences in http://dcat-ap.de/def/licenses/ (DCAT-AP.de, list of 31 July 2019), those of data
// first.
var licences = []string{
	"dl-zero-de/2.0", "dl-by-de/2.0", "dl-by-de/1.0", "dl-by-nc-de/1.0", "cc-zero", "ccpdm/1.0",
	"cc-by", "cc-by/4.0", "cc-by-de/3.0", "cc-by-sa", "cc-by-sa/4.0", "cc-by-sa-de/3.0", "cc-by-nd", "cc-by-nd/3.0", "cc-by-nd/4.0", "cc-by-nc", "cc-by-nc/4.0", "cc-by-nc-de/3.0",
	"odbl", "odby", "odcpddl", "geonutz/20130319", "geoNutz/20131001", "officialWork",
	"apache", "bsd", "gfdl", "gpl/3.0", "mozilla", "other-open", "other-closed", "other-commercial", "other-freeware", "other-opensource",
}

// licenceWords are the parts of a licence's name by which people know it elsewhere: SPDX and Creative Commons say CC0-1.0 and
// DL-DE-BY-2.0, GovData dl-de/by-2-0.
var licenceWords = regexp.MustCompile(`[a-z]+|[0-9]+`)

// nearestLicence returns the name of the list that has the most parts of text in common, of those the one that has the fewest
// others, and then the one that is spelled most like it.
func nearestLicence(text string) (best string) {
	text = strings.NewReplacer("cc0", "cc-zero", "odc-odbl", "odbl").Replace(strings.ToLower(text))
	parts := licenceWords.FindAllString(text, -1)
	most := 0
	for _, name := range licences {
		score := 0
		words := map[string]bool{}
		for _, word := range licenceWords.FindAllString(strings.ToLower(name), -1) {
			words[word] = true
		}
		for _, part := range parts {
			switch {
			case words[part] && part > "9": // a name says more than the number of a version
				score += 1000
			case words[part]:
				score += 250
			}
		}
		score -= 100*len(words) + editDistance(text, name)
		if best == "" || score > most {
			best, most = name, score
		}
	}
	return best
}

// geocoding matches keys of administrative areas, below http://dcat-ap.de/def/politicalGeocoding/.
var geocoding = regexp.MustCompile(`^(stateKey/[0-9]{2}|governmentDistrictKey/[0-9]{3}|districtKey/[0-9]{5}|municipalityKey/[0-9]{8}|municipalAssociationKey/[0-9]{9}|regionalKey/[0-9]{12})$`)

// levels are those of administrative areas, below http://dcat-ap.de/def/politicalGeocoding/Level/.
var levels = []string{"municipality", "administrativeDistrict", "state", "federal", "european", "international"}

// highValue are the categories of Implementing Regulation (EU) 2023/138, below http://data.europa.eu/bna/: earth observation and
// environment, geospatial, meteorological, statistics, companies, mobility.
var highValue = []string{"c_dd313021", "c_ac64a52d", "c_164e0bf5", "c_e1da4e07", "c_a9135398", "c_b79e35eb"}
