package collector

import (
	"context"
	"iter"

	"fairlead/connectors/source"
)

// ahead yields the pages of a sequence while the next one is fetched: one page
// is with the reader and at most one waits. The sequence has ended when ahead
// has.
func ahead(ctx context.Context, pages func(ctx context.Context) iter.Seq2[source.Page, error]) iter.Seq2[source.Page, error] {
	type fetched struct {
		page source.Page
		err  error
	}
	return func(yield func(source.Page, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		next := make(chan fetched)
		go func() {
			defer close(next)
			for page, err := range pages(ctx) {
				select {
				case next <- fetched{page, err}:
				case <-ctx.Done():
					return
				}
			}
		}()
		defer func() {
			cancel()
			for range next { // until the sequence has ended
			}
		}()
		for f := range next {
			if !yield(f.page, f.err) {
				return
			}
		}
		// A page that was fetched and not taken is a sequence cut short.
		if err := ctx.Err(); err != nil {
			yield(source.Page{}, err)
		}
	}
}
