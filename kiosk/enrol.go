package kiosk

import (
	"context"
	"crypto/x509"
	"strconv"
	"time"

	"countersign/internal/fault"
	"countersign/kiosk/idcard"
	"countersign/signing"
	"countersign/signing/ca"
)

// EnrolRequest is a customer's wish for a certificate of their own. The key is the token's that made the request, or, when
// there is none, one that the house makes and hands out in a file under the customer's passphrase.
type EnrolRequest struct {
	Visit      string
	Request    []byte // PKCS#10, PEM or DER; empty for a file
	Passphrase string
	// Compared says that the clerk compared the person's face with the card's.
	Compared bool
	// Approver is somebody else who agrees, where the customer reported an earlier certificate lost: login name, password.
	Approver, ApproverPassword string
}

// EnrolledView is what the terminal gets of a new certificate.
type EnrolledView struct {
	SHA256    string           `json:"sha256"`
	Serial    string           `json:"serial"`
	Class     ca.Kind          `json:"class"`
	Until     time.Time        `json:"until"`
	State     CertificateState `json:"state"`
	Chain     []byte           `json:"chain"`          // PEM, leaf first
	File      []byte           `json:"file,omitempty"` // PKCS#12
	Challenge []byte           `json:"challenge"`      // to be signed with SHA-256 as the test signature
}

// Enrol issues a certificate to the customer of a visit. It is pending, and refused for everything, until a test signature
// was checked. Its faults are those of signing.Registry.Enrol and:
//
//	enrol.unknown   the customer has no record yet
//	enrol.card      no card of the customer's was read in this visit, or it is somebody else's
//	enrol.compared  the clerk has not compared the face
//	enrol.approval  an earlier one was reported lost, and nobody else has agreed
func (h *Hall) Enrol(ctx context.Context, a Actor, r EnrolRequest) (EnrolledView, error) {
	if h.Registry == nil {
		return EnrolledView{}, fault.New(fault.Unavailable, "enrol.off", nil)
	}
	approver, err := h.approver(ctx, a, r)
	if err != nil {
		return EnrolledView{}, err
	}
	var v *Visit
	var ask signing.Enrolment
	err = h.Store.View(ctx, func(tx Tx) error {
		var err error
		if v, err = tx.Visit(r.Visit); err != nil {
			return err
		}
		if ask, err = h.enrolment(tx, a, v, r); err != nil || approver != "" {
			return err
		}
		return noLoss(tx, v.Customer)
	})
	if err != nil {
		return EnrolledView{}, err
	}
	made, err := h.Registry.Enrol(ask)
	if err != nil {
		return EnrolledView{}, err
	}
	c := NewCertificate(made.Chain[0])
	c.Unit, c.Customer, c.IssuedBy, c.State = a.Unit, v.Customer, a.User.Name, CertificatePending
	c.Identity = &CertificateIdentity{Visit: v.Key, Document: string(v.Card.Kind), Assurance: v.Card.Assurance, JudgedBy: a.User.StaffID, At: v.CardAt, ApprovedBy: approver}
	c.Proof = made.Challenge
	if made.Tested {
		c.State, c.Tested, c.Proof = CertificateActive, h.Clock.Now(), nil
	}
	f := facts{"class": string(c.Class), "state": string(c.State), "visit": v.Key, "assurance": strconv.Itoa(v.Card.Assurance)}
	if approver != "" {
		f["approved_by"] = approver
	}
	err = h.Store.Update(ctx, func(tx Tx) error {
		if approver == "" {
			if err := noLoss(tx, v.Customer); err != nil {
				return err
			}
		}
		line := *c // the transaction may run again
		if err := tx.PutCertificate(&line); err != nil {
			return err
		}
		_, err := tx.Append(h.entry(a, "certificate.issue", c.Serial, f))
		return err
	})
	if err != nil {
		return EnrolledView{}, err
	}
	return EnrolledView{SHA256: c.SHA256, Serial: c.Serial, Class: c.Class, Until: c.Until, State: c.State, Chain: ca.PEM(made.Chain...), File: made.File, Challenge: made.Challenge}, nil
}

