package mirror

import (
	"context"
	"slices"

	"countersign/kiosk"
)

// Mobile is what an application on the customer's telephone gets of a snapshot: a token is not offered there.
func (s Snapshot) Mobile() Snapshot {
	if s.Confirm == nil {
		return s
	}
	c := *s.Confirm
	c.Offers = slices.Clone(c.Offers)
	for i := range c.Offers {
		if c.Offers[i].Method == kiosk.ByToken {
			c.Offers[i].Why = kiosk.WhyMobile
		}
	}
	s.Confirm = &c
	return s
}

// Mobile hands snapshots on as a telephone gets them, until ctx ends.
func Mobile(ctx context.Context, in <-chan Snapshot) <-chan Snapshot {
	out := make(chan Snapshot)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case s := <-in:
				select {
				case out <- s.Mobile():
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return out
}
