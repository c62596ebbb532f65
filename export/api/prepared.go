package api

import (
	"context"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"stadtluft/export"
	"stadtluft/geo/aggregate"
)

const (
	// maxPrepared bounds the bytes of all prepared answers, and mostPrepared their number. Beyond that the one that was
	// asked for longest ago goes.
	maxPrepared, mostPrepared = 64 << 20, 256
	// preparedTime is how long an answer is kept after it was last asked for.
	preparedTime = 10 * time.Second
	// long is the length from which an answer takes so much to make that it stands for longTime, although readings arrive
	// and seconds pass meanwhile.
	long, longTime = 1 << 20, 2 * time.Second
	// minCompressed is the length from which answers are compressed, in bytes.
	minCompressed = 512
)

// prepared answers with what was made for all who ask: once in a second, as live averages are, at once when a station in
// the registry changes, and where latest says so when a reading arrives; a long answer less often. What is made for one
// request alone, such as a period out of the store, goes to other.
type prepared struct {
	server *Server
	make   handler
	other  http.Handler
	latest bool // the answer has stations' latest values, not live averages alone
}

// prepare returns a handler of prepared answers.
func (s *Server) prepare(latest bool, make handler) http.Handler {
	return &prepared{s, make, compress(s.answer(s.tagged(make))), latest}
}

// single are parameters with which an answer is made for one request alone.
var single = []string{"time", "from", "to", "cursor", "limit", "history", "bbox"}

func (p *prepared) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := newQuery(r)
	format := q.Values.Get("format") // json has pages, and Parquet is compressed in itself
	if format == string(export.JSON) || format == string(export.Parquet) || slices.ContainsFunc(single, q.Given) {
		p.other.ServeHTTP(w, r)
		return
	}
	p.server.answer(func(w http.ResponseWriter, r *http.Request) error {
		a, err := p.server.prepared.slot(r.URL.RequestURI()).take(p, r, q)
		if err != nil {
			return err
		}
		return a.send(w, r)
	}).ServeHTTP(w, r)
}

// version tells two states of the data apart.
type version struct {
	second             int64
	registry, readings uint64
}

func (p *prepared) version(q *query, now time.Time) version {
	v := version{second: now.Unix(), registry: p.server.Registry.Version()}
	if p.latest || q.text("window") != aggregate.Live.String() {
		v.readings = p.server.Live.Version()
	}
	return v
}

// slot holds the last answer to a question.
type slot struct {
	making sync.Mutex // held while an answer is made, so that it is made once
	last   atomic.Pointer[preparedAnswer]
	asked  atomic.Int64 // when, Unix nanoseconds

	failed error     // of the last attempt, guarded by making
	tried  time.Time // when that was begun, guarded by making
}

// take returns the answer, which it makes unless the last one stands or was begun after the request came. An error is not kept, but
// shared by those who wait for it.
func (o *slot) take(p *prepared, r *http.Request, q *query) (*preparedAnswer, error) {
	came := time.Now()
	o.asked.Store(came.UnixNano())
	if a := o.last.Load(); a.stands(p.version(q, came), came) {
		return a, nil
	}
	o.making.Lock()
	defer o.making.Unlock()
	begin := time.Now()
	v, length := p.version(q, begin), 0
	if a := o.last.Load(); a.stands(v, begin) || a != nil && a.begun.After(came) {
		return a, nil
	} else if a != nil {
		length = len(a.plain.bytes)
	}
	if o.failed != nil && o.tried.After(came) {
		return nil, o.failed
	}
	a, err := p.answer(r, length)
	if o.failed, o.tried = err, begin; err != nil {
		return nil, err
	}
	a.version, a.begun = v, begin
	if len(a.plain.bytes) >= long {
		a.until = time.Now().Add(longTime)
	}
	o.last.Store(a)
	p.server.prepared.makeRoom()
	return a, nil
}

// preparedAnswer is an answer as bytes.
type preparedAnswer struct {
	version version
	begun   time.Time
	until   time.Time // stands until then whatever readings arrive; zero for a short one
	tag     string
	since   time.Time
	plain   packed
	gzip    packed
	zstd    packed
}

// packed are the bytes of an answer in an encoding, and the headers that go with them.
type packed struct {
	once   sync.Once
	bytes  []byte
	header http.Header
	size   atomic.Int64 // of bytes, for those who have not made them
}

// stands reports whether an answer may still be given.
func (a *preparedAnswer) stands(v version, now time.Time) bool {
	if a == nil || a.version.registry != v.registry {
		return false
	}
	return a.version == v || now.Before(a.until)
}

// answer makes an answer of about the given length.
func (p *prepared) answer(r *http.Request, length int) (*preparedAnswer, error) {
	whole := &whole{header: http.Header{}, body: make([]byte, 0, length+length/16)}
	question := r.WithContext(context.WithoutCancel(r.Context())) // others wait for it too
	question.Method = http.MethodGet
	if err := p.make(whole, question); err != nil {
		return nil, err
	}
	a := &preparedAnswer{tag: tagOf(whole.body)}
	a.since = p.server.changes.since(r.URL.RequestURI(), a.tag, time.Now())
	whole.header.Set("ETag", a.tag)
	if !a.since.After(time.Now()) {
		whole.header.Set("Last-Modified", a.since.Format(http.TimeFormat))
	}
	whole.header.Set("Vary", "Accept-Encoding")
	a.plain.set(whole.body, whole.header, "")
	return a, nil
}

