package service

import (
	"crypto/rand"
	"crypto/x509"
	"slices"

	"countersign/signing"
	"countersign/signing/revoke"
	"countersign/signing/trust"
)

// TrustOptions say whose certificates are accepted, and for what. The house's own list is always there.
type TrustOptions struct {
	Lists         trust.Lists
	Licences      trust.Licences
	Customers     []CertificateOption // nil means DefaultCertificates
	Staff         []trust.Source      // nil means the house's own
	WithoutStatus bool                // accept where a certificate's status can't be had, and record it
}

// CertificateOption is a kind of certificate with which customers may confirm in this installation.
type CertificateOption string

// The options.
const (
	OwnCertificates      CertificateOption = "own"        // issued by the house at the counter
	PublicCertificates   CertificateOption = "public"     // of licensed public authorities
	BankCertificates     CertificateOption = "banks"      // of banks, for their customers
	OfficialCertificates CertificateOption = "government" // of the state's own service, for agencies that are customers
	TerminalCertificate  CertificateOption = "terminal"   // the counter's, for everybody: a lower rank
)

// DefaultCertificates are the options where nothing was chosen.
func DefaultCertificates() []CertificateOption {
	return []CertificateOption{OwnCertificates, PublicCertificates, BankCertificates}
}

// CertificateOptions are the kinds of certificate with which customers may confirm here.
func (s *Service) CertificateOptions() []CertificateOption {
	if s.Options.Trust.Customers != nil {
		return s.Options.Trust.Customers
	}
	return DefaultCertificates()
}

// roots are whom a verifier trusts here: the house, the lists of trust and the timestamp authorities' roots.
func (s *Service) roots() []*x509.Certificate {
	out := []*x509.Certificate{s.Root}
	for _, c := range append(s.Options.Trust.Lists.All(), s.Options.TSARoots...) {
		if !slices.ContainsFunc(out, c.Equal) {
			out = append(out, c)
		}
	}
	return out
}

// openTrust puts together who judges certificates, and who tells whether they were revoked.
func (s *Service) openTrust() {
	o := s.Options
	s.Status = revoke.NewCache(revoke.InOrder{s.ownStatus(), revoke.NewClient(askTimeout, o.Clock, rand.Reader)}, o.Clock)
	lists := trust.Lists{trust.Own: {s.Root}}
	for source, certs := range o.Trust.Lists {
		lists[source] = append(lists[source], certs...)
	}
	customers := []trust.Source{}
	for _, option := range s.CertificateOptions() {
		switch option {
		case OwnCertificates:
			customers = append(customers, trust.Own)
			s.Hall.Registry = &signing.Registry{Issuer: s.Issuing, Rand: rand.Reader}
		case PublicCertificates, BankCertificates, OfficialCertificates:
			customers = append(customers, trust.Source(option))
		}
	}
	staff := o.Trust.Staff
	if staff == nil {
		staff = []trust.Source{trust.Own}
	}
	// The house's own are asked about without a cache: what was reported a moment ago counts.
	status := revoke.InOrder{s.ownStatus(), s.Status}
	s.Hall.Trust = &trust.Judge{Lists: lists, Allowed: map[trust.Purpose][]trust.Source{trust.Customer: customers, trust.Staff: staff},
		Licences: o.Trust.Licences, Status: status, Denials: s.Hall, WithoutStatus: o.Trust.WithoutStatus}
}
