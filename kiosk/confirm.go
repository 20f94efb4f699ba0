package kiosk

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/job"
	"countersign/internal/locale"
	"countersign/kiosk/catalog"
	"countersign/kiosk/idcard"
	"countersign/kiosk/workorder"
	"countersign/signing"
	"countersign/signing/otp"
	"countersign/signing/pdf/stamp"
)

// CodeMail is the payload of a job of kind "otp_mail": everything that the message with the code says.
type CodeMail struct {
	To        string    `json:"to"`
	Code      string    `json:"code"`
	Purpose   string    `json:"purpose"`
	Amount    string    `json:"amount"`
	Hash      string    `json:"hash"`
	Expires   time.Time `json:"expires"`
	Unit      string    `json:"unit"`
	Hotline   string    `json:"hotline"`
	Lang      string    `json:"lang"`
	Order     string    `json:"order"`
	Challenge string    `json:"challenge"`
}

// Channel starts a confirmation in the way that the customer chose, and ends the one that ran: "mail" sends a code that is
// derived from the document; "app" asks for a code of the authenticator app, and enrols one by QR code when there is none
// yet; "ink" gives the customer the pen; "token" waits for a certificate from the customer's token, "remote" for the choice of a provider. A way that is not offered is refused with confirm.REASON (Offer.Why).
func (h *Hall) Channel(ctx context.Context, a Actor, key, method string) (*Order, error) {
	id, err := h.key()
	if err != nil {
		return nil, err
	}
	h.waits.stop(key) // whatever comes next, the customer's telephone is not waited for any more
	return h.change(ctx, a, key, "confirm.ask", func(tx Tx, o *Order) (facts, error) {
		if err := o.in(Confirming); err != nil {
			return nil, err
		}
		s, err := h.service(o)
		if err != nil {
			return nil, err
		}
		c, err := tx.Customer(o.Customer)
		if err != nil {
			return nil, err
		}
		m := Method(method)
		if err := h.mayChoose(a, o, s, c, m); err != nil {
			return nil, err
		}
		told := facts{"channel": method}
		switch m {
		case ByInk:
			return told, errors.Join(h.endOther(tx, o), h.givePen(tx, a, o))
		case ByToken, ByRemote:
			return told, errors.Join(h.endOther(tx, o), h.beginOwn(tx, o, m))
		}
		told["challenge"] = id
		return told, h.askCode(tx, o, s, c, m, id)
	})
}

// askCode begins a confirmation by code.
func (h *Hall) askCode(tx Tx, o *Order, s *catalog.Service, c *Customer, m Method, id string) error {
	t, err := h.terms(o, s, id)
	if err != nil {
		return err
	}
	if err := h.mayAsk(tx, t); err != nil {
		return err
	}
	if err := h.endOther(tx, o); err != nil {
		return err
	}
	if m == ByMail {
		t.Channel, t.Address = otp.Mail, MaskEmail(o.mail(s))
	} else {
		t.Channel, t.LastStep, t.Drift = otp.App, c.AppStep, h.Limits.AppDrift
		if err := h.enrol(tx, c); err != nil {
			return err
		}
	}
	challenge, code, err := otp.Issue(t, h.OTP, h.random(), h.Clock.Now())
	if err != nil {
		return err
	}
	if err := tx.PutChallenge(&challenge); err != nil {
		return err
	}
	o.CodeSent = Delivery{} // what became of an earlier message says nothing of this one
	if code != "" {
		if err := h.send(tx, o, s, challenge, code); err != nil {
			return err
		}
		o.CodeSent = Delivery{State: "waiting", At: h.Clock.Now()}
	}
	return o.Challenged(id, m, h.Clock.Now())
}

