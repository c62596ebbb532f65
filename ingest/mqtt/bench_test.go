package mqtt

import (
	"fmt"
	"sync"
	"testing"

	"stadtluft/ingest"
)

// BenchmarkDurable sends messages from stations through the embedded broker, which syncs each to disk, until Done:
// publishing connections with 100 messages in flight each.
func BenchmarkDurable(b *testing.B) {
	payload := []byte(`{"t":1795439925,"pm2_5":12.3,"pm10":20.1,"temperature":14.2,"humidity":60.3,"pressure":1013.2}`)
	for _, connections := range []int{1, 4, 16} {
		b.Run(fmt.Sprintf("connections=%d", connections), func(b *testing.B) {
			r := embedded(b)
			in := make(chan ingest.Message, 1000)
			run(b, r, 0, in)
			var senders sync.WaitGroup
			defer senders.Wait()
			work := make(chan struct{}, b.N)
			for range b.N {
				work <- struct{}{}
			}
			close(work)
			for i := range connections {
				id := fmt.Sprintf("S%d", i)
				c := dial(b, r, id)
				window := make(chan struct{}, 100)
				senders.Go(func() {
					for range work {
						window <- struct{}{}
						token := c.Publish("stadtluft/v1/"+id+"/reading", 1, false, payload)
						go func() {
							<-token.Done()
							<-window
						}()
					}
				})
			}
			b.ResetTimer()
			for range b.N {
				m := <-in
				m.Done(ingest.Outcome{})
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}
