package store

import "context"

// Ahead reads pages of rows and calls yield for each row, and reads the next page while yield takes the rows of this one. read hands
// each page on, and may use it again for the page after the next: two are in memory. An error from yield ends read's ctx
// and is returned. When Ahead returns, so has read.
func Ahead[T any](ctx context.Context, read func(ctx context.Context, hand func(page []T) error) error, yield func(T) error) error {
	ctx, cancel := context.WithCancel(ctx)
	pages, done := make(chan []T), make(chan error, 1)
	go func() {
		defer close(pages)
		done <- read(ctx, func(page []T) error {
			select {
			case pages <- page:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	defer cancel()
	for page := range pages {
		for i := range page {
			if err := yield(page[i]); err != nil {
				cancel()
				<-done
				return err
			}
		}
	}
	return <-done
}
