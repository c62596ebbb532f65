package api

import (
	"context"
	"net"
	"net/http"
)

// serverBuffer is the size of net/http's write buffer of a connection, in bytes.
const serverBuffer = 4 << 10

// joiningListener accepts connections of TCP as joinedConn.
type joiningListener struct{ net.Listener }

func (l joiningListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		return &joinedConn{TCPConn: tcp, address: addressOf(tcp)}, nil
	}
	return c, err
}

// joinedConn sends the headers of an answer and its body with one system call where join asks for that. net/http writes the
// first serverBuffer bytes of a long answer by themselves. Only the goroutine that serves the connection writes.
type joinedConn struct {
	*net.TCPConn
	address string // of the other side, as addressOf returns it
	holds   bool   // the next write waits for the one after it
	held    []byte // of the write that waits
	parts   [2][]byte
}

func (c *joinedConn) Write(p []byte) (int, error) {
	if c.holds {
		c.holds, c.held = false, append(c.held, p...)
		return len(p), nil
	}
	if len(c.held) == 0 {
		return c.TCPConn.Write(p)
	}
	c.parts = [2][]byte{c.held, p}
	both, before := net.Buffers(c.parts[:]), len(c.held)
	n, err := both.WriteTo(c.TCPConn)
	c.held, c.parts = c.held[:0], [2][]byte{}
	return max(0, int(n)-before), err
}

type joinedKey struct{}

// withConn is for http.Server's ConnContext.
func withConn(ctx context.Context, c net.Conn) context.Context {
	if joined, ok := c.(*joinedConn); ok {
		return context.WithValue(ctx, joinedKey{}, joined)
	}
	return ctx
}

// join has the headers of an answer sent with its body, which is written next, of the given length. A body of serverBuffer
// or more makes net/http write at least twice: the headers are not empty. Over TLS, HTTP/2 or a middleware's connection it does nothing.
func join(r *http.Request, length int) {
	if c, ok := r.Context().Value(joinedKey{}).(*joinedConn); ok && length >= serverBuffer {
		c.holds = true
	}
}
