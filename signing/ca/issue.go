package ca

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net"
	"time"
)

var (
	// oidExtKeyUsage is extended key usage; Go's own field for it can't be made critical.
	oidExtKeyUsage  = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidTimeStamping = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
	// oidDocumentSigning is id-kp-documentSigning (RFC 9336).
	oidDocumentSigning = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 36}
)

// OneOff describes the certificate of a key that signs once.
type OneOff struct {
	Holder         string // the name as on the identity card
	HolderID       string // masked or salted, never the whole personal number
	TransactionID  string
	EvidenceSHA256 [32]byte
	Life           time.Duration
}

// Seal describes the certificate of an organisation's seal.
type Seal struct {
	Name           string // as on the seal
	Organisation   string
	OrganisationID string // the tax code or budget unit code
	Life           time.Duration
}

// Clerk describes the certificate of a member of staff at a counter.
type Clerk struct {
	Name         string
	StaffID      string
	Organisation string
	Counter      string
	Life         time.Duration
}

// Witness describes the certificate with which a member of staff witnesses one customer's handwriting.
type Witness struct {
	Name           string // the witness's, never the customer's
	StaffID        string
	Organisation   string
	Counter        string
	TransactionID  string
	EvidenceSHA256 [32]byte
	Life           time.Duration
}

// Terminal describes the certificate with which a counter's terminal signs for a customer who has none.
type Terminal struct {
	Counter        string
	Organisation   string
	TransactionID  string
	EvidenceSHA256 [32]byte
	Life           time.Duration
}

// IssueTerminal returns the chain, leaf first, for a terminal's key and one transaction. It names the terminal, never the
// customer: the key is nobody's own.
func (a *Authority) IssueTerminal(pub crypto.PublicKey, r Terminal) ([]*x509.Certificate, error) {
	if r.Counter == "" || r.TransactionID == "" {
		return nil, fmt.Errorf("issue a terminal's certificate: counter or transaction is not named")
	}
	name := pkix.Name{CommonName: "Terminal, counter " + r.Counter, OrganizationalUnit: []string{"Terminal"}}
	if r.Organisation != "" {
		name.Organization = []string{r.Organisation}
	}
	return a.signing(pub, name, r.Life, Mark{Kind: KindTerminal, TransactionID: r.TransactionID, EvidenceSHA256: r.EvidenceSHA256[:]})
}

// IssueOneOff returns the chain, leaf first, for a key that signs one transaction and is destroyed.
func (a *Authority) IssueOneOff(pub crypto.PublicKey, r OneOff) ([]*x509.Certificate, error) {
	if r.Holder == "" || r.TransactionID == "" {
		return nil, fmt.Errorf("issue a one-off certificate: holder or transaction is not named")
	}
	name := pkix.Name{CommonName: r.Holder, SerialNumber: r.HolderID, OrganizationalUnit: []string{"OTP"}}
	return a.signing(pub, name, r.Life, Mark{Kind: KindOTP, TransactionID: r.TransactionID, EvidenceSHA256: r.EvidenceSHA256[:]})
}

// IssueWitness returns the chain, leaf first, for a counter's key that witnesses the handwriting of one transaction. The
// certificate names the witness, because it is the witness who signs.
func (a *Authority) IssueWitness(pub crypto.PublicKey, r Witness) ([]*x509.Certificate, error) {
	if r.Name == "" || r.StaffID == "" || r.TransactionID == "" {
		return nil, fmt.Errorf("issue a witness's certificate: witness or transaction is not named")
	}
	name := pkix.Name{CommonName: r.Name, SerialNumber: r.StaffID, OrganizationalUnit: []string{"Witness, counter " + r.Counter}}
	if r.Organisation != "" {
		name.Organization = []string{r.Organisation}
	}
	return a.signing(pub, name, r.Life, Mark{Kind: KindWitness, TransactionID: r.TransactionID, EvidenceSHA256: r.EvidenceSHA256[:]})
}

// IssueToken returns the chain for a key that its holder keeps on a token.
func (a *Authority) IssueToken(pub crypto.PublicKey, holder, holderID string, life time.Duration) ([]*x509.Certificate, error) {
	return a.signing(pub, pkix.Name{CommonName: holder, SerialNumber: holderID}, life, Mark{Kind: KindToken})
}

// IssueFile returns the chain for a key that the house made for its holder and gave away in a file.
func (a *Authority) IssueFile(pub crypto.PublicKey, holder, holderID string, life time.Duration) ([]*x509.Certificate, error) {
	return a.signing(pub, pkix.Name{CommonName: holder, SerialNumber: holderID}, life, Mark{Kind: KindFile})
}

// IssueSeal returns the chain for an organisation's seal.
func (a *Authority) IssueSeal(pub crypto.PublicKey, r Seal) ([]*x509.Certificate, error) {
	name := pkix.Name{CommonName: r.Name, OrganizationalUnit: []string{"Seal"}, SerialNumber: r.OrganisationID}
	if r.Organisation != "" {
		name.Organization = []string{r.Organisation}
	}
	return a.signing(pub, name, r.Life, Mark{Kind: KindSeal})
}

// IssueClerk returns the chain for a member of staff.
func (a *Authority) IssueClerk(pub crypto.PublicKey, r Clerk) ([]*x509.Certificate, error) {
	name := pkix.Name{CommonName: r.Name, SerialNumber: r.StaffID, OrganizationalUnit: []string{"Counter " + r.Counter}}
	if r.Organisation != "" {
		name.Organization = []string{r.Organisation}
	}
	return a.signing(pub, name, r.Life, Mark{Kind: KindClerk})
}

// signing issues a certificate for signing documents. Beside document signing it allows e-mail protection: NSS and
// OpenSSL, on which pdfsig and others stand, know no other purpose for a document signer.
func (a *Authority) signing(pub crypto.PublicKey, name pkix.Name, life time.Duration, m Mark) ([]*x509.Certificate, error) {
	template := &x509.Certificate{
		Subject:            name,
		KeyUsage:           x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
		ExtKeyUsage:        []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		UnknownExtKeyUsage: []asn1.ObjectIdentifier{oidDocumentSigning},
	}
	if err := m.extend(template); err != nil {
		return nil, err
	}
	return a.chain(template, pub, life)
}

// IssueTimestamp returns the chain for a timestamp authority: its only extended key usage is timeStamping, and it
// is critical (RFC 3161 §2.3).
func (a *Authority) IssueTimestamp(pub crypto.PublicKey, name pkix.Name, life time.Duration) ([]*x509.Certificate, error) {
	template := &x509.Certificate{Subject: name, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment}
	usage, err := extension(oidExtKeyUsage, true, []asn1.ObjectIdentifier{oidTimeStamping})
	if err != nil {
		return nil, fmt.Errorf("issue a timestamp certificate: %w", err)
	}
	template.ExtraExtensions = []pkix.Extension{usage}
	if err := (Mark{Kind: KindTimestamp}).extend(template); err != nil {
		return nil, err
	}
	return a.chain(template, pub, life)
}

// IssueServer returns the chain for a TLS server known by the given DNS names and addresses.
func (a *Authority) IssueServer(pub crypto.PublicKey, names []string, life time.Duration) ([]*x509.Certificate, error) {
	if len(names) == 0 {
		return nil, fmt.Errorf("issue a server certificate: it has no name")
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: names[0]},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, n)
		}
	}
	if err := (Mark{Kind: KindServer}).extend(template); err != nil {
		return nil, err
	}
	return a.chain(template, pub, life)
}