// terms are what a code for this order is good for: these bytes, this content, this amount.
func (h *Hall) terms(o *Order, s *catalog.Service, id string) (otp.Terms, error) {
	t := otp.Terms{ID: id, Account: o.Customer, Order: o.Number, Purpose: h.purpose(o, s), Amount: int64(s.Amount(o.Values)), Life: h.Limits.CodeLife}
	if err := digestOf(o.Document.BaseSHA256, &t.Document); err != nil {
		return t, err
	}
	return t, digestOf(o.Document.ContentSHA256, &t.Content)
}

func digestOf(text string, out *[32]byte) error {
	n, err := hex.Decode(out[:], []byte(text))
	if err == nil && n != len(out) {
		err = fmt.Errorf("a digest has %d bytes", n)
	}
	return err
}

// mayAsk keeps to the limits of the account.
func (h *Hall) mayAsk(tx Tx, t otp.Terms) error {
	now := h.Clock.Now()
	past, err := tx.ChallengesOf(t.Account, now.Add(-24*time.Hour))
	if err != nil {
		return err
	}
	all := make([]otp.Challenge, len(past))
	for i, c := range past {
		all[i] = *c
	}
	return otp.Allow(all, now)
}

// endOther ends whatever confirmation runs.
func (h *Hall) endOther(tx Tx, o *Order) error {
	if err := errors.Join(h.endCode(tx, o), o.dropPen(tx), o.dropOwn(tx)); err != nil {
		return err
	}
	o.Way, o.Challenge = "", ""
	return nil
}

// endCode ends the challenge that runs; a code for it no longer confirms anything.
func (h *Hall) endCode(tx Tx, o *Order) error {
	if o.Challenge == "" {
		return nil
	}
	c, err := tx.Challenge(o.Challenge)
	if err != nil {
		return err
	}
	rev := c.Rev
	if c.Replace(h.Clock.Now()); c.Rev == rev {
		return nil
	}
	return tx.PutChallenge(c)
}

// enrol draws an app secret for a customer who has none that was ever used.
func (h *Hall) enrol(tx Tx, c *Customer) error {
	if c.App != "" {
		return nil
	}
	secret, err := otp.Enrol(h.random())
	if err != nil {
		return err
	}
	c.App = appText.EncodeToString(secret)
	return tx.PutCustomer(c)
}

var appText = base32.StdEncoding.WithPadding(base32.NoPadding)

// send queues the message with the code; its key is the challenge, so that it leaves once.
func (h *Hall) send(tx Tx, o *Order, s *catalog.Service, c otp.Challenge, code string) error {
	u := h.Units[o.Unit]
	payload, err := json.Marshal(CodeMail{To: o.mail(s), Code: code, Purpose: c.Purpose, Amount: catalog.FormatMoney(s.Amount(o.Values), o.lang()),
		Hash: otp.Short(c.Content), Expires: c.Expires, Unit: u.Name, Hotline: u.Hotline, Lang: string(o.lang()), Order: o.Number, Challenge: c.ID})
	if err != nil {
		return err
	}
	return tx.Enqueue(job.Job{Key: "otp/" + c.ID, Kind: "otp_mail", Order: o.Key, Payload: payload})
}

// purpose says what the code is for, in the customer's language.
func (h *Hall) purpose(o *Order, s *catalog.Service) string {
	return locale.Text(o.lang(), "confirm.purpose", locale.Args{"order": o.Serial(), "service": s.Title.In(o.lang())})
}

// mail is the address that the form has, or the one that was corrected for delivery.
func (o *Order) mail(s *catalog.Service) string {
	return textFrom(s, o.Values, "email")
}

