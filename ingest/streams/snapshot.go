package streams

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	chunkBytes = 64 << 10         // of a snapshot, in one message
	chunkTime  = 30 * time.Second // longest wait for the next chunk, or for the server's answer to one

	madeTag = "stadtluft_made" // metadata of a restored stream: when the one was made of which it is a copy
)

// Made returns when a stream was made, which tells it from another with the same sequences; of a restored one, when the
// copied one was.
func Made(info *jetstream.StreamInfo) time.Time {
	if made, err := time.Parse(time.RFC3339Nano, info.Config.Metadata[madeTag]); err == nil {
		return made
	}
	return info.Created.UTC()
}

// Snapshot describes a stream's snapshot. The snapshot itself is in the server's own format (ADR-1, JetStream JSON API).
type Snapshot struct {
	Made   time.Time              `json:"made"` // see Made
	Config jetstream.StreamConfig `json:"config"`
	State  jetstream.StreamState  `json:"state"` // when the snapshot was made
}

// Snapshot writes a consistent copy of a stream to w, with everything that was acknowledged before the call. Others may
// use the stream meanwhile. The error is jetstream.ErrStreamNotFound when there is none.
func (c *Conn) Snapshot(ctx context.Context, stream string, w io.Writer) (Snapshot, error) {
	s, err := c.snapshot(ctx, stream, w)
	if err != nil {
		return s, fmt.Errorf("copy the stream %s: %w", stream, err)
	}
	return s, nil
}

func (c *Conn) snapshot(ctx context.Context, stream string, w io.Writer) (s Snapshot, err error) {
	inbox := c.NewRespInbox()
	chunks, err := c.SubscribeSync(inbox)
	if err != nil {
		return s, err
	}
	defer chunks.Unsubscribe()
	there, err := c.JetStream.Stream(ctx, stream)
	if err != nil {
		return s, err
	}
	s.Made = Made(there.CachedInfo())
	asked := map[string]any{"deliver_subject": inbox, "no_consumers": true, "chunk_size": chunkBytes}
	if err := c.ask(ctx, "$JS.API.STREAM.SNAPSHOT."+stream, asked, &s); err != nil {
		return s, err
	}
	for {
		m, err := nextChunk(ctx, chunks)
		if err != nil {
			return s, err
		}
		if len(m.Data) == 0 { // the end
			if status := m.Header.Get("Status"); status != "" && status != "204" {
				return s, errors.New(m.Header.Get("Description"))
			}
			return s, nil
		}
		if _, err := w.Write(m.Data); err != nil {
			return s, err
		}
		if m.Reply != "" {
			if err := m.Respond(nil); err != nil {
				return s, err
			}
		}
	}
}

func nextChunk(ctx context.Context, chunks *nats.Subscription) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, chunkTime)
	defer cancel()
	return chunks.NextMsgWithContext(ctx)
}

// Restore makes a stream from what Snapshot wrote, on a server of its own as one without replicas. There must be none of
// the name. The stream has the entries, sequences and times that it had and is the same to Made, else Restore fails.
func (c *Conn) Restore(ctx context.Context, s Snapshot, from io.Reader) error {
	if c.ConnectedClusterName() == "" {
		s.Config.Replicas = 1
	}
	s.Config.Metadata = maps.Clone(s.Config.Metadata)
	if s.Config.Metadata == nil {
		s.Config.Metadata = map[string]string{}
	}
	s.Config.Metadata[madeTag] = s.Made.Format(time.RFC3339Nano)
	if err := c.restore(ctx, s, from); err != nil {
		return fmt.Errorf("restore the stream %s: %w", s.Config.Name, err)
	}
	return nil
}

func (c *Conn) restore(ctx context.Context, s Snapshot, from io.Reader) error {
	var to struct {
		Subject string `json:"deliver_subject"`
	}
	if err := c.ask(ctx, "$JS.API.STREAM.RESTORE."+s.Config.Name, map[string]any{"config": s.Config, "state": s.State}, &to); err != nil {
		return err
	}
	chunk := make([]byte, chunkBytes)
	for {
		n, err := io.ReadFull(from, chunk)
		if n > 0 {
			if err := c.send(ctx, to.Subject, chunk[:n], nil); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		} else if err != nil {
			return err
		}
	}
	var made struct{ State jetstream.StreamState }
	if err := c.send(ctx, to.Subject, nil, &made); err != nil {
		return err
	}
	if is, was := made.State, s.State; is.LastSeq != was.LastSeq || is.Msgs != was.Msgs || is.Msgs > 0 && is.FirstSeq != was.FirstSeq {
		return fmt.Errorf("it has %d entries from %d to %d, and had %d from %d to %d", is.Msgs, is.FirstSeq, is.LastSeq, was.Msgs, was.FirstSeq, was.LastSeq)
	}
	return nil
}

// ask sends a request to the JetStream API and decodes the answer.
func (c *Conn) ask(ctx context.Context, subject string, request, answer any) error {
	data, err := json.Marshal(request)
	if err != nil {
		return err
	}
	return c.send(ctx, subject, data, answer)
}

// send sends data and decodes the answer, unless that is empty or answer is nil.
func (c *Conn) send(ctx context.Context, subject string, data []byte, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, chunkTime)
	defer cancel()
	got, err := c.RequestWithContext(ctx, subject, data)
	if err != nil || len(got.Data) == 0 {
		return err
	}
	var failed struct {
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(got.Data, &failed); err != nil {
		return err
	}
	if failed.Error != nil {
		return failed.Error
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(got.Data, answer)
}
