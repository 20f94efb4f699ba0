package helpdesk

import (
	"context"
	"time"

	"countersign/internal/fault"
)

// PutAgent stores a member of the team.
func (tm *Team) PutAgent(ctx context.Context, a Actor, g Agent) error {
	return tm.book(ctx, a, RightKeep, "agent.put", "", func(tx Tx) (facts, error) {
		if old, err := Get[Agent](tx, g.Name); err == nil {
			g.Rev, g.Since = old.Rev, old.Since
		} else if fault.KindOf(err) != fault.NotFound {
			return nil, err
		} else {
			g.Rev, g.Since = 0, tm.Clock.Now()
		}
		return facts{"agent": g.Name, "extension": g.Extension}, Put(tx, &g)
	})
}

// Agent returns a member of the team; the API asks it for whoever has signed in.
func (tm *Team) Agent(ctx context.Context, name string) (g *Agent, err error) {
	err = tm.Store.View(ctx, func(tx Tx) error {
		g, err = Get[Agent](tx, name)
		return err
	})
	return g, err
}

// Agents lists the team.
func (tm *Team) Agents(ctx context.Context) (list []*Agent, err error) {
	err = tm.Store.View(ctx, func(tx Tx) error {
		list, err = List[Agent](tx, "", time.Time{}, time.Time{}, 0)
		return err
	})
	return list, err
}

// PutUnit stores a unit.
func (tm *Team) PutUnit(ctx context.Context, a Actor, u Unit) error {
	return tm.book(ctx, a, RightKeep, "unit.put", "", func(tx Tx) (facts, error) {
		if old, err := Get[Unit](tx, u.Code); err == nil {
			u.Rev, u.Since = old.Rev, old.Since
		} else if fault.KindOf(err) != fault.NotFound {
			return nil, err
		} else {
			u.Rev, u.Since = 0, tm.Clock.Now()
		}
		return facts{"unit": u.Code}, PutUnit(tx, &u)
	})
}

// Units lists the units of a province, of all when it is "".
func (tm *Team) Units(ctx context.Context, a Actor, province string) (list []*Unit, err error) {
	if err := a.May(RightSee); err != nil {
		return nil, err
	}
	err = tm.Store.View(ctx, func(tx Tx) error {
		list, err = List[Unit](tx, province, time.Time{}, time.Time{}, 0)
		return err
	})
	return list, err
}
