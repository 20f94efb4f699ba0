package service

import (
	"context"
	"crypto"
	"crypto/x509"
	"time"

	"countersign/internal/fault"
	"countersign/kiosk"
	"countersign/signing"
	"countersign/signing/ca"
	"countersign/signing/key"
)

// staffLife is how long a staff certificate is valid.
const staffLife = 2 * 365 * 24 * time.Hour

// operator is who acts when an administrator works on the host: every unit's lines are open.
func operator(name string) kiosk.Actor {
	if name == "" {
		name = "admin"
	}
	return kiosk.Actor{User: kiosk.User{Name: name}, Counter: "host"}
}

// IssueStaff certifies a key of a member of staff: a token's by its request, or one that the house makes and returns as a
// PKCS#12 file under a passphrase.
func (s *Service) IssueStaff(ctx context.Context, user string, request []byte, passphrase string) (chain, file []byte, err error) {
	var u *kiosk.User
	err = s.Store.View(ctx, func(tx kiosk.Tx) error {
		u, err = tx.User(user)
		return err
	})
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil, fault.Wrap(err, fault.NotFound, "service.no_user", fault.Args{"user": user})
	}
	if err != nil {
		return nil, nil, err
	}
	certify := func(public crypto.PublicKey) ([]*x509.Certificate, error) {
		return s.Issuing.IssueClerk(public, ca.Clerk{Name: u.FullName, StaffID: u.StaffID, Organisation: s.Hall.Units[u.Unit].Name, Life: staffLife})
	}
	var certs []*x509.Certificate
	if len(request) > 0 {
		public, err := signing.RequestedKey(request)
		if err != nil {
			return nil, nil, err
		}
		if certs, err = certify(public); err != nil {
			return nil, nil, err
		}
	} else if file, certs, _, err = key.HandOut(passphrase, make([]byte, 32), certify); err != nil {
		return nil, nil, err
	}
	err = s.Store.Update(ctx, func(tx kiosk.Tx) error {
		line := kiosk.NewCertificate(certs[0])
		line.User, line.Unit, line.IssuedBy = u.Name, u.Unit, "admin"
		if err := tx.PutCertificate(line); err != nil {
			return err
		}
		_, err := tx.Append(adminEntry(s.Options.Clock.Now(), "certificate.issue", line.Serial))
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return ca.PEM(certs...), file, nil
}

// FindCertificate finds a line of the register by its serial number or by its certificate's SHA-256, in hex.
func (s *Service) FindCertificate(ctx context.Context, name string) (*kiosk.Certificate, error) {
	var found []*kiosk.Certificate
	err := s.Store.View(ctx, func(tx kiosk.Tx) error {
		c, err := tx.Certificate(name)
		if err == nil {
			found = []*kiosk.Certificate{c}
			return nil
		}
		if fault.KindOf(err) != fault.NotFound {
			return err
		}
		found, err = tx.Certificates(kiosk.CertificateQuery{Serial: name})
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, fault.New(fault.NotFound, "certificate.none", fault.Args{"certificate": name})
	case len(found) > 1:
		return nil, fault.New(fault.Conflict, "certificate.several", fault.Args{"certificate": name})
	}
	return found[0], nil
}

// Count is one line of the report of certificates.
type Count struct {
	Class   ca.Kind                `json:"class"`
	Issuer  string                 `json:"issuer"`
	State   kiosk.CertificateState `json:"state"`
	Ended   int                    `json:"ended"`   // their time is over
	Soon    int                    `json:"soon"`    // it is over within 30 days
	Quarter int                    `json:"quarter"` // within 90
	Later   int                    `json:"later"`
}

// Total is how many certificates the line counts.
func (c Count) Total() int { return c.Ended + c.Soon + c.Quarter + c.Later }

// CertificateReport counts the register by class, issuer, state and end.
func (s *Service) CertificateReport(ctx context.Context) ([]Count, error) {
	now := s.Options.Clock.Now()
	type kind struct {
		class  ca.Kind
		issuer string
		state  kiosk.CertificateState
	}
	at := map[kind]int{}
	out := []Count{}
	err := s.Store.View(ctx, func(tx kiosk.Tx) error {
		all, err := tx.Certificates(kiosk.CertificateQuery{})
		clear(at)
		out = out[:0]
		for _, c := range all {
			k := kind{c.Class, c.Issuer, c.State}
			i, ok := at[k]
			if !ok {
				i = len(out)
				at[k], out = i, append(out, Count{Class: c.Class, Issuer: c.Issuer, State: c.State})
			}
			switch left := c.Until.Sub(now); {
			case left <= 0:
				out[i].Ended++
			case left <= 30*24*time.Hour:
				out[i].Soon++
			case left <= 90*24*time.Hour:
				out[i].Quarter++
			default:
				out[i].Later++
			}
		}
		return err
	})
	return out, err
}

// TakeBackCertificate refuses a certificate from now on, by an operator on the host.
func (s *Service) TakeBackCertificate(ctx context.Context, name, by string, t kiosk.TakeBack) (*kiosk.Certificate, error) {
	c, err := s.FindCertificate(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.Hall.TakeBackCertificate(ctx, operator(by), c.SHA256, t)
}

// LiftCertificate ends a suspension once two operators have asked for it, each with their own name and password.
func (s *Service) LiftCertificate(ctx context.Context, name, by, password string) (*kiosk.Certificate, error) {
	c, err := s.FindCertificate(ctx, name)
	if err != nil {
		return nil, err
	}
	u, err := s.Hall.Vouch(ctx, by, password, kiosk.RoleAdmin)
	if err != nil {
		return nil, err
	}
	return s.Hall.LiftCertificate(ctx, kiosk.Actor{User: u, Counter: "host"}, c.SHA256)
}

// ReportLoss refuses all certificates of a customer.
func (s *Service) ReportLoss(ctx context.Context, customer, by, why string) (int, error) {
	return s.Hall.ReportLoss(ctx, operator(by), customer, why)
}
