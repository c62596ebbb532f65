package stations

import (
	"net/http"

	"github.com/paulmach/orb"

	"stadtluft/geo"
	"stadtluft/ingest/httpapi"
)

// position is a place in a request's body, in degrees.
type position struct {
	Lon *float64 `json:"lon"`
	Lat *float64 `json:"lat"`
}

// point returns the place, or an error when a coordinate is missing.
func (p position) point() (orb.Point, error) {
	if p.Lon == nil || p.Lat == nil {
		return orb.Point{}, httpapi.New(http.StatusUnprocessableEntity, "lon, lat", "lon and lat: say where the station stands, in degrees").
			InGerman("lon und lat: Sag in Grad, wo die Station steht.")
	}
	return orb.Point{*p.Lon, *p.Lat}, nil
}

// lonLat is a place in an answer, in degrees.
type lonLat struct {
	Lon float64 `json:"lon"`
	Lat float64 `json:"lat"`
}

// postCell answers with the 100 m cell that would be public for a place, and with the problem of a place where no
// station can stand. It stores nothing, and is not a GET, because proxies log addresses.
func (s *Service) postCell(w http.ResponseWriter, r *http.Request) error {
	var ask position
	if err := httpapi.ReadJSON(w, r, &ask); err != nil {
		return err
	}
	p, err := ask.point()
	if err != nil {
		return err
	}
	if err := s.registry.CheckPlace(p); err != nil {
		return err
	}
	cell, err := geo.CellAt(p, geo.BaseSize)
	if err != nil {
		return err
	}
	at := geo.Published(cell.Center())
	w.Header().Set("Cache-Control", "no-store")
	return httpapi.JSON(w, http.StatusOK, geoJSON, cellFeature{
		"Feature", cell.String(), polygon{"Polygon", cell.Polygon()}, cellProperties{cell.String(), lonLat{at[0], at[1]}, s.boundary.Contains(p)},
	})
}

// cellFeature is the public cell of a place.
type cellFeature struct {
	Type       string         `json:"type" enum:"Feature"`
	ID         string         `json:"id"`
	Geometry   polygon        `json:"geometry"`
	Properties cellProperties `json:"properties"`
}

type polygon struct {
	Type        string      `json:"type" enum:"Polygon"`
	Coordinates orb.Polygon `json:"coordinates"`
}

type cellProperties struct {
	Cell string `json:"cell"`
	lonLat
	Within bool `json:"within"` // of the city
}