// enrolment says who asks, by the card that was read in this visit.
func (h *Hall) enrolment(tx Tx, a Actor, v *Visit, r EnrolRequest) (signing.Enrolment, error) {
	switch {
	case v.Unit != a.Unit:
		return signing.Enrolment{}, fault.New(fault.NotFound, "store.not_found", nil)
	case v.Customer == "":
		return signing.Enrolment{}, fault.New(fault.Conflict, "enrol.unknown", nil)
	case v.Card == nil || !v.Card.Valid:
		return signing.Enrolment{}, fault.New(fault.Forbidden, "enrol.card", nil)
	case !r.Compared:
		return signing.Enrolment{}, fault.New(fault.Forbidden, "enrol.compared", nil)
	}
	c, err := tx.Customer(v.Customer)
	if err != nil {
		return signing.Enrolment{}, err
	}
	number := v.Card.Fields[idcard.Number]
	if c.IDNumber != "" && c.IDNumber != number {
		return signing.Enrolment{}, fault.New(fault.Forbidden, "enrol.card", nil)
	}
	person := signing.Person{Name: c.Name, Document: string(v.Card.Kind), Number: MaskNumber(number), Assurance: v.Card.Assurance, JudgedBy: a.User.StaffID, At: v.CardAt}
	return signing.Enrolment{Person: person, HolderID: holderID(*v.Card), Request: r.Request, Passphrase: r.Passphrase}, nil
}

// holderID is the number as certificates of the country's authorities give it.
func holderID(card idcard.Card) string {
	if number := card.Fields[idcard.Number]; card.Kind == idcard.TD3 && number != "" {
		return "HC:" + number
	} else if len(number) == 12 {
		return "CCCD:" + number
	}
	return ""
}

// approver checks the password of the other person who agrees to a new certificate after a loss; "" when nobody was named.
func (h *Hall) approver(ctx context.Context, a Actor, r EnrolRequest) (string, error) {
	if r.Approver == "" {
		return "", nil
	}
	if r.Approver == a.User.Name {
		return "", fault.New(fault.Forbidden, "certificate.same_person", nil)
	}
	u, err := h.Vouch(ctx, r.Approver, r.ApproverPassword, RoleSupervisor, RoleAdmin)
	if err != nil {
		return "", err
	}
	if u.Unit != a.Unit {
		return "", fault.New(fault.Forbidden, "enrol.approval", nil)
	}
	return u.Name, nil
}

// noLoss refuses a new certificate to a customer who reported one lost: whoever asks may be who found it.
func noLoss(tx Tx, customer string) error {
	had, err := tx.Certificates(CertificateQuery{Customer: customer})
	if err != nil {
		return err
	}
	for _, c := range had {
		if c.State == CertificateRevoked || c.State == CertificateSuspended {
			return fault.New(fault.Forbidden, "enrol.approval", nil)
		}
	}
	return nil
}

// TestCertificate takes the signature over the challenge that Enrol gave out. A right one makes the certificate usable.
func (h *Hall) TestCertificate(ctx context.Context, a Actor, sha256 string, signature []byte) (EnrolledView, error) {
	var out EnrolledView
	err := h.Store.Update(ctx, func(tx Tx) error {
		c, err := h.ownLine(tx, a, sha256)
		if err != nil {
			return err
		}
		if c.State != CertificatePending {
			return fault.New(fault.Conflict, "certificate.state", fault.Args{"state": "@certificate.state." + string(c.State)})
		}
		cert, err := x509.ParseCertificate(c.DER)
		if err != nil {
			return err
		}
		if err := signing.CheckTest(cert, c.Proof, signature); err != nil {
			return err
		}
		c.State, c.Tested, c.Proof = CertificateActive, h.Clock.Now(), nil
		if err := tx.PutCertificate(c); err != nil {
			return err
		}
		out = EnrolledView{SHA256: c.SHA256, Serial: c.Serial, Class: c.Class, Until: c.Until, State: c.State, Chain: ca.PEM(cert)}
		_, err = tx.Append(h.entry(a, "certificate.test", c.Serial, facts{"class": string(c.Class)}))
		return err
	})
	return out, err
}
