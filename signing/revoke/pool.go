package revoke

import (
	"crypto/x509"
	"errors"
	"time"
)

// word is what responses and lists have in common.
type word interface {
	about(cert, issuer *x509.Certificate) (statement, bool)
	signedFor(issuer *x509.Certificate) error
}

// Pool is a collection of statements, such as those in a document. It is not safe for several goroutines at once.
type Pool struct {
	words   []word
	checked map[checked]error
}

type checked struct {
	word   int
	issuer *x509.Certificate
}

// AddOCSP adds a response in DER and returns its index.
func (p *Pool) AddOCSP(der []byte) (int, error) {
	r, err := ParseOCSP(der)
	if err != nil {
		return 0, err
	}
	return p.add(r), nil
}

// AddCRL adds a list in DER and returns its index.
func (p *Pool) AddCRL(der []byte) (int, error) {
	l, err := ParseCRL(der)
	if err != nil {
		return 0, err
	}
	return p.add(l), nil
}

func (p *Pool) add(w word) int {
	p.words = append(p.words, w)
	return len(p.words) - 1
}

// signed checks a statement's signature once for each issuer.
func (p *Pool) signed(i int, issuer *x509.Certificate) bool {
	if p.checked == nil {
		p.checked = make(map[checked]error)
	}
	key := checked{i, issuer}
	err, done := p.checked[key]
	if !done {
		err = p.words[i].signedFor(issuer)
		p.checked[key] = err
	}
	return err == nil
}

// Status says what the statements prove about a certificate at a moment. Statements that were made after now are left
// out: they are not to be had yet. One that says revoked outweighs all others; of the good ones the latest counts.
func (p *Pool) Status(cert, issuer *x509.Certificate, at, now time.Time) Status {
	out := Status{State: None, Reason: NoReason}
	for i, w := range p.words {
		s, ok := w.about(cert, issuer)
		if !ok || s.this.After(now) || !p.signed(i, issuer) {
			continue
		}
		state := s.state
		if state == Good && !s.reaches(at, cert) {
			state = Stale
		}
		switch {
		case rank(state) < rank(out.State):
		case state == out.State && !better(s, out):
			out.Proofs = append(out.Proofs, Proof{i, s.this})
		default:
			proofs := out.Proofs
			if state != out.State {
				proofs = nil
			}
			out = Status{State: state, Revoked: s.revoked, Reason: s.reason, This: s.this, Next: s.next, Proofs: append(proofs, Proof{i, s.this})}
		}
	}
	return out
}

func rank(s State) int {
	switch s {
	case Revoked:
		return 4
	case Good:
		return 3
	case Unknown:
		return 2
	case Stale:
		return 1
	}
	return 0
}

// better prefers, of two statements that say the same, the earlier revocation and the later good word.
func better(s statement, old Status) bool {
	if old.State == Revoked {
		return s.revoked.Before(old.Revoked)
	}
	return s.this.After(old.This)
}

// Check judges one answer to a question at a moment: about the certificate, rightly signed, and fresh.
func (a Answer) Check(q Question, now time.Time) (Status, error) {
	var p Pool
	var err error
	if a.OCSP != nil {
		_, err = p.AddOCSP(a.OCSP)
	} else {
		_, err = p.AddCRL(a.CRL)
	}
	if err != nil {
		return Status{State: None}, err
	}
	s := p.Status(q.Certificate, q.Issuer, now, now)
	switch s.State {
	case None:
		if _, ok := p.words[0].about(q.Certificate, q.Issuer); !ok {
			return s, ErrOther
		}
		if err := p.words[0].signedFor(q.Issuer); err != nil {
			return s, err
		}
		return s, errors.New("the revocation data is from the future")
	case Stale:
		if s.This.Before(q.Certificate.NotAfter) || s.Next.Before(now) {
			return s, errors.New("the revocation data has run out")
		}
		return s, errors.New("the authority does not keep the status of expired certificates")
	}
	return s, nil
}

// About returns the indexes of the statements about a certificate that the right authority signed.
func (p *Pool) About(cert, issuer *x509.Certificate) []int {
	var out []int
	for i, w := range p.words {
		if _, ok := w.about(cert, issuer); ok && p.signed(i, issuer) {
			out = append(out, i)
		}
	}
	return out
}
