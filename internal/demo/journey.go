package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"countersign/internal/api"
	"countersign/internal/locale"
	"countersign/kiosk"
	"countersign/kiosk/idcard"
	"countersign/signing/verify"
)

// Journey is one customer's way through the eight steps, the clerk's and the customer's acts each through their own
// terminal's interface.
type Journey struct {
	Clerk   *api.Clerk
	Display *api.Display
	Inbox   *Inbox
	Person  idcard.Person
	Mail    string
	Service string
	Values  []FieldValue // typed by the clerk, in order
	Rows    map[string][][]string
	Picture []byte
	Medium  string
	Lang    locale.Lang              // of what Step is told
	Step    func(n int, what string) // told when a step is done; may be nil

	Order kiosk.OrderView
	from  int // mails that had come before the code was asked for
}

// FieldValue is one field exit.
type FieldValue struct{ Field, Typed string }

func (j *Journey) step(n int, args locale.Args) {
	if j.Step != nil {
		j.Step(n, locale.Text(j.Lang, "demo.step."+strconv.Itoa(n), args))
	}
}

// Run walks the whole way.
func (j *Journey) Run(ctx context.Context) error {
	for _, part := range []func(context.Context) error{j.open, j.fill, j.agree, j.read, j.show, j.confirm, j.seal, j.handOver, j.receive} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// open is step 1: a scanned card opens the visit, two digits the service.
func (j *Journey) open(ctx context.Context) error {
	visit, err := j.Clerk.ScanVisit(ctx, "", j.Person.QR())
	if err != nil {
		return fmt.Errorf("step 1, scan the card: %w", err)
	}
	if j.Order, err = j.Clerk.StartOrder(ctx, visit.Visit.Key, j.Service, false); err != nil {
		return fmt.Errorf("step 1, choose service %s: %w", j.Service, err)
	}
	j.step(1, locale.Args{"visit": fmt.Sprintf("%02d", visit.Visit.Serial), "service": j.Service})
	return nil
}

// fill is step 2: the clerk types, the customer sees.
func (j *Journey) fill(ctx context.Context) error {
	key := j.Order.Order.Key
	var err error
	for _, v := range j.Values {
		if j.Order, err = j.Clerk.SetField(ctx, key, v.Field, j.Order.Order.Values[v.Field].Text, v.Typed); err != nil {
			return fmt.Errorf("step 2, field %s: %w", v.Field, err)
		}
	}
	for field, rows := range j.Rows {
		if j.Order, err = j.Clerk.SetRows(ctx, key, field, rows); err != nil {
			return fmt.Errorf("step 2, table %s: %w", field, err)
		}
	}
	for _, p := range j.Order.Problems {
		if !p.Note {
			return fmt.Errorf("step 2: field %d (%s) stops the order: %w", p.Number, p.Field, p.Err())
		}
	}
	if j.Order, err = j.Clerk.Invite(ctx, key); err != nil {
		return fmt.Errorf("step 2, invite: %w", err)
	}
	j.step(2, locale.Args{"fields": len(j.Order.Order.Values)})
	return nil
}

// agree is step 3: the customer agrees to the form, the work order is made.
func (j *Journey) agree(ctx context.Context) error {
	key := j.Order.Order.Key
	if err := j.Display.AgreeForm(ctx, key); err != nil {
		return fmt.Errorf("step 3, the customer agrees: %w", err)
	}
	var err error
	if j.Order, err = j.Clerk.Order(ctx, key); err != nil {
		return fmt.Errorf("step 3: %w", err)
	}
	j.step(3, locale.Args{"order": j.Order.Order.Number, "agreement": j.Order.Order.Document.Agreement, "hash": j.Order.Hash})
	return nil
}

// read is the first half of step 4: every page is shown, then the customer agrees to exactly this text.
func (j *Journey) read(ctx context.Context) error {
	o := j.Order.Order
	for page := range o.Document.Pages {
		if err := j.Display.ShowPage(ctx, o.Key, page+1); err != nil {
			return fmt.Errorf("step 4, page %d: %w", page+1, err)
		}
	}
	if err := j.Display.Agree(ctx, o.Key, o.Document.ContentSHA256); err != nil {
		return fmt.Errorf("step 4, the customer agrees to the text: %w", err)
	}
	return nil
}

// show is the second half of step 4: card and picture.
func (j *Journey) show(ctx context.Context) error {
	key := j.Order.Order.Key
	var err error
	if j.Order, err = j.Clerk.Order(ctx, key); err != nil {
		return fmt.Errorf("step 4: %w", err)
	}
	if !j.Order.Order.Card.OK() {
		if j.Order, err = j.Clerk.ScanCard(ctx, key, j.Person.QR()); err != nil {
			return fmt.Errorf("step 4, card: %w", err)
		}
	}
	if j.Order, err = j.Clerk.Portrait(ctx, key, j.Picture); err != nil {
		return fmt.Errorf("step 4, picture: %w", err)
	}
	if j.Order, err = j.Clerk.Judge(ctx, key); err != nil {
		return fmt.Errorf("step 4, judge the picture: %w", err)
	}
	o := j.Order.Order
	j.step(4, locale.Args{"pages": len(o.Document.Pages), "lines": o.Document.Lines})
	return nil
}

// confirm is the first half of step 5: the code comes by mail and is typed on the customer's screen.
func (j *Journey) confirm(ctx context.Context) error {
	key := j.Order.Order.Key
	j.from = j.Inbox.Count()
	if err := j.Display.Channel(ctx, key, "mail"); err != nil {
		return fmt.Errorf("step 5, ask for a code: %w", err)
	}
	code, err := j.Inbox.Code(ctx, j.Mail, j.from)
	if err != nil {
		return fmt.Errorf("step 5, wait for the code: %w", err)
	}
	if err := j.Display.Code(ctx, key, code); err != nil {
		return fmt.Errorf("step 5, type the code: %w", err)
	}
	return nil
}

// seal is the second half of step 5, and step 6.
func (j *Journey) seal(ctx context.Context) error {
	key, number := j.Order.Order.Key, j.Order.Order.Number
	var err error
	if j.Order, err = j.Clerk.Seal(ctx, key, number[len(number)-4:]); err != nil {
		return fmt.Errorf("step 5, apply the seals: %w", err)
	}
	o := j.Order.Order
	j.step(5, locale.Args{"channel": o.Confirm.Channel, "seals": len(o.Seals) - 1, "level": o.Document.Signatures[len(o.Document.Signatures)-1].Level})
	j.step(6, locale.Args{"first": o.FirstEntry, "last": o.LastEntry})
	return nil
}

// handOver is step 7: the back office acknowledges by itself.
func (j *Journey) handOver(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	events := j.Clerk.Events(ctx)
	for {
		var err error
		if j.Order, err = j.Clerk.Order(ctx, j.Order.Order.Key); err != nil {
			return fmt.Errorf("step 7: %w", err)
		}
		if h := j.Order.Order.HandOver; h.State == "done" {
			j.step(7, locale.Args{"system": h.System, "ack": h.Ack})
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.New("step 7: the back office has not acknowledged within 30 seconds")
		case <-events:
		}
	}
}

// receive is step 8: the customer chooses the medium and rates.
func (j *Journey) receive(ctx context.Context) error {
	key := j.Order.Order.Key
	if err := j.Display.Receipt(ctx, key, j.Medium); err != nil {
		return fmt.Errorf("step 8, choose the receipt: %w", err)
	}
	if j.Medium == "mail" || j.Medium == "both" {
		if _, err := j.Inbox.Receipt(ctx, j.Mail, j.Order.Order.Number); err != nil {
			return fmt.Errorf("step 8, wait for the receipt: %w", err)
		}
	}
	if err := j.Display.Rate(ctx, key, 5); err != nil {
		return fmt.Errorf("step 8, rate: %w", err)
	}
	if err := j.Display.Done(ctx, key); err != nil {
		return fmt.Errorf("step 8: %w", err)
	}
	if err := j.Clerk.Release(ctx); err != nil {
		return fmt.Errorf("step 8: %w", err)
	}
	j.step(8, locale.Args{"medium": locale.Text(j.Lang, "demo.medium."+j.Medium, nil), "code": j.Order.Order.Document.VerifyCode})
	return nil
}

// Capacity is the journey of the known customer who wants more power: service 11.
func (w *World) Capacity(ctx context.Context) (*Journey, error) {
	clerk, display, err := w.SignIn(ctx)
	if err != nil {
		return nil, err
	}
	picture, err := os.ReadFile(w.path("camera-samples", "sharp.jpg"))
	if err != nil {
		return nil, err
	}
	return &Journey{Clerk: clerk, Display: display, Inbox: w.Inbox, Person: thu, Mail: Mailbox, Service: "11", Picture: picture, Medium: "both",
		Values: []FieldValue{{"papers_check", "1"}, {"phone", "0900000018"}, {"capacity", "7,5"}, {"phases", "1"}, {"papers_state", "1"}, {"notice", "2"}},
		Rows:   map[string][][]string{"appliances": {{"Điều hòa", "2", "1200", "8"}, {"Bếp từ", "1", "3600", "2"}}}}, nil
}

// SignIn opens the clerk's session at the demonstration's counter and the customer's screen beside it.
func (w *World) SignIn(ctx context.Context) (*api.Clerk, *api.Display, error) {
	clerk := &api.Clerk{Client: w.Client(), Unit: Unit, Counter: Counter}
	if _, err := clerk.SignIn(ctx, User, Password); err != nil {
		return nil, nil, fmt.Errorf("step 1, sign in: %w", err)
	}
	display := &api.Display{Client: w.Client()}
	display.SetToken(w.Display)
	return clerk, display, nil
}

// Play walks one customer through the eight steps and one support mail through its life, telling each step, checks what
// came out, and leaves the work order, its receipt and the answer to the mail in out/.
func (w *World) Play(ctx context.Context, out io.Writer, lang locale.Lang) error {
	j, err := w.Capacity(ctx)
	if err != nil {
		return err
	}
	j.Lang = lang
	j.Step = func(n int, what string) {
		fmt.Fprintln(out, locale.Text(lang, "demo.step", locale.Args{"n": n, "what": what}))
	}
	if err := j.Run(ctx); err != nil {
		return err
	}
	if err := w.leave(ctx, j, out, lang); err != nil {
		return err
	}
	return w.playSupport(ctx, out, lang)
}

// leave writes the files of the journey and verifies the work order as a stranger would.
func (w *World) leave(ctx context.Context, j *Journey, out io.Writer, lang locale.Lang) error {
	file, err := j.Clerk.Document(ctx, j.Order.Order.Key)
	if err != nil {
		return err
	}
	letter, err := w.Inbox.Receipt(ctx, j.Mail, j.Order.Order.Number)
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{"work-order.pdf": file, "receipt.eml": letter.Raw} {
		if err := os.WriteFile(w.path("out", name), data, 0o600); err != nil {
			return fmt.Errorf("leave the files of the journey: %w", err)
		}
	}
	r := verify.Verify(file, verify.Policy{Roots: w.Service.Hall.Roots, At: w.Service.Options.Clock.Now()})
	if r.Verdict != verify.Passed {
		return fmt.Errorf("the finished work order is %s: %s", r.Verdict, r.Summary.English)
	}
	journal, err := w.Service.VerifyJournal(ctx, nil)
	if err != nil {
		return err
	}
	if !journal.OK() {
		return fmt.Errorf("the journal is broken from entry %d on", journal.First())
	}
	fmt.Fprintf(out, "\n%s\n\n", locale.Text(lang, "demo.verified", locale.Args{"verdict": r.Verdict, "signatures": len(r.Signatures), "entries": journal.Size}))
	for _, p := range [][2]string{{"order", w.path("out", "work-order.pdf")}, {"mail", w.path("out", "receipt.eml")},
		{"paper", w.path("print", "receipt-"+j.Order.Order.Number+".pdf")}, {"root", w.path("ca", "root.pem")}, {"data", w.path("data")}} {
		fmt.Fprintf(out, "%s  %s\n", locale.Text(lang, "demo.left."+p[0], nil), p[1])
	}
	return nil
}
