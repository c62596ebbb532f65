package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"stadtluft/export/live"
	"stadtluft/ingest/httpapi"
	"stadtluft/ingest/httpapi/openapi"
)

const (
	heartbeat    = 15 * time.Second
	retryMillis  = 3000
	writeTimeout = 10 * time.Second // for one write; a slower client is disconnected
	streamWrite  = 16 << 10         // bytes, from which on a write has no further events
)

// readingEvent is the data of the event reading: the values of a station.
type readingEvent struct {
	Station string                 `json:"station"`
	Time    string                 `json:"time"`
	Values  map[string]streamValue `json:"values"`
}

// gridEvent is the data of the event grid: the live averages changed.
type gridEvent struct {
	Generated  string `json:"generated"`
	Resolution int32  `json:"resolution"`
	Window     string `json:"window"`
}

// streamSchema returns the schema of the stream: a string of events, each with one of these as its data.
func streamSchema() openapi.Schema {
	data := openapi.Schema{"anyOf": []any{openapi.Ref("ReadingEvent"), openapi.Ref("GridEvent")}}
	return openapi.Schema{"type": "string", "contentMediaType": "text/event-stream", "contentSchema": data}
}

type streamValue struct {
	Value float64  `json:"value"`
	Unit  string   `json:"unit"`
	Flags []string `json:"flags"`
}

// getStream sends readings and changes of the live grid as server-sent events.
func (s *Server) getStream(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	if r.Method == http.MethodHead {
		return nil
	}
	address := httpapi.Address(r)
	if ok, own := s.limits.streams.enter(address); !ok {
		h.Del("X-Accel-Buffering")
		return tooMany(w, own, retryStream, "live streams", "Live-Streams")
	}
	defer s.limits.streams.leave(address)
	subscriber := s.Live.Subscribe()
	defer s.Live.Unsubscribe(subscriber)
	control := http.NewResponseController(w)
	send := func(text []byte) error {
		if err := control.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return err
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
		return control.Flush()
	}
	if err := send(fmt.Appendf(nil, "retry: %d\n\n", retryMillis)); err != nil {
		return err
	}
	var text []byte
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	for {
		var err error
		select {
		case <-r.Context().Done():
			return nil
		case <-s.limits.stopping.Done():
			return nil
		case <-ticker.C:
			err = send([]byte(": still here\n\n"))
		case event, ok := <-subscriber.Events:
			if !ok {
				return nil // too slow: the client connects again
			}
			text = s.appendEvents(text[:0], event, subscriber.Events)
			err = send(text)
		}
		if err != nil {
			return nil // the client has disconnected
		}
	}
}

// appendEvents appends an event, and those that wait behind it, as far as one write has room.
func (s *Server) appendEvents(dst []byte, e live.Event, more <-chan live.Event) []byte {
	for ok := true; ok; {
		dst = append(dst, e.Text(s.event)...)
		if len(dst) >= streamWrite {
			break
		}
		select {
		case e, ok = <-more:
		default:
			ok = false
		}
	}
	return dst
}

// event returns an event as it is sent.
func (s *Server) event(e live.Event) []byte {
	if e.Reading == nil {
		return eventText("grid", gridEvent{e.Grid.Format(time.RFC3339), s.City.Resolution, "live"})
	}
	values := map[string]streamValue{}
	for _, v := range e.Reading.Values {
		values[v.Quantity.String()] = streamValue{v.Value, v.Quantity.Unit(), append([]string{}, v.Flags.Names()...)}
	}
	return eventText("reading", readingEvent{e.Reading.Station, e.Reading.Time.Format(time.RFC3339), values})
}

func eventText(name string, body any) []byte {
	data, err := json.Marshal(body)
	if err != nil {
		data = []byte("{}") // values are finite
	}
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", name, data)
}