// Code takes the code that the customer typed on the customer's own screen. A right one makes the customer's signature.
func (h *Hall) Code(ctx context.Context, a Actor, key, code string) (*Order, error) {
	release, ok := h.busy.try(key)
	if !ok {
		return nil, fault.New(fault.Conflict, "otp.busy", nil)
	}
	defer release()
	var refused error
	_, err := h.change(ctx, a, key, "confirm.code", func(tx Tx, o *Order) (facts, error) {
		refused = nil
		if err := o.in(Confirming); err != nil {
			return nil, err
		}
		base, err := tx.Document(o.Document.BaseID)
		if err != nil {
			return nil, err
		}
		c, err := tx.Challenge(o.Challenge)
		if err != nil {
			return nil, fault.Wrap(err, fault.Conflict, "otp.void", nil)
		}
		secret, customer, err := h.secret(tx, o, c)
		if err != nil {
			return nil, err
		}
		rev := c.Rev
		// A refusal must be stored, so it does not end the transaction: tries count even when the power goes off.
		refused = c.Check(code, sha(base), secret, h.Clock.Now())
		if c.Rev != rev {
			if err := tx.PutChallenge(c); err != nil {
				return nil, err
			}
		}
		if refused == nil && c.Channel == otp.App {
			customer.AppStep = c.LastStep
			if err := tx.PutCustomer(customer); err != nil {
				return nil, err
			}
		}
		return facts{"challenge": c.ID, "state": string(c.State), "outcome": outcome(refused)}, nil
	})
	if err != nil {
		return nil, err
	}
	if refused != nil {
		return nil, refused
	}
	return h.signForCustomer(ctx, a, key)
}

func outcome(err error) string {
	if err == nil {
		return "right"
	}
	return fault.CodeOf(err)
}

// secret is what the answer is checked against: the server's, or the app's.
func (h *Hall) secret(tx Tx, o *Order, c *otp.Challenge) ([]byte, *Customer, error) {
	if c.Channel != otp.App {
		return h.OTP, nil, nil
	}
	customer, err := tx.Customer(o.Customer)
	if err != nil {
		return nil, nil, err
	}
	secret, err := appText.DecodeString(customer.App)
	if err != nil {
		return nil, nil, fmt.Errorf("read the app secret of a customer: %w", err)
	}
	// The customer's record is the only place that knows the last step; the challenge may be older than another one.
	c.LastStep = max(c.LastStep, customer.AppStep)
	return secret, customer, nil
}

// MaskEmail leaves the first letter and the host: t***@mau.example.
func MaskEmail(address string) string {
	if address == "" {
		return ""
	}
	return otp.Mask(address)
}

// MailOf is the address that the form of an order has.
func MailOf(o *Order, s *catalog.Service) string { return o.mail(s) }

// ShortHash is the first 64 bits of a digest given in hexadecimal, as both screens and the message show them.
func ShortHash(sha256 string) string {
	var d [32]byte
	if err := digestOf(sha256, &d); err != nil {
		return ""
	}
	return otp.Short(d)
}

// signForCustomer makes the customer's signature for a right code that is already durable. It may run again after a
// crash: while the order still waits and the challenge is used, the confirmation stands and only the signature is due.
func (h *Hall) signForCustomer(ctx context.Context, a Actor, key string) (*Order, error) {
	ids, err := h.keys(2)
	if err != nil {
		return nil, err
	}
	var before *Order
	var base []byte
	var challenge *otp.Challenge
	err = h.Store.View(ctx, func(tx Tx) error {
		if before, err = h.load(tx, a, key); err != nil {
			return err
		}
		if err := before.in(Confirming); err != nil {
			return err
		}
		if base, err = tx.Document(before.Document.BaseID); err != nil {
			return err
		}
		challenge, err = tx.Challenge(before.Challenge)
		return err
	})
	if err != nil {
		return nil, err
	}
	s, err := h.service(before)
	if err != nil {
		return nil, err
	}
	ask, err := h.ceremony(before, s, base, challenge)
	if err != nil {
		return nil, err
	}
	signed, err := h.Ceremony.Customer(ctx, ask)
	if err != nil {
		return nil, err
	}
	return h.keepSignature(ctx, a, key, ids, signed, Confirmation{Method: Method(challenge.Channel).Record(), Channel: challenge.Address,
		Challenge: challenge.ID, Tries: otp.Tries - challenge.Left + 1, Asked: challenge.Issued, At: challenge.Ended})
}

