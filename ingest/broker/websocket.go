package broker

import (
	"net"
	"net/http"

	"github.com/coder/websocket"

	"stadtluft/ingest/httpapi"
)

// WebSocket returns the handler of MQTT over WebSocket, for dashboards in browsers (MQTT 3.1.1, 6). A page of any origin
// may connect: a browser adds no log-in of its own.
func (b *Broker) WebSocket() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
			Subprotocols: []string{"mqtt", "mqttv3.1"}, InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled,
		})
		if err != nil {
			return // Accept has answered
		}
		ws.SetReadLimit(maxPacket)
		b.serve(webConn{websocket.NetConn(r.Context(), ws, websocket.MessageBinary), ws}, httpapi.Address(r))
	})
}

// webConn is a WebSocket as a connection. Its Close does not block: that of websocket waits up to ten seconds for the
// client's answer.
type webConn struct {
	net.Conn
	ws *websocket.Conn
}

func (c webConn) Close() error { return c.ws.CloseNow() }
