package helpdesk

import (
	"context"
	"fmt"
	"time"
)

// Notice is what units are to know (T-S08, T-F34, T-F36): to all or to some provinces, read and confirmed by units.
type Notice struct {
	Key       string    `json:"key"` // TB-0007
	Rev       int64     `json:"rev"`
	Number    string    `json:"number"` // of the paper: 1616/KBNN-CNTT
	Title     string    `json:"title"`
	Text      string    `json:"text"`
	Provinces []string  `json:"provinces"` // none is all
	Published time.Time `json:"published"`
	Ends      time.Time `json:"ends"`
	By        string    `json:"by"`
	// Block is the signature block (T-F38): "TL. TỔNG GIÁM ĐỐC", "KT. CỤC TRƯỞNG", "PHÓ CỤC TRƯỞNG".
	Block     []string `json:"block"`
	Receivers []string `json:"receivers"` // "Nơi nhận"
	Copies    int      `json:"copies"`
}

func (n *Notice) entry() entry { return entry{"notice", n.Key, "", n.Published, &n.Rev} }

// Reading is what a unit has done with a notice.
type Reading struct {
	Name      string    `json:"name"` // notice and unit
	Rev       int64     `json:"rev"`
	Notice    string    `json:"notice"`
	Unit      string    `json:"unit"`
	Province  string    `json:"province"`
	Delivered time.Time `json:"delivered"`
	Read      time.Time `json:"read"`
	Confirmed time.Time `json:"confirmed"`
}

func (r *Reading) entry() entry {
	return entry{"notice reading", r.Name, r.Notice, r.Delivered, &r.Rev}
}

// Publish writes a notice and one delivery row for every unit that it is for (T-F40).
func (tm *Team) Publish(ctx context.Context, a Actor, n Notice) (*Notice, error) {
	if err := reason(n.Title + " " + n.Text); err != nil {
		return nil, err
	}
	n.Published, n.By = tm.Clock.Now(), a.Agent.Name
	err := tm.book(ctx, a, RightNotice, "notice.published", "", func(tx Tx) (facts, error) {
		n.Rev = 0
		number, err := tx.NextEntry("notice")
		if err != nil {
			return nil, err
		}
		n.Key = fmt.Sprintf("TB-%04d", number)
		groups := n.Provinces
		if len(groups) == 0 {
			groups = []string{""}
		}
		sent := 0
		for _, province := range groups {
			units, err := List[Unit](tx, province, time.Time{}, time.Time{}, 0)
			if err != nil {
				return nil, err
			}
			for _, u := range units {
				r := &Reading{Name: n.Key + " " + u.Code, Notice: n.Key, Unit: u.Code, Province: u.Province, Delivered: n.Published}
				if err := Put(tx, r); err != nil {
					return nil, err
				}
				sent++
			}
		}
		return facts{"notice": n.Key, "units": count(sent)}, Put(tx, &n)
	})
	if err != nil {
		return nil, err
	}
	return &n, nil
}

// HasRead notes that a unit has read a notice, and with confirm that it acts on it.
func (tm *Team) HasRead(ctx context.Context, a Actor, notice, unit string, confirm bool) error {
	return tm.book(ctx, a, RightAnswer, "notice.read", "", func(tx Tx) (facts, error) {
		r, err := Get[Reading](tx, notice+" "+unit)
		if err != nil {
			return nil, err
		}
		now := tm.Clock.Now()
		if r.Read.IsZero() {
			r.Read = now
		}
		if confirm && r.Confirmed.IsZero() {
			r.Confirmed = now
		}
		return facts{"notice": notice}, Put(tx, r)
	})
}

// Spread is how far a notice has come in one province.
type Spread struct {
	Delivered int `json:"delivered"`
	Read      int `json:"read"`
	Confirmed int `json:"confirmed"`
}

// Notice returns a notice with how far it has come, by province.
func (tm *Team) Notice(ctx context.Context, a Actor, key string) (n *Notice, by map[string]Spread, err error) {
	if err := a.May(RightSee); err != nil {
		return nil, nil, err
	}
	err = tm.Store.View(ctx, func(tx Tx) error {
		if n, err = Get[Notice](tx, key); err != nil {
			return err
		}
		all, err := List[Reading](tx, key, time.Time{}, time.Time{}, 0)
		by = map[string]Spread{}
		for _, r := range all {
			s := by[r.Province]
			s.Delivered++
			if !r.Read.IsZero() {
				s.Read++
			}
			if !r.Confirmed.IsZero() {
				s.Confirmed++
			}
			by[r.Province] = s
		}
		return err
	})
	return n, by, err
}

// Notices lists the notices that hold now, newest first.
func (tm *Team) Notices(ctx context.Context) (list []*Notice, err error) {
	now := tm.Clock.Now()
	err = tm.Store.View(ctx, func(tx Tx) error {
		all, err := List[Notice](tx, "", time.Time{}, time.Time{}, 0)
		for _, n := range all {
			if n.Ends.IsZero() || now.Before(n.Ends) {
				list = append(list, n)
			}
		}
		return err
	})
	return list, err
}

// Paper is an incoming document (T-F38): the stamp "ĐẾN" with number and day, to whom it went, and its file code.
type Paper struct {
	Key     string    `json:"key"` // the arrival number of the year: 2026-001616
	Rev     int64     `json:"rev"`
	Came    time.Time `json:"came"`
	From    string    `json:"from"`
	Number  string    `json:"number"` // the sender's
	Title   string    `json:"title"`
	Forward string    `json:"forward"` // "Chuyển"
	File    string    `json:"file"`    // "Số và ký hiệu HS"
	By      string    `json:"by"`
}

func (p *Paper) entry() entry { return entry{"paper", p.Key, "", p.Came, &p.Rev} }

// Register gives an incoming document its arrival number.
func (tm *Team) Register(ctx context.Context, a Actor, p Paper) (*Paper, error) {
	if err := reason(p.Title); err != nil {
		return nil, err
	}
	p.Came, p.By = tm.Clock.Now(), a.Agent.Name
	err := tm.book(ctx, a, RightNotice, "paper.registered", "", func(tx Tx) (facts, error) {
		p.Rev = 0
		year := p.Came.Format("2006")
		n, err := tx.NextEntry("paper " + year)
		if err != nil {
			return nil, err
		}
		p.Key = fmt.Sprintf("%s-%06d", year, n)
		return facts{"paper": p.Key}, Put(tx, &p)
	})
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// Stamp returns the lines of the stamp on an incoming document.
func (p *Paper) Stamp() []string {
	return []string{"ĐẾN", "Số: " + p.Key[5:], "Ngày: " + p.Came.Format("02/01/06"), "Chuyển: " + p.Forward, "Số và ký hiệu HS: " + p.File}
}
