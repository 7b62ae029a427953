package collector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/ticket"
)

// acquire takes the source's lease unless it is held already. Where another had
// it in between, what this process knew of the warehouse is forgotten.
func (c *Collector) acquire(ctx context.Context) error {
	if c.leased {
		select {
		case <-c.lease.Lost():
			c.release(ctx)
		default:
			return nil
		}
	}
	lease, err := c.store.AcquireLease(ctx, c.src.Name())
	if err != nil {
		c.meter.leased(false)
		return fmt.Errorf("collecting %s: %w", c.src.Name(), err)
	}
	if lease != nil && lease.Epoch != c.epoch+1 {
		c.forget()
	}
	if lease != nil {
		c.epoch = lease.Epoch
	}
	c.lease, c.leased = lease, true
	c.meter.leased(true)
	return nil
}

// release gives the lease back, though ctx has ended.
func (c *Collector) release(ctx context.Context) {
	if !c.leased {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := c.lease.Release(ctx); err != nil {
		c.log.WarnContext(ctx, "lease was not given back; it runs out by itself", "source", c.src.Name(), "error", err)
	}
	c.lease, c.leased = nil, false
	c.meter.leased(false)
}

// leaseContext ends when ctx does or the lease is lost. stop is to be called.
func (c *Collector) leaseContext(ctx context.Context) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	lost, over, ended := c.lease.Lost(), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-lost:
			cancel(fmt.Errorf("%w: another fairlead has taken it over, or the warehouse did not answer for so long that one may; nothing more is written", clickhouse.ErrLeaseLost))
		case <-over:
		}
	}()
	return ctx, func() {
		close(over)
		<-ended
		cancel(nil)
	}
}

// lostLease says whether ctx ended since the lease was lost.
func lostLease(ctx context.Context) bool {
	return errors.Is(context.Cause(ctx), clickhouse.ErrLeaseLost)
}

// forget drops what was known of the warehouse, which another has written to.
func (c *Collector) forget() {
	c.places, c.version, c.polled, c.swept = nil, 0, time.Time{}, time.Time{}
	c.accounts, c.terms = map[string]ticket.Account{}, map[termKey]ticket.Term{}
	c.memory = newMemory()
	c.again = map[string]time.Time{}
}
