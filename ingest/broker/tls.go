package broker

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// handshakeTime bounds a TLS handshake: until it is over nobody has logged in.
	handshakeTime = 10 * time.Second
	// maxHandshakes bounds the connections whose handshake is under way; further ones wait for a place.
	maxHandshakes = 256
)

// ServeTLS accepts stations over TLS on l until ctx ends, and then closes their connections. It forwards their bytes
// to the plain listener of the same server, which handles log-ins and idle connections.
func (b *Broker) ServeTLS(ctx context.Context, l net.Listener, config *tls.Config) error {
	var connections sync.WaitGroup
	defer connections.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	shaking := make(chan struct{}, maxHandshakes)
	for {
		select {
		case shaking <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		conn, err := l.Accept()
		if err != nil {
			<-shaking
			if ctx.Err() != nil {
				return nil
			}
			b.options.Log.Warn("MQTT over TLS accept failed", "err", err)
			select { // out of file descriptors, most likely
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
			continue
		}
		connections.Go(func() {
			if err := b.relay(ctx, tls.Server(conn, config), func() { <-shaking }); err != nil {
				b.options.Log.Debug("connection over TLS ended", "from", conn.RemoteAddr().String(), "err", err)
			}
		})
	}
}

// relay shakes hands and passes bytes both ways until either side or ctx ends. It calls shaken after the handshake.
func (b *Broker) relay(ctx context.Context, outside *tls.Conn, shaken func()) error {
	defer outside.Close()
	err := shake(ctx, outside)
	shaken()
	if err != nil {
		return fmt.Errorf("TLS handshake: %w", err)
	}
	inside, err := net.Dial("tcp", b.addr)
	if err != nil {
		return fmt.Errorf("reach the broker: %w", err)
	}
	hangUp := func() { inside.Close(); outside.Close() }
	stop := context.AfterFunc(ctx, hangUp)
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { defer hangUp(); io.Copy(inside, outside) })
	both.Go(func() { defer hangUp(); io.Copy(outside, inside) })
	both.Wait()
	return nil
}

func shake(ctx context.Context, conn *tls.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	return conn.HandshakeContext(ctx)
}
