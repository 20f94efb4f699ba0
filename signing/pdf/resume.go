package pdf

import (
	"bytes"
	"errors"
	"fmt"
)

// Pending is what a Prepared adds to its base, as data that can be kept until the signature's value is there.
type Pending struct {
	Update []byte `json:"update"` // all bytes after the base
	Open   int    `json:"open"`   // where in the document the hole's < is
	Shut   int    `json:"shut"`   // after the hole's >
}

// Pending returns a copy of what was added to the base.
func (p *Prepared) Pending() Pending {
	return Pending{Update: bytes.Clone(p.buf[p.base:]), Open: p.open, Shut: p.shut}
}

// Resume puts a kept update behind its base again. It refuses one whose hole is not empty, or not in the update. Whether
// base and update are those that were prepared shows in Digest only.
func Resume(base []byte, kept Pending) (*Prepared, error) {
	end := len(base) + len(kept.Update)
	if kept.Open < len(base) || kept.Shut < kept.Open+2 || kept.Shut > end || kept.Shut-kept.Open > 2*maxRoom+2 {
		return nil, fmt.Errorf("resume a signature: a hole from %d to %d is not in an update from %d to %d", kept.Open, kept.Shut, len(base), end)
	}
	p := &Prepared{base: len(base), open: kept.Open, shut: kept.Shut}
	p.buf = append(append(make([]byte, 0, end), base...), kept.Update...)
	hole := p.buf[p.open:p.shut]
	if hole[0] != '<' || hole[len(hole)-1] != '>' || len(bytes.Trim(hole[1:len(hole)-1], "0")) > 0 {
		return nil, errors.New("resume a signature: the hole is not empty")
	}
	p.digest = p.sum()
	return p, nil
}
