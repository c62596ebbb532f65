package basemap

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// maxStyleBytes is the largest size of a style.
const maxStyleBytes = 8 << 20

// Seen is the result of Look.
type Seen struct {
	Layers int
	// Blocked are origins that the style needs and that the pages' policy does not allow, because only the style's own
	// is allowed. Sorted.
	Blocked []string
	// Unreadable reports that its server does not allow pages of other origins to read it.
	Unreadable bool
}

// Look fetches a style as a page of the origin would. It returns an error when the answer is not a style.
func Look(ctx context.Context, address, origin string) (Seen, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return Seen{}, err
	}
	request.Header.Set("Origin", origin)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return Seen{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return Seen{}, fmt.Errorf("%s answers %s", address, response.Status)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxStyleBytes+1))
	if err != nil {
		return Seen{}, fmt.Errorf("read %s: %w", address, err)
	}
	if len(text) > maxStyleBytes {
		return Seen{}, fmt.Errorf("%s is larger than %d bytes", address, maxStyleBytes)
	}
	seen, err := readStyle(text, address)
	allowed := response.Header.Get("Access-Control-Allow-Origin")
	own, _ := Origin(address)
	seen.Unreadable = allowed != "*" && allowed != origin && own != origin
	return seen, err
}

// style holds the members of a style that name other addresses.
type style struct {
	Version int `json:"version"`
	Sources map[string]struct {
		URL   string   `json:"url"`
		Tiles []string `json:"tiles"`
		Data  any      `json:"data"`
	} `json:"sources"`
	Sprite any               `json:"sprite"`
	Glyphs string            `json:"glyphs"`
	Layers []json.RawMessage `json:"layers"`
}

func readStyle(text []byte, address string) (Seen, error) {
	var s style
	if err := json.Unmarshal(text, &s); err != nil {
		return Seen{}, fmt.Errorf("%s is not a style: it is not JSON as the MapLibre Style Specification has it: %w", address, err)
	}
	if s.Version != 8 || len(s.Layers) == 0 {
		return Seen{}, fmt.Errorf("%s is not a style: it has version %d and %d layers, version 8 and at least one are needed", address, s.Version, len(s.Layers))
	}
	own, err := Origin(address)
	if err != nil {
		return Seen{}, err
	}
	seen := Seen{Layers: len(s.Layers)}
	for _, asked := range s.addresses() {
		origin, err := Origin(asked)
		if err == nil && origin != own && !slices.Contains(seen.Blocked, origin) {
			seen.Blocked = append(seen.Blocked, origin)
		}
	}
	slices.Sort(seen.Blocked)
	return seen, nil
}

// addresses returns all addresses in the style, without those in the documents that these lead to.
func (s *style) addresses() []string {
	list := []string{s.Glyphs}
	for _, source := range s.Sources {
		list = append(append(list, source.URL), source.Tiles...)
		if data, ok := source.Data.(string); ok {
			list = append(list, data)
		}
	}
	switch sprite := s.Sprite.(type) {
	case string:
		list = append(list, sprite)
	case []any:
		for _, one := range sprite {
			if fields, ok := one.(map[string]any); ok {
				list = append(list, fmt.Sprint(fields["url"]))
			}
		}
	}
	for i, address := range list {
		// Templates are not addresses until they are filled, and tiles may be in an archive.
		list[i] = strings.TrimPrefix(strings.NewReplacer("{", "", "}", "").Replace(address), "pmtiles://")
	}
	return list
}
