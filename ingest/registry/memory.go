package registry

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"stadtluft/ingest"
)

// memory is the registry in memory. Its stations are never changed, only replaced. The zero value is empty.
type memory struct {
	mu        sync.RWMutex // guards what follows
	byID      map[string]entry
	sorted    []*ingest.Station          // by id
	asking    map[string]struct{}        // of those, the ids of stations that ask for something, see entry.asks
	byDevice  map[ingest.Device][]string // folded, to the ids of stations that name it
	revisions map[string]uint64          // of each key, also of removed ones
	admin     string                     // hash of the administrator's token
	last      uint64                     // the highest revision
	bucket    time.Time                  // when the bucket was made that has the revisions
	zones     map[string]*time.Location
	version   uint64 // how often a station was replaced
}

// entry is a station in memory; the zero value is none.
type entry struct {
	station  *ingest.Station
	record   *record
	data     []byte // the record as in the bucket
	revision uint64
}

// same compares what other packages act upon.
func (e entry) same(o entry) bool {
	a, b := e.station, o.station
	if a == nil || b == nil {
		return a == b
	}
	return e.record.Token == o.record.Token && e.record.Manage == o.record.Manage && a.Status == b.Status && a.Name == b.Name &&
		len(a.Places) == len(b.Places) && slices.Equal(a.Devices, b.Devices)
}

// asks reports whether somebody looks for the station every few seconds: it has a recomputation or notices.
func (e entry) asks() bool { return !e.record.Recompute.IsZero() || e.record.Notices != nil }

// changes returns how often a station was replaced.
func (m *memory) changes() uint64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.version
}

func (m *memory) entry(id string) (entry, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	e, ok := m.byID[id]
	return e, ok
}

func (m *memory) stations() []*ingest.Station {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Clone(m.sorted)
}

// device returns the entries of the stations that name a device.
func (m *memory) device(d ingest.Device) []entry {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var list []entry
	for _, id := range m.byDevice[d.Folded()] {
		list = append(list, m.byID[id])
	}
	return list
}

func (m *memory) administrator() string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.admin
}

// entries returns every station's entry, sorted by id.
func (m *memory) entries() []entry {
	m.mu.RLock()
	defer m.mu.RUnlock()
	list := make([]entry, len(m.sorted))
	for i, st := range m.sorted {
		list[i] = m.byID[st.ID]
	}
	return list
}

// askingEntries returns the entries of stations that ask for something, sorted by id. They are few, so that looking for them
// costs nothing.
func (m *memory) askingEntries() []entry {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var list []entry
	for _, id := range slices.Sorted(maps.Keys(m.asking)) {
		list = append(list, m.byID[id])
	}
	return list
}

// head returns the first line of a snapshot, without its deployment and the number of stations.
func (m *memory) head() header {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return header{Bucket: m.bucket, Revision: m.last, Admin: m.admin}
}

// advance takes the revision of a key, unless the memory has that or a later one, and returns the one before.
func (m *memory) advance(key string, revision uint64) (before uint64, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before = m.revisions[key]
	if revision <= before {
		return before, false
	}
	if m.revisions == nil {
		m.revisions = map[string]uint64{}
	}
	m.revisions[key], m.last = revision, max(m.last, revision)
	return before, true
}

// of makes the memory one of the bucket that was made at a time. One that was made again has other revisions.
func (m *memory) of(bucket time.Time) (another bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bucket.Equal(bucket) {
		return false
	}
	m.revisions, m.last, m.bucket = nil, 0, bucket
	return true
}

func (m *memory) setAdmin(hash string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.admin = hash
}

// set replaces a station, and removes it for an entry without one. It returns the former entry.
func (m *memory) set(id string, e entry) (before entry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byID == nil {
		m.byID, m.byDevice, m.asking = map[string]entry{}, map[ingest.Device][]string{}, map[string]struct{}{}
	}
	m.version++
	before = m.byID[id]
	delete(m.asking, id)
	if before.station != nil {
		for _, d := range before.station.Devices {
			left := slices.DeleteFunc(m.byDevice[d.Folded()], func(one string) bool { return one == id })
			if m.byDevice[d.Folded()] = left; len(left) == 0 {
				delete(m.byDevice, d.Folded())
			}
		}
	}
	i, found := slices.BinarySearchFunc(m.sorted, id, func(st *ingest.Station, id string) int { return strings.Compare(st.ID, id) })
	switch {
	case e.station == nil && !found:
		return before
	case e.station == nil:
		m.sorted = slices.Delete(m.sorted, i, i+1)
		delete(m.byID, id)
		return before
	case found:
		m.sorted[i] = e.station
	default:
		m.sorted = slices.Insert(m.sorted, i, e.station)
	}
	m.byID[id] = e
	if e.asks() {
		m.asking[id] = struct{}{}
	}
	for _, d := range e.station.Devices {
		m.byDevice[d.Folded()] = append(m.byDevice[d.Folded()], id)
	}
	return before
}

// location returns a time zone; one that is not known is nil, which is UTC.
func (m *memory) location(zone string) *time.Location {
	m.mu.Lock()
	defer m.mu.Unlock()
	known, ok := m.zones[zone]
	if !ok {
		known, _ = time.LoadLocation(zone)
		if m.zones == nil {
			m.zones = map[string]*time.Location{}
		}
		m.zones[zone] = known
	}
	return known
}
