package simulation

import (
	"context"
	"fmt"

	"stadtluft/geo"
	"stadtluft/ingest"
	"stadtluft/ingest/mqtt"
	"stadtluft/ingest/registry"
)

// Register registers the stations of a simulated city, as demo stations, with fresh tokens. With the same seed it finds
// the stations of an earlier run by their names. root is the first level of topics at the broker.
func Register(ctx context.Context, r *registry.Registry, boundary *geo.Boundary, broker, root string, seed uint64, n int) (*Run, error) {
	city, stations := New(seed, boundary, n)
	known := map[string]*ingest.Station{}
	for _, s := range r.Stations() {
		if s.Demo && s.Status == ingest.Active {
			known[s.Name] = s
		}
	}
	senders := make([]Sender, n)
	for i := range stations {
		id, token, err := demoStation(ctx, r, known[stations[i].Name], &stations[i])
		if err != nil {
			return nil, fmt.Errorf("register simulated station %q: %w", stations[i].Name, err)
		}
		senders[i] = mqtt.NewSender(broker, root, id, token)
	}
	return &Run{
		City: city, Stations: stations, Every: Every,
		Dial: func(s *Station) Sender { return senders[s.Index] },
	}, nil
}

func demoStation(ctx context.Context, r *registry.Registry, known *ingest.Station, s *Station) (id, token string, err error) {
	if known != nil {
		token, err = r.Rotate(ctx, known.ID, registry.Shell)
		return known.ID, token, err
	}
	credentials, _, err := r.Add(ctx, registry.Registration{
		Name: s.Name, Point: s.Point, Kit: Kit, Height: &s.Height, Exposure: ingest.Outdoor,
		Demo: true, LicenceConsent: true,
	})
	return credentials.ID, credentials.Token, err
}
