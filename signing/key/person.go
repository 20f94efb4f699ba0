package key

import (
	"crypto/x509"
	"encoding/asn1"
	"strings"

	"countersign/internal/fault"
)

// Person is who a certificate must belong to, by the numbers of identity documents; one that is not known is empty.
type Person struct {
	CCCD     string // citizen's number, twelve digits
	CMND     string // number of the identity card before it, nine digits
	Passport string
}

var (
	oidUID          = asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}
	oidSerialNumber = asn1.ObjectIdentifier{2, 5, 4, 5}
)

// Match refuses a certificate that is not the person's. Names are not compared: many people share one. The certificate's
// UID or serialNumber must give a number of the person (UID=CCCD:…, CMND:…, HC:…, or as EN 319 412-1 has it: PASVN-…,
// IDCVN-…, PNOVN-…), and none of its numbers may be another than the person's. Its faults are key.other_person and
// key.no_person (it gives no number that can be compared: an organisation's, for one).
func Match(cert *x509.Certificate, person Person) error {
	same := false
	for _, n := range numbers(cert) {
		known := n.of(person)
		if known == "" {
			continue
		}
		if !strings.EqualFold(known, n.value) {
			return fault.New(fault.Forbidden, "key.other_person", nil)
		}
		same = true
	}
	if !same {
		return fault.New(fault.Forbidden, "key.no_person", nil)
	}
	return nil
}

// number is an identity number that a certificate gives.
type number struct{ kind, value string }

func (n number) of(p Person) string {
	switch n.kind {
	case "CCCD":
		return strings.TrimSpace(p.CCCD)
	case "CMND":
		return strings.TrimSpace(p.CMND)
	case "HC":
		return strings.TrimSpace(p.Passport)
	}
	return ""
}

// numbers returns those that say what they are. Only when none does, a bare serialNumber is taken for a citizen's number
// or an old card's by its length; otherwise it may be a number of the issuer's own.
func numbers(cert *x509.Certificate) []number {
	var named, bare []number
	for _, attribute := range cert.Subject.Names {
		uid := attribute.Type.Equal(oidUID)
		text, ok := attribute.Value.(string)
		if !ok || !uid && !attribute.Type.Equal(oidSerialNumber) {
			continue
		}
		text = strings.ToUpper(strings.TrimSpace(text))
		if kind, value, ok := strings.Cut(text, ":"); ok {
			named = append(named, number{strings.TrimSpace(kind), strings.TrimSpace(value)})
			continue
		}
		if kind, value, ok := strings.Cut(text, "-"); ok {
			switch kind {
			case "PASVN":
				named = append(named, number{"HC", value})
			case "IDCVN", "PNOVN":
				named = append(named, number{byLength(value), value})
			}
			continue
		}
		bare = append(bare, number{byLength(text), text})
	}
	if len(named) > 0 {
		return named
	}
	return bare
}

func byLength(value string) string {
	for _, r := range value {
		if r < '0' || r > '9' {
			return ""
		}
	}
	switch len(value) {
	case 12:
		return "CCCD"
	case 9:
		return "CMND"
	}
	return ""
}
