package kiosk

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"time"

	"countersign/signing/ca"
)

// CertificateState is what may be done with a certificate now.
type CertificateState string

// The states. Only an active certificate is accepted for anything.
const (
	CertificatePending   CertificateState = "pending"   // issued, but its holder has not proved yet that the key works
	CertificateActive    CertificateState = "active"    // usable
	CertificateSuspended CertificateState = "suspended" // refused for the time being; two operators may lift it
	CertificateRevoked   CertificateState = "revoked"   // refused for good
)

// Classes of certificates in the register that no mark names.
const (
	ClassAuthority ca.Kind = "authority" // root and issuing authority
	ClassOutside   ca.Kind = "outside"   // issued by others, used by a customer of ours or reported lost here
)

// Certificate is a line of the register. Holder, HolderID and what was said about it are stored encrypted.
type Certificate struct {
	SHA256   string    `json:"sha256"` // hex; the line's key
	Serial   string    `json:"serial"` // hex
	Issuer   string    `json:"issuer"` // common name
	Class    ca.Kind   `json:"class"`
	Unit     string    `json:"unit"` // which issued it; empty for the house's own
	Holder   string    `json:"holder"`
	HolderID string    `json:"holder_id"` // as in the certificate
	Customer string    `json:"customer"`  // code of a registered customer
	User     string    `json:"user"`      // login name of the staff member whose it is
	Order    string    `json:"order"`     // of one made for a single order
	From     time.Time `json:"from"`
	Until    time.Time `json:"until"`

	State    CertificateState `json:"state"`
	Reason   int              `json:"reason"` // CRLReason (RFC 5280 §5.3.1)
	TakenAt  time.Time        `json:"taken_at"`
	Why      string           `json:"why"`
	TakenBy  string           `json:"taken_by"`
	LiftBy   string           `json:"lift_by"` // operator who asked first to lift a suspension
	IssuedBy string           `json:"issued_by"`
	// Identity is how the holder of a registered certificate proved who they are.
	Identity *CertificateIdentity `json:"identity,omitempty"`
	Proof    []byte               `json:"proof,omitempty"` // challenge that the test signature must answer
	Tested   time.Time            `json:"tested"`
	DER      []byte               `json:"der,omitempty"` // left out of those made for one order, which stand in its file
	Rev      int64                `json:"rev"`
}

// CertificateIdentity is the proof of identity on which a certificate was issued at the counter.
type CertificateIdentity struct {
	Visit      string    `json:"visit"`
	Document   string    `json:"document"` // kind of identity document
	Assurance  int       `json:"assurance"`
	JudgedBy   string    `json:"judged_by"` // staff id
	At         time.Time `json:"at"`        // when the document was read
	ApprovedBy string    `json:"approved_by,omitempty"`
}

// CertificateQuery selects lines of the register; what is empty selects all.
type CertificateQuery struct {
	Serial   string
	Class    ca.Kind
	Issuer   string
	State    CertificateState
	Customer string
	EndsBy   time.Time // those that end before
	Limit    int       // 0 for all
}

// NewCertificate makes the register's line of a certificate that is usable at once.
func NewCertificate(c *x509.Certificate) *Certificate {
	class := ClassOutside
	if m, ok := ca.ReadMark(c); ok {
		class = m.Kind
	} else if c.IsCA {
		class = ClassAuthority
	}
	return &Certificate{SHA256: fingerprint(c), Serial: c.SerialNumber.Text(16), Issuer: c.Issuer.CommonName, Class: class, Holder: c.Subject.CommonName,
		HolderID: c.Subject.SerialNumber, From: c.NotBefore, Until: c.NotAfter, State: CertificateActive, Reason: -1, DER: c.Raw}
}

// oneOff makes the line of a certificate that was made for a single order.
func oneOff(c *x509.Certificate, o *Order, by string) *Certificate {
	line := NewCertificate(c)
	line.DER, line.Order, line.Unit, line.IssuedBy = nil, o.Number, o.Unit, by
	return line
}

func fingerprint(c *x509.Certificate) string {
	digest := sha256.Sum256(c.Raw)
	return hex.EncodeToString(digest[:])
}
