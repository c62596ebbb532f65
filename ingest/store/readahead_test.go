package store

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
)

// count returns pages of size numbers, up to n, in two buffers that take turns.
func count(n, size int) func(context.Context, func([]int) error) error {
	return func(_ context.Context, hand func([]int) error) error {
		var page, last []int
		for i := 0; i < n; {
			page = page[:0]
			for ; i < n && len(page) < size; i++ {
				page = append(page, i)
			}
			if err := hand(page); err != nil {
				return err
			}
			page, last = last, page
		}
		return nil
	}
}

func TestReadAhead(t *testing.T) {
	for _, n := range []int{0, 1, 9, 10, 11, 1000} {
		var got []int
		err := ReadAhead(t.Context(), count(n, 10), func(i int) error {
			got = append(got, i)
			runtime.Gosched() // lets the other side get ahead
			return nil
		})
		want := make([]int, n)
		for i := range want {
			want[i] = i
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%d rows: %v, %v", n, got, err)
		}
	}
}

func TestReadAheadEnds(t *testing.T) {
	enough, broken := errors.New("enough"), errors.New("broken")
	reading := false
	read := func(ctx context.Context, hand func([]int) error) error {
		reading = true
		defer func() { reading = false }()
		for {
			if err := hand([]int{1, 2}); err != nil {
				return err
			}
		}
	}
	f := func(what string, err, want error, rows, wantRows int) {
		t.Helper()
		if !errors.Is(err, want) || rows != wantRows || reading {
			t.Errorf("%s: %v after %d rows, reading %v, want %v after %d", what, err, rows, reading, want, wantRows)
		}
	}
	n := 0
	err := ReadAhead(t.Context(), read, func(int) error {
		if n++; n == 3 {
			return enough
		}
		return nil
	})
	f("yield", err, enough, n, 3)

	n = 0
	ctx, cancel := context.WithCancel(t.Context())
	err = ReadAhead(ctx, read, func(int) error { n++; cancel(); return nil })
	f("cancelled", err, context.Canceled, n, n)
	if n == 0 {
		t.Error("a read that was cancelled at its first row had none")
	}

	n = 0
	err = ReadAhead(t.Context(), func(_ context.Context, hand func([]int) error) error {
		return errors.Join(hand([]int{1, 2}), broken)
	}, func(int) error { n++; return nil })
	f("read", err, broken, n, 2)
}
