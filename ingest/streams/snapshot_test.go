package streams_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"stadtluft/ingest/natsserver"
	"stadtluft/ingest/streams"
)

// open starts a NATS server with JetStream and connects to it.
func open(t *testing.T) *streams.Conn {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	s, err := natsserver.Start(natsserver.Options{Dir: t.TempDir(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	c, err := streams.Connect("test", "", s.InProcess(), log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func fill(t *testing.T, c *streams.Conn, from, to int) {
	t.Helper()
	for range to - from {
		if _, err := c.JetStream.Publish(t.Context(), "a.b", bytes.Repeat([]byte("x"), 1000)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestARestoredStreamIsTheSame copies a stream that others append to, and that has lost its first and a middle entry, and
// restores it on another server: same sequences, times, name and deployment, and the time at which it was made, which identifies a journal.
func TestARestoredStreamIsTheSame(t *testing.T) {
	c := open(t)
	config := jetstream.StreamConfig{Name: "A", Subjects: []string{"a.>"}, Storage: jetstream.FileStorage}
	s, err := c.Ensure(t.Context(), config, 0, "me")
	if err != nil {
		t.Fatal(err)
	}
	fill(t, c, 0, 500)
	if err := errors.Join(s.DeleteMsg(t.Context(), 1), s.DeleteMsg(t.Context(), 250)); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			c.JetStream.Publish(ctx, "a.c", []byte("meanwhile"))
		}
	}()
	var kept bytes.Buffer
	snapshot, err := c.Snapshot(t.Context(), "A", &kept)
	stop()
	<-ended
	if err != nil || snapshot.State.LastSeq < 500 {
		t.Fatalf("snapshot up to %d: %v", snapshot.State.LastSeq, err)
	}
	other := open(t)
	if err := other.Restore(t.Context(), snapshot, bytes.NewReader(kept.Bytes())); err != nil {
		t.Fatal(err)
	}
	again, err := other.JetStream.Stream(t.Context(), "A")
	if err != nil {
		t.Fatal(err)
	}
	is, was := again.CachedInfo(), s.CachedInfo()
	if !streams.Made(is).Equal(was.Created) || is.State.FirstSeq != 2 || is.State.NumDeleted != 1 || is.Config.Metadata["stadtluft_deployment"] != "me" {
		t.Errorf("restored %+v, was %+v", is, was)
	}
	for _, seq := range []uint64{2, 251, 500, is.State.LastSeq} {
		want, err := s.GetMsg(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		got, err := again.GetMsg(t.Context(), seq)
		if err != nil || !got.Time.Equal(want.Time) || got.Subject != want.Subject || !bytes.Equal(got.Data, want.Data) {
			t.Errorf("entry %d is %v, %v, want %v", seq, got, err, want)
		}
	}
	if err := other.Restore(t.Context(), snapshot, bytes.NewReader(kept.Bytes())); err == nil {
		t.Error("a stream that is there was restored again")
	}
}

// TestAnEmptyStreamIsRestored copies a stream to which nothing was appended, and one of which everything was deleted: it goes on counting.
func TestAnEmptyStreamIsRestored(t *testing.T) {
	c := open(t)
	s, err := c.Ensure(t.Context(), jetstream.StreamConfig{Name: "A", Subjects: []string{"a.>"}, Storage: jetstream.FileStorage}, 0, "me")
	if err != nil {
		t.Fatal(err)
	}
	for _, last := range []uint64{0, 3} {
		fill(t, c, 0, int(last))
		if err := s.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		var kept bytes.Buffer
		snapshot, err := c.Snapshot(t.Context(), "A", &kept)
		if err != nil {
			t.Fatal(err)
		}
		other := open(t)
		if err := other.Restore(t.Context(), snapshot, &kept); err != nil {
			t.Fatal(err)
		}
		if ack, err := other.JetStream.Publish(t.Context(), "a.b", nil); err != nil || ack.Sequence != last+1 {
			t.Errorf("after %d the next is %+v, %v", last, ack, err)
		}
	}
}

// TestADamagedSnapshotIsRefused truncates a snapshot, flips a bit of it, and asks for a stream that is not there.
func TestADamagedSnapshotIsRefused(t *testing.T) {
	c := open(t)
	if _, err := c.Ensure(t.Context(), jetstream.StreamConfig{Name: "A", Subjects: []string{"a.>"}, Storage: jetstream.FileStorage}, 0, "me"); err != nil {
		t.Fatal(err)
	}
	fill(t, c, 0, 100)
	var kept bytes.Buffer
	snapshot, err := c.Snapshot(t.Context(), "A", &kept)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(kept.Bytes())
	flipped[len(flipped)/2] ^= 4
	for name, body := range map[string][]byte{"truncated": kept.Bytes()[:kept.Len()/2], "flipped": flipped, "empty": nil} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		err := open(t).Restore(ctx, snapshot, bytes.NewReader(body))
		if cancel(); err == nil || !strings.HasPrefix(err.Error(), "restore the stream A: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.Snapshot(t.Context(), "B", &kept); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("a stream that is not there: %v", err)
	}
}
