package store

import "context"

// ReadAhead reads pages of rows and calls yield for each row, reading the next page while yield processes the current
// one. read passes each page to hand, and may reuse its memory for the page after the next: two are in memory. An
// error from yield ends read's ctx and is returned. read has returned when ReadAhead returns.
func ReadAhead[T any](ctx context.Context, read func(ctx context.Context, hand func(page []T) error) error, yield func(T) error) error {
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