// keepSignature stores the customer's signature with its evidence, under the two ids.
func (h *Hall) keepSignature(ctx context.Context, a Actor, key string, ids []string, signed signing.Signature, c Confirmation) (*Order, error) {
	record, err := signed.Evidence.Canonical()
	if err != nil {
		return nil, err
	}
	sum := sha(record)
	c.Evidence, c.Level, c.SignedID, c.EvidenceID = hex.EncodeToString(sum[:]), string(signed.Level), ids[0], ids[1]
	return h.change(ctx, a, key, "confirm.signed", func(tx Tx, o *Order) (facts, error) {
		if err := tx.PutDocument(ids[0], o.Key, "confirmed", signed.Document); err != nil {
			return nil, err
		}
		if err := tx.PutDocument(ids[1], o.Key, "evidence", record); err != nil {
			return nil, err
		}
		if err := h.enterSigner(tx, a, o, signed.Certificate); err != nil {
			return nil, err
		}
		if c.Prepared != "" {
			if err := tx.DeleteDocument(c.Prepared); err != nil {
				return nil, err
			}
		}
		told := facts{"evidence": c.Evidence, "level": c.Level, "document": o.Document.BaseSHA256, "method": c.Method, "rank": signed.Evidence.Rank.String()}
		return told, o.ConfirmedBy(c, h.Clock.Now())
	})
}

// ceremony puts together what the ceremony checks before it signs.
func (h *Hall) ceremony(o *Order, s *catalog.Service, base []byte, c *otp.Challenge) (signing.Confirm, error) {
	ask := signing.Confirm{Order: o.Number, Document: base, Challenge: *c, Needed: s.Assurance, Person: o.person(), Reading: o.read(),
		Reason: c.Purpose, Location: h.Units[o.Unit].Place}
	l := s.Language
	wide, high := workorder.FieldSize(string(l), workorder.FieldCustomer)
	block, err := stamp.Block([]string{locale.Text(l, "stamp.customer", nil), o.Confirmee, h.codeStamp(l, c),
		c.Ended.In(clock.Vietnam).Format(stampTime), ShortHash(o.Document.ContentSHA256)}, 9, stamp.Blue, h.Fonts.Regular...)
	if err != nil {
		return ask, fmt.Errorf("draw the confirmation of order %s: %w", o.Number, err)
	}
	block = stamp.Fit(block, wide, high)
	ask.Appearance = &block
	if err := digestOf(o.Document.BaseSHA256, &ask.Displayed); err != nil {
		return ask, err
	}
	return ask, digestOf(o.Document.ContentSHA256, &ask.Content)
}

// stampTime is how a moment stands in a signature's field.
const stampTime = "2006-01-02 15:04:05 -07:00"

// codeStamp is the line that says by what code the customer confirmed, and what that is worth.
func (h *Hall) codeStamp(l locale.Lang, c *otp.Challenge) string {
	args := locale.Args{"channel": c.Address, "rank": Method(c.Channel).Rank().String()}
	if c.Channel == otp.App {
		return locale.Text(l, "stamp.app", args)
	}
	return locale.Text(l, "stamp.otp", args)
}

// person is who confirms, as the card that was read and the clerk's eye establish it.
func (o *Order) person() signing.Person {
	card := o.Card.Card
	return signing.Person{Name: o.Confirmee, Document: string(card.Kind), Number: MaskNumber(card.Fields[idcard.Number]),
		Assurance: card.Assurance, JudgedBy: o.Portrait.JudgedBy.StaffID, At: o.Card.At}
}

// read is what the customer did with the text before agreeing.
func (o *Order) read() signing.Reading {
	return signing.Reading{Agreement: o.Document.Agreement, Shown: o.Document.Pages[0].Shown, Finished: lastShown(o),
		Agreed: o.Times.Agreed, Lines: o.Document.Lines}
}

func sha(data []byte) [32]byte { return sha256.Sum256(data) }
