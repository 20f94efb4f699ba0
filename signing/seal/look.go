package seal

import (
	"crypto/x509"
	"fmt"
	"sync"
	"time"

	"countersign/internal/clock"
	"countersign/signing/pdf"
	"countersign/signing/pdf/font"
	"countersign/signing/pdf/stamp"
	"countersign/signing/verify"
)

// lineSize is the size of a clerk's confirmation text in points, before it is fitted into the field.
const lineSize = 9

// Drawn returns the Look of a service: seals in red, the clerk's confirmation in blue with the given lines. Characters
// that the built-in fonts lack are taken from the others. A seal looks the same each time and is drawn once.
func Drawn(lines func(c Clerk, at time.Time) []string, others ...*font.Font) func(Seal, Clerk, time.Time) (*pdf.Appearance, error) {
	var drawn sync.Map // stamp.Seal to pdf.Appearance; as many as the register has seals
	return func(s Seal, c Clerk, at time.Time) (*pdf.Appearance, error) {
		if s.Kind == Counter {
			a, err := stamp.Block(lines(c, at), lineSize, stamp.Blue, others...)
			if err != nil {
				return nil, err
			}
			return &a, nil
		}
		round := stamp.Seal{Geometry: s.Geometry, Name: s.Name, Line: s.Line, Arc: s.Arc, Star: s.Star}
		if known, ok := drawn.Load(round); ok {
			a := known.(pdf.Appearance)
			return &a, nil
		}
		a, err := stamp.Round(round, others...)
		if err != nil {
			return nil, err
		}
		a = stamp.Packed(a)
		drawn.Store(round, a)
		return &a, nil
	}
}

// Verified returns the Judge that trusts these roots and nothing less than signing/verify's PASSED.
func Verified(roots []*x509.Certificate, c clock.Clock) func(document []byte) error {
	return func(document []byte) error {
		r := verify.Verify(document, verify.Policy{Roots: roots, At: c.Now()})
		if r.Verdict != verify.Passed {
			return fmt.Errorf("the document is %s: %s %s", r.Verdict, r.Problem, r.Detail)
		}
		return nil
	}
}
