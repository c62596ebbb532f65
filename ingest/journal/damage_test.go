package journal

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"stadtluft/ingest"
)

// stopped stops a server and its journal.
func stopped(s *server.Server, j *Journal) {
	j.Close()
	s.Shutdown()
	s.WaitForShutdown()
}

// folder returns the folder of the journal's stream.
func folder(t *testing.T, dir string) string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", DefaultStream))
	if err != nil || len(list) != 1 {
		t.Fatalf("folders %v, %v", list, err)
	}
	return list[0]
}

// appendFrom appends n readings whose seconds count from a number.
func appendFrom(t testing.TB, j *Journal, from, n int) {
	t.Helper()
	for i := range n {
		b := many(1)
		b.Readings[0].Time = time.Unix(int64(from+i), 0).UTC()
		if err := j.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
}

func span(from, to int) (all []int64) {
	for i := from; i < to; i++ {
		all = append(all, int64(i))
	}
	return all
}

// TestStoreBehind writes to stores at other positions than the last: each gets what it lacks, and only that.
func TestStoreBehind(t *testing.T) {
	j := open(t, startServer(t, t.TempDir()), Options{})
	appendAll(t, j, 100)
	s := new(storeAt)
	if got := writtenTo(t, j, s, 100); !slices.Equal(got, upTo(100)) {
		t.Fatalf("got %v", got)
	}
	full := s.at
	f := func(what string, at ingest.Position, want []int64) {
		t.Helper()
		s := &storeAt{at: at}
		if got := writtenTo(t, j, s, len(want)); !slices.Equal(got, want) || !s.at.Equal(full) {
			t.Errorf("%s: got %v, then at %+v, want %v and %+v", what, got, s.at, want, full)
		}
	}
	f("emptied", ingest.Position{}, upTo(100))
	f("another journal's, further on", ingest.Position{Journal: "another", Seq: 1 << 40, Time: time.Now()}, upTo(100))
	m, err := j.next(t.Context(), 60)
	if err != nil {
		t.Fatal(err)
	}
	f("older", ingest.Position{Journal: full.Journal, Seq: 60, Time: m.Time}, span(60, 100))
	if damage := j.Damage(); len(damage) > 0 {
		t.Errorf("damage %v, want none", damage)
	}
	j.o.Position = (&storeAt{at: full}).position
	if stats, err := j.Stats(t.Context()); err != nil || stats.Written != 100 || stats.Unwritten != 0 {
		t.Errorf("%+v, %v", stats, err)
	}
}

// TestStoreEmptiedMeanwhile empties the store between two batches.
func TestStoreEmptiedMeanwhile(t *testing.T) {
	s := new(storeAt)
	j := open(t, startServer(t, t.TempDir()), Options{Position: s.position})
	appendAll(t, j, 10)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var got []int64
	emptied := false
	err := j.Write(ctx, func(_ context.Context, from, to ingest.Position, b ingest.Batch) error {
		if err := s.advance(from, to); err != nil {
			return err
		}
		if f := j.Filling(); from.Seq == 0 && (f == nil || f.Entries < 10) {
			t.Errorf("at the beginning the store lacks %+v, want all ten", f)
		}
		for _, r := range b.Readings {
			got = append(got, r.Time.Unix())
		}
		if to.Seq == 10 && !emptied {
			emptied, got = true, nil
			s.mu.Lock()
			s.at = ingest.Position{}
			s.mu.Unlock()
			appendFrom(t, j, 10, 1)
		}
		if len(got) >= 11 {
			cancel()
		}
		return nil
	})
	if err != nil || !slices.Equal(got, upTo(11)) {
		t.Errorf("got %v, %v, want all eleven again", got, err)
	}
	if f := j.Filling(); f != nil {
		t.Errorf("still filling: %+v", f)
	}
}

// TestJournalLosesItsEnd starts with a journal without its last entries, of which the store has all: it is noticed, and
// what is appended under the same numbers is stored and followed.
func TestJournalLosesItsEnd(t *testing.T) {
	dir := t.TempDir()
	s, at := startServer(t, dir), new(storeAt)
	j := open(t, s, Options{Position: at.position})
	appendAll(t, j, 60)
	older := t.TempDir()
	stopped(s, j)
	if err := os.CopyFS(filepath.Join(older, "stream"), os.DirFS(folder(t, dir))); err != nil {
		t.Fatal(err)
	}
	s = startServer(t, dir)
	j = open(t, s, Options{Position: at.position})
	appendFrom(t, j, 60, 40)
	writtenTo(t, j, at, 100)
	was := at.at
	stopped(s, j)
	if err := os.RemoveAll(folder(t, dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, "jetstream", "$G", "streams", DefaultStream), os.DirFS(filepath.Join(older, "stream"))); err != nil {
		t.Fatal(err)
	}
	s = startServer(t, dir)
	j = open(t, s, Options{Position: at.position})
	appendFrom(t, j, 200, 50) // another process does, before the writer looks
	if stats, err := j.Stats(t.Context()); err != nil || stats.Written != 60 || stats.Unwritten != 50 {
		t.Errorf("%+v, %v, want 60 written and 50 not", stats, err)
	}
	if got, want := writtenTo(t, j, at, 50), span(200, 250); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	damage := j.Damage()
	if len(damage) != 1 || damage[0].First != 61 || damage[0].Last != 100 || !damage[0].Stored || damage[0].From.After(was.Time) || damage[0].To.Before(was.Time) {
		t.Errorf("damage %+v, want entries 61 to 100", damage)
	}
	if at.at.Seq != 110 || at.at.Journal != was.Journal {
		t.Errorf("the store is at %+v", at.at)
	}
}

// TestALookDuringAppendsIsNoLoss asks for the journal's state while entries are appended: an answer that is older than
// what a follower has got meanwhile says nothing about a loss.
func TestALookDuringAppendsIsNoLoss(t *testing.T) {
	j := open(t, startServer(t, t.TempDir()), Options{})
	rewound := j.rewinds()
	var looking sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		looking.Go(func() {
			for !isClosed(done) {
				if _, err := j.info(t.Context()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	appendAll(t, j, 300)
	close(done)
	looking.Wait()
	if isClosed(rewound) {
		t.Error("followers are told that the journal lost its end")
	}
}

// TestJournalReplacedWhileRunning has another journal under the same name, whose numbers begin again: the follower and
// the writer get everything in it.
func TestJournalReplacedWhileRunning(t *testing.T) {
	at := new(storeAt)
	j := open(t, startServer(t, t.TempDir()), Options{Position: at.position})
	appendAll(t, j, 20)
	writtenTo(t, j, at, 20)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var got []int64
	err := j.Follow(ctx, ingest.Position{}, time.Time{}, func() {}, func(b ingest.Batch) error {
		switch got = append(got, b.Readings[0].Time.Unix()); len(got) {
		case 20:
			if err := errors.Join(j.js.DeleteStream(ctx, j.o.Stream), j.create(ctx)); err != nil {
				return err
			}
			appendFrom(t, j, 100, 2)
		case 22:
			cancel()
		}
		return nil
	})
	if want := append(upTo(20), 100, 101); err != nil || !slices.Equal(got, want) {
		t.Errorf("followed %v, %v, want %v", got, err, want)
	}
	if got := writtenTo(t, j, at, 2); !slices.Equal(got, []int64{100, 101}) || at.at.Seq != 2 {
		t.Errorf("written %v, then at %+v, want both new ones", got, at.at)
	}
}

// TestGap has a journal that lost entries in the middle: some the store has, some nobody has.
func TestGap(t *testing.T) {
	j := open(t, startServer(t, t.TempDir()), Options{})
	appendAll(t, j, 20)
	at := new(storeAt)
	writtenTo(t, j, at, 20)
	appendFrom(t, j, 20, 20)
	for _, seq := range []uint64{5, 6, 7, 30, 31} {
		if err := j.stream.DeleteMsg(t.Context(), seq); err != nil {
			t.Fatal(err)
		}
	}
	want := slices.DeleteFunc(span(20, 40), func(n int64) bool { return n == 29 || n == 30 })
	if got := writtenTo(t, j, at, len(want)); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	damage := j.Damage()
	if len(damage) != 2 || damage[0].Entries() != 3 || !damage[0].Stored || damage[1].First != 30 || damage[1].Last != 31 || damage[1].Stored {
		t.Fatalf("damage %+v, want 5 to 7, which is stored, and 30 to 31, which is not", damage)
	}
	for _, d := range damage {
		if before, after := d.First-1, d.Last+1; !j.at(t, before).Equal(d.From) || !j.at(t, after).Equal(d.To) {
			t.Errorf("%s, want the times of entries %d and %d", d, before, after)
		}
	}
	if text := damage[1].String(); !strings.HasPrefix(text, "2 entries from between 20") {
		t.Errorf("in words: %s", text)
	}
}

// at returns when an entry was appended.
func (j *Journal) at(t *testing.T, seq uint64) time.Time {
	t.Helper()
	m, err := j.next(t.Context(), seq)
	if err != nil || m == nil || m.Sequence != seq {
		t.Fatalf("entry %d: %+v, %v", seq, m, err)
	}
	return m.Time
}

// TestFlippedBytes flips a byte in the middle of the file of unwritten entries: the others are written, and what is gone
// is reported with its time.
func TestFlippedBytes(t *testing.T) {
	dir := t.TempDir()
	s, at := startServer(t, dir), new(storeAt)
	j := open(t, s, Options{Position: at.position})
	appendAll(t, j, 50)
	writtenTo(t, j, at, 50)
	appendFrom(t, j, 50, 50)
	stopped(s, j)
	block := filepath.Join(folder(t, dir), "msgs", "1.blk")
	body, err := os.ReadFile(block)
	if err == nil {
		body[len(body)*8/10] ^= 1
		err = os.WriteFile(block, body, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	j = open(t, startServer(t, dir), Options{Position: at.position})
	appendFrom(t, j, 200, 10)
	got := writtenTo(t, j, at, 40)
	kept := slices.Index(got, 200)
	if kept < 25 || !slices.Equal(got[:kept], span(50, 50+kept)) || !slices.Equal(got[kept:], span(200, 210)) {
		t.Errorf("got %v, want those before the flipped byte and the new ones", got)
	}
	if damage := j.Damage(); len(damage) != 1 || damage[0].Stored || damage[0].Entries() != uint64(50-kept) {
		t.Errorf("damage %+v, want %d entries that nobody has", damage, 50-kept)
	}
}

// TestEarlierConsumer opens a journal that has the consumer of an earlier version, with a broken state.
func TestEarlierConsumer(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, dir)
	j := open(t, s, Options{})
	appendAll(t, j, 3)
	if _, err := j.stream.CreateConsumer(t.Context(), jetstream.ConsumerConfig{Durable: "writer", AckPolicy: jetstream.AckExplicitPolicy}); err != nil {
		t.Fatal(err)
	}
	stopped(s, j)
	state := filepath.Join(folder(t, dir), "obs", "writer", "o.dat")
	if err := os.WriteFile(state, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	j = open(t, startServer(t, dir), Options{})
	if got := written(t, j, 3); !slices.Equal(got, upTo(3)) {
		t.Errorf("got %v", got)
	}
}

// TestBrokenDescription breaks the file in which the server describes the stream: what was not written yet is there.
func TestBrokenDescription(t *testing.T) {
	dir := t.TempDir()
	s, at := startServer(t, dir), new(storeAt)
	j := open(t, s, Options{Position: at.position})
	appendAll(t, j, 50)
	writtenTo(t, j, at, 50)
	appendFrom(t, j, 50, 50)
	stopped(s, j)
	if err := os.WriteFile(filepath.Join(folder(t, dir), "meta.inf"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	j = open(t, startServer(t, dir), Options{Position: at.position})
	if got := writtenTo(t, j, at, 100); !slices.Equal(got, upTo(100)) {
		t.Errorf("got %v, want everything again: it is another journal now", got)
	}
}