func (e *packed) set(body []byte, header http.Header, encoding string) {
	e.bytes, e.header = body, maps.Clone(header)
	e.header.Set("Content-Length", strconv.Itoa(len(body)))
	if encoding != "" {
		e.header.Set("Content-Encoding", encoding)
	}
	e.size.Store(int64(len(body)))
}

// send answers a request.
func (a *preparedAnswer) send(w http.ResponseWriter, r *http.Request) error {
	if known(r, a.tag, a.since) {
		maps.Copy(w.Header(), a.plain.header)
		w.Header().Del("Content-Length")
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	e := a.accepted(r)
	maps.Copy(w.Header(), e.header)
	if r.Method == http.MethodHead {
		return nil
	}
	join(r, len(e.bytes))
	_, err := w.Write(e.bytes)
	return err
}

// accepted returns the answer in the best encoding that a client accepts; it is made when it is first asked for.
func (a *preparedAnswer) accepted(r *http.Request) *packed {
	asked := strings.Join(r.Header["Accept-Encoding"], ",")
	switch {
	case len(a.plain.bytes) < minCompressed:
	case accepts(asked, "zstd"):
		return a.packed(&a.zstd, "zstd", func(body []byte) []byte { return zstandard.EncodeAll(body, nil) })
	case accepts(asked, "gzip"):
		return a.packed(&a.gzip, "gzip", gzipped)
	}
	return &a.plain
}

// packed returns the answer in an encoding.
func (a *preparedAnswer) packed(e *packed, encoding string, pack func([]byte) []byte) *packed {
	e.once.Do(func() { e.set(pack(a.plain.bytes), a.plain.header, encoding) })
	return e
}

// accepts reports whether a header Accept-Encoding names an encoding (RFC 9110, section 12.5.3), and not with weight 0.
func accepts(header, encoding string) bool {
	for one := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(one, ";")
		if strings.EqualFold(strings.TrimSpace(name), encoding) {
			number, weighted := strings.CutPrefix(strings.ToLower(strings.TrimSpace(weight)), "q=")
			q, err := strconv.ParseFloat(number, 64)
			return !weighted || err == nil && q > 0
		}
	}
	return false
}

// zstandard is safe for concurrent use.
var zstandard = func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault))
	if err != nil {
		panic(err) // its options are constants
	}
	return e
}()

func gzipped(body []byte) []byte {
	var out whole
	z, _ := gzip.NewWriterLevel(&out, gzip.DefaultCompression) // the level is valid
	_, _ = z.Write(body)                                       // out takes everything
	_ = z.Close()
	return out.body
}

// whole collects an answer.
type whole struct {
	header http.Header
	body   []byte
}

func (o *whole) Header() http.Header { return o.header }
func (o *whole) WriteHeader(int)     {}
func (o *whole) Write(b []byte) (int, error) {
	o.body = append(o.body, b...)
	return len(b), nil
}

// preparedAnswers holds the slots by address. The zero value is ready.
type preparedAnswers struct {
	mu    sync.RWMutex // guards below
	slots map[string]*slot
	timer bool // whether forget is going to run
}

// slot returns the slot of an address.
func (k *preparedAnswers) slot(address string) *slot {
	k.mu.RLock()
	o := k.slots[address]
	k.mu.RUnlock()
	if o != nil {
		return o
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if o = k.slots[address]; o == nil {
		if k.slots == nil {
			k.slots = map[string]*slot{}
		}
		o = &slot{}
		o.asked.Store(time.Now().UnixNano())
		k.slots[address] = o
		k.tidy()
	}
	if !k.timer {
		k.timer = true
		time.AfterFunc(preparedTime, k.forget)
	}
	return o
}

// forget lets answers go that nobody has asked for lately.
func (k *preparedAnswers) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	before := time.Now().Add(-preparedTime).UnixNano()
	maps.DeleteFunc(k.slots, func(_ string, o *slot) bool { return o.asked.Load() < before })
	if k.timer = len(k.slots) > 0; k.timer {
		time.AfterFunc(preparedTime, k.forget)
	}
}

// makeRoom lets answers go that are too many.
func (k *preparedAnswers) makeRoom() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tidy()
}

// tidy lets answers go that are too many, down to the one that was asked for last. It needs mu.
func (k *preparedAnswers) tidy() {
	var bytes int64
	for _, o := range k.slots {
		bytes += o.size()
	}
	for len(k.slots) > 1 && (bytes > maxPrepared || len(k.slots) > mostPrepared) {
		oldest, at := "", int64(math.MaxInt64)
		for address, o := range k.slots {
			if asked := o.asked.Load(); asked < at {
				oldest, at = address, asked
			}
		}
		bytes -= k.slots[oldest].size()
		delete(k.slots, oldest)
	}
}

// size returns how many bytes the slot holds.
func (o *slot) size() int64 {
	a := o.last.Load()
	if a == nil {
		return 0
	}
	return a.plain.size.Load() + a.gzip.size.Load() + a.zstd.size.Load()
}
