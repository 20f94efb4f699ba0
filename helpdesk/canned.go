package helpdesk

import (
	"context"
	"time"

	"countersign/internal/fault"
)

// Canned is a text that agents use again and again.
type Canned struct {
	Code     string    `json:"code"` // 12
	Rev      int64     `json:"rev"`
	Title    string    `json:"title"`
	Text     string    `json:"text"`
	Category string    `json:"category"`
	Version  int       `json:"version"`
	By       string    `json:"by"`
	At       time.Time `json:"at"`
}

func (c *Canned) entry() entry { return entry{"canned", c.Code, "", c.At, &c.Rev} }

// PutCanned stores a text under its code; the linter reads it as it reads what agents write.
func (tm *Team) PutCanned(ctx context.Context, a Actor, c Canned) error {
	if tm.Lint == nil {
		return fault.New(fault.Unavailable, "ticket.no_linter", nil)
	}
	if err := tm.Lint(c.Text); err != nil {
		return err
	}
	return tm.book(ctx, a, RightKeep, "canned.put", "", func(tx Tx) (facts, error) {
		old, err := Get[Canned](tx, c.Code)
		switch {
		case err == nil:
			c.Rev, c.Version = old.Rev, old.Version+1
		case fault.KindOf(err) == fault.NotFound:
			c.Rev, c.Version = 0, 1
		default:
			return nil, err
		}
		c.At, c.By = tm.Clock.Now(), a.Agent.Name
		return facts{"code": c.Code, "version": count(c.Version)}, Put(tx, &c)
	})
}

// Canneds lists the texts, those of a category first.
func (tm *Team) Canneds(ctx context.Context, a Actor, category string) (list []*Canned, err error) {
	if err := a.May(RightSee); err != nil {
		return nil, err
	}
	err = tm.Store.View(ctx, func(tx Tx) error {
		all, err := List[Canned](tx, "", time.Time{}, time.Time{}, 0)
		for _, first := range []bool{true, false} {
			for _, c := range all {
				if (c.Category == category) == first {
					list = append(list, c)
				}
			}
		}
		return err
	})
	return list, err
}
