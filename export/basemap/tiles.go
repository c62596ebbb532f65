package basemap

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
)

// The header of an archive, from PMTiles Version 3 Specification, chapter 3.
const (
	headerBytes = 127
	magic       = "PMTiles"
	version     = 3
	vectorTiles = 1 // tile type: Mapbox Vector Tile
	// rootMost is the largest offset of the root directory's end, so that browsers get it with their first request.
	rootMost = 16384
)

// tileTypes are the names of the tile types, in the specification's order.
var tileTypes = []string{"unknown", "vector", "PNG", "JPEG", "WebP", "AVIF"}

// Tiles is a file of vector tiles in PMTiles, version 3.
type Tiles struct{ path string }

// Open checks the file. It returns an error unless it is a complete archive of vector tiles.
func Open(path string) (*Tiles, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", path)
	}
	header := make([]byte, headerBytes)
	if _, err := io.ReadFull(file, header); err != nil {
		return nil, fmt.Errorf("%s is not PMTiles: it is shorter than the header of %d bytes", path, headerBytes)
	}
	if err := checkHeader(header, uint64(info.Size())); err != nil {
		return nil, fmt.Errorf("%s %w", path, err)
	}
	return &Tiles{path}, nil
}

func checkHeader(header []byte, size uint64) error {
	if string(header[:len(magic)]) != magic {
		return fmt.Errorf("is not PMTiles: it begins with %q", header[:len(magic)])
	}
	if v := header[len(magic)]; v != version {
		return fmt.Errorf("is PMTiles of version %d: version %d is needed, `pmtiles convert` makes it", v, version)
	}
	for i, section := range []string{"root directory", "metadata", "leaf directories", "tiles"} {
		at, length := binary.LittleEndian.Uint64(header[8+16*i:]), binary.LittleEndian.Uint64(header[16+16*i:])
		if at > size || length > size-at {
			return fmt.Errorf("is not whole: its %s end at byte %d, the file at %d", section, at+length, size)
		}
		if i == 0 && at+length > rootMost {
			return fmt.Errorf("is not PMTiles: its root directory ends at byte %d, after %d", at+length, rootMost)
		}
	}
	if kind := int(header[99]); kind != vectorTiles {
		return fmt.Errorf("holds %s tiles: vector tiles (MVT) are needed", tileTypes[min(kind, len(tileTypes)-1)])
	}
	return nil
}

// ServeHTTP serves the file, or the ranges that browsers ask for. A file that replaced it has another ETag, by which
// they notice.
func (t *Tiles) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	file, err := os.Open(t.path)
	if err != nil {
		http.Error(w, "the basemap's tiles are gone", http.StatusNotFound)
		return
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		http.Error(w, "the basemap's tiles cannot be read", http.StatusServiceUnavailable)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/vnd.pmtiles")
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", fmt.Sprintf(`"%x-%x"`, info.ModTime().UnixNano(), info.Size()))
	http.ServeContent(w, r, "", info.ModTime(), file)
}
