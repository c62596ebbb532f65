package main

import (
	"bufio"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/signal"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"syscall"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

const (
	// asSubscriber is the environment variable that makes the test binary run as a subscriber that throws all away: its
	// kind, a broker's address and the number of messages.
	asSubscriber = "STADTLUFT_TEST_AS_SUBSCRIBER"
	// asProfile is the environment variable that makes the program write a profile to a file, between two SIGUSR1.
	asProfile = "STADTLUFT_TEST_PROFILE"
)

// runSubscriber subscribes as a program with paho does, and says on its output when it has and when all have come.
func runSubscriber(text string) {
	var kind, addr string
	var want int64
	if _, err := fmt.Sscan(text, &kind, &addr, &want); err != nil {
		panic(err)
	}
	var come atomic.Int64
	options := mqtt.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("bare").SetProtocolVersion(4)
	if kind == "buffered" {
		options.SetCustomOpenConnectionFn(func(broker *url.URL, _ mqtt.ClientOptions) (net.Conn, error) {
			c, err := net.Dial("tcp", broker.Host)
			if err != nil {
				return nil, err
			}
			return &bufferedConn{Conn: c, in: bufio.NewReaderSize(c, 64<<10)}, nil
		})
	}
	client := mqtt.NewClient(options)
	for _, step := range []func() mqtt.Token{client.Connect, func() mqtt.Token {
		return client.Subscribe("stadtluft/v1/+/reading", 1, func(mqtt.Client, mqtt.Message) {
			if come.Add(1) == want {
				fmt.Println("all have come")
			}
		})
	}} {
		if token := step(); token.Wait() && token.Error() != nil {
			panic(token.Error())
		}
	}
	fmt.Println("subscribed")
	select {} // until it is killed
}

// bufferedConn reads ahead, and writes what has gathered with one system call, as our own connection does.
type bufferedConn struct {
	net.Conn
	in *bufio.Reader

	mu      sync.Mutex // guards what follows
	unsent  []byte
	sending bool
}

func (c *bufferedConn) Read(p []byte) (int, error) { return c.in.Read(p) }

func (c *bufferedConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unsent = append(c.unsent, p...)
	if !c.sending {
		c.sending = true
		go c.send()
	}
	return len(p), nil
}

func (c *bufferedConn) send() {
	var taken []byte
	for {
		c.mu.Lock()
		c.unsent, taken = taken[:0], c.unsent
		c.sending = len(taken) > 0
		c.mu.Unlock()
		if len(taken) == 0 {
			return
		}
		if _, err := c.Conn.Write(taken); err != nil {
			panic(err)
		}
	}
}

// profiled starts writing a profile at the first SIGUSR1 and ends it at the second.
func profiled() {
	path := os.Getenv(asProfile)
	os.Unsetenv(asProfile) // it is not a setting
	if path == "" {
		return
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGUSR1)
	go func() {
		for range signals {
			file, err := os.Create(path + ".part")
			if err != nil {
				panic(err)
			}
			if err := pprof.StartCPUProfile(file); err != nil {
				panic(err)
			}
			<-signals
			pprof.StopCPUProfile()
			file.Close()
			heap, err := os.Create(path + ".heap")
			if err != nil {
				panic(err)
			}
			_ = pprof.Lookup("heap").WriteTo(heap, 0)
			heap.Close()
			_ = os.Rename(path+".part", path)
		}
	}()
}
