package broker

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coder/websocket"

	"stadtluft/ingest"
)

// TestCloseDoesNotWaitForWebSockets closes while reading pauses from WebSockets whose other end does not answer.
func TestCloseDoesNotWaitForWebSockets(t *testing.T) {
	d := openDoor(t, func(o *Options) { o.Out = make(chan ingest.Message, 3*maxWindow) })
	server := httptest.NewServer(d.WebSocket())
	defer server.Close()
	for i := range 3 {
		ws, _, err := websocket.Dial(t.Context(), server.URL, &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
		if err != nil {
			t.Fatal(err)
		}
		defer ws.CloseNow()
		all := connect311(fmt.Sprint(i), "AAA", "token-AAA")
		for range maxWindow + 1 {
			all = append(all, packet(0x32, text("stadtluft/v1/AAA/reading"), []byte{0, 1}, []byte("x"))...)
		}
		if err := ws.Write(t.Context(), websocket.MessageBinary, all); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "full windows", func() bool { return d.Waiting() == 3*maxWindow })
	start := time.Now()
	d.Close()
	if took := time.Since(start); took > 2*closeTime {
		t.Errorf("Close took %v", took)
	}
}
