package mirror

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"countersign/internal/locale"
	"countersign/kiosk"
	"countersign/kiosk/catalog"
	"countersign/kiosk/idcard"
	"countersign/kiosk/workorder"
	"countersign/signing/otp"
)

// Scene is all that a projection is made from: the order in hand with its service, and what is not part of an order.
type Scene struct {
	Unit      kiosk.Unit
	Counter   string
	Clerk     kiosk.Person
	Present   bool // a clerk is signed in at the counter
	Locked    bool
	Lang      string
	Now       time.Time
	Order     *kiosk.Order
	Service   *catalog.Service
	Source    func(source string, l locale.Lang) string // words for the customer about where a value came from
	Amount    string
	Lines     []workorder.Line // of the page that is shown
	Promises  []Promise
	Challenge *otp.Challenge
	Enrol     string // otpauth URI of an app that was never used
	HasApp    bool
	Offers    []kiosk.Offer
	Providers []string // of customers' keys, by name
	Purpose   string   // of the confirmation, in the customer's words
	Typing    Typing
	Digits    int
	Back      bool             // the customer went back from agreeing to reading
	Cleared   bool             // the customer has gone; the thanks are over
	Shown     *catalog.Service // card that the clerk looks at before there is a form
}

// Typing is the text that the clerk types at this moment; it is on no disk.
type Typing struct {
	Order string
	Field string
	Text  string
	Set   bool // Text replaces the saved value; otherwise only the mark moves
}

// Project returns what the customer may see. It depends on nothing but the scene.
func Project(s Scene) Snapshot {
	out := Snapshot{Stage: Welcome, Unit: s.Unit.Name, Hotline: s.Unit.Hotline, Counter: s.Counter, Lang: s.Lang, Now: s.Now}
	if s.Locked || !s.Present {
		out.Stage, out.Seam = Curtain, seam("seam.counter.locked")
		return out
	}
	out.Clerk, out.StaffID = s.Clerk.Name, s.Clerk.StaffID
	out.Seam = seam("seam.counter.ready", "clerk", s.Clerk.Name)
	o, l := s.Order, lang(s)
	if o == nil && s.Shown != nil {
		out.Stage, out.Step, out.Summary = Visit, 1, serviceCard(s.Shown, l)
		out.Title = s.Shown.Number + " " + s.Shown.Title.In(l)
		return out
	}
	if o == nil || o.Aside || s.Cleared {
		return out
	}
	out.Order, out.Serial, out.Step = o.Key, o.Serial(), o.Step()
	out.Title = s.Service.Number + " " + s.Service.Title.In(l)
	out.Due, out.Retain, out.Version = o.Due, o.Document.Retain, o.Document.Agreement
	out.Digest = o.Document.ContentSHA256
	if d := o.Document.ContentSHA256; d != "" && o.State != kiosk.Draft && o.State != kiosk.Invited {
		out.Hash = kiosk.ShortHash(d)
	}
	switch o.State {
	case kiosk.Draft, kiosk.Invited:
		form(&out, s, l)
	case kiosk.Reading:
		reading(&out, s)
	case kiosk.Agreed:
		cardAndPortrait(&out, s, l)
	case kiosk.Confirming:
		confirming(&out, s)
	case kiosk.Confirmed:
		out.Stage, out.Step, out.Seam = Waiting, 5, seam("seam.counter.sealing", "unit", s.Unit.Name)
	case kiosk.Sealed, kiosk.Closed:
		finished(&out, s)
	case kiosk.Cancelled:
		out.Stage = Stopped
	}
	return out
}

// serviceCard is what is published about a service.
func serviceCard(s *catalog.Service, l locale.Lang) *ServiceCard {
	card := &ServiceCard{Title: s.FullTitle.In(l), Days: s.Term.Days, Fee: catalog.FormatMoney(s.Fee.Amount, l)}
	if note := s.Fee.Note.In(l); note != "" {
		card.Fee = note
	}
	for _, p := range s.Papers {
		card.Papers = append(card.Papers, p.Name.In(l))
	}
	return card
}

func lang(s Scene) locale.Lang {
	if l, err := locale.Parse(s.Lang); err == nil {
		return l
	}
	return locale.Vietnamese
}

func seam(id string, args ...string) kiosk.Seam {
	out := kiosk.Seam{ID: id, Args: map[string]string{}}
	for i := 0; i+1 < len(args); i += 2 {
		out.Args[args[i]] = args[i+1]
	}
	return out
}

// form mirrors the visible fields, numbered as on the clerk's screen.
func form(out *Snapshot, s Scene, l locale.Lang) {
	o := s.Order
	out.Stage, out.Step, out.Seam = Form, 2, seam("seam.counter.form", "clerk", s.Clerk.Name)
	out.Rows = rows(s, l)
	for i := range out.Rows {
		row := &out.Rows[i]
		if s.Typing.Order != o.Key || s.Typing.Field != row.Field {
			continue
		}
		out.Marked, row.Live = row.Number, true
		out.Seam = seam("seam.counter.typing", "clerk", s.Clerk.Name, "number", strconv.Itoa(row.Number))
		if f, ok := s.Service.Field(row.Field); ok && s.Typing.Set {
			row.Value, row.Note, row.NoteArg = s.Typing.Text, "note.typing", ""
			if masked(f, s.Typing.Text) {
				// The last digits, shown at every length, would tell the whole number to whoever watches it grow.
				row.Value = strings.Repeat("*", utf8.RuneCountInString(s.Typing.Text))
			}
		}
	}
	for _, ob := range o.Objections {
		if ob.Closed.IsZero() && !ob.Answered.IsZero() {
			if f, ok := s.Service.Field(ob.Field); ok && f.Visible {
				out.Question = &Question{Number: f.Number, Field: f.Name, Value: shown(f, o.Values[f.Name], l)}
				break
			}
		}
	}
	if o.State == kiosk.Invited && o.OpenObjection("") == nil {
		out.Stage, out.Marked, out.Seam = Invite, 0, seam("seam.counter.invites", "clerk", s.Clerk.Name)
	}
}

// rows are the fields that the service lets the customer see.
func rows(s Scene, l locale.Lang) []Row {
	var out []Row
	for _, f := range s.Service.Fields() {
		if f.Visible {
			out = append(out, formRow(s, f, l))
		}
	}
	return out
}

// formRow is one field with the customer's words about where its value came from.
func formRow(s Scene, f *catalog.Field, l locale.Lang) Row {
	o := s.Order
	v := o.Values[f.Name]
	row := Row{Number: f.Number, Field: f.Name, Label: f.Label.In(l), Value: shown(f, v, l)}
	switch {
	case v.Edited:
		row.Note, row.NoteArg, row.Changed = "note.changed", tail(shown(f, catalog.Value{Text: v.Old}, l)), true
	case v.Source != "":
		row.Note, row.NoteArg = "note.source", s.Source(v.Source, l)
	}
	if ob := o.OpenObjection(f.Name); ob != nil {
		row.Objected = ob.Answered.IsZero()
		row.Note = "note.objected"
		if !ob.Answered.IsZero() {
			row.Note = "note.answered"
		}
		row.NoteArg = ""
	}
	return row
}

// personalNumber is the length of a person's own number, which since 2025 is the person's tax code too.
const personalNumber = 12

// masked reports whether people who stand behind the customer must not read the field with this text.
func masked(f *catalog.Field, text string) bool {
	return f.Type == catalog.IDNumber || f.Type == catalog.TaxCode && !strings.Contains(text, "-") && len(text) >= personalNumber
}

func shown(f *catalog.Field, v catalog.Value, l locale.Lang) string {
	if v.Empty() {
		return ""
	}
	if masked(f, v.Text) {
		return kiosk.MaskNumber(v.Text)
	}
	return f.Show(v, l)
}

// tail is the end of an old value, enough to recognise it: "..017".
func tail(old string) string {
	r := []rune(old)
	if len(r) > 6 {
		return ".." + strings.TrimSpace(string(r[len(r)-4:]))
	}
	return old
}

// reading shows the page at which the customer is, and the question whether to agree after the last one.
func reading(out *Snapshot, s Scene) {
	d := s.Order.Document
	out.Stage, out.Step, out.Seam = Reading, 4, seam("seam.counter.waits_reading", "clerk", s.Clerk.Name)
	page := &Page{Number: d.Shown, Of: len(d.Pages), Total: d.Lines, End: s.Order.ReadToEnd()}
	if d.Shown >= 1 && d.Shown <= len(d.Pages) {
		page.Last = d.Pages[d.Shown-1].LastLine
	}
	for _, line := range s.Lines {
		page.Lines = append(page.Lines, Line{Text: line.Text, Head: line.Head})
	}
	out.Page, out.Promises = page, s.Promises
	// The rows go along so that the customer can still point at a field that is wrong.
	out.Rows = rows(s, lang(s))
}

// cardAndPortrait shows the masked outcome of the card and the picture.
func cardAndPortrait(out *Snapshot, s Scene, l locale.Lang) {
	o := s.Order
	out.Stage, out.Step, out.Seam = Card, 4, seam("seam.counter.card", "clerk", s.Clerk.Name)
	if o.Card != nil {
		out.CardAt, out.CardBad = o.Card.At, !o.Card.OK()
		for _, m := range o.Card.Matches {
			out.CardRows = append(out.CardRows, CardRow{Field: string(m.Field), Value: maskCard(m), Verdict: string(m.Verdict)})
		}
		if out.CardBad {
			out.Seam = seam("seam.counter.compares", "clerk", s.Clerk.Name)
		}
	}
	if p := o.Portrait; p != nil {
		out.Portrait = p.DocumentID
		out.Retakes = max(0, 3-p.Retakes)
	}
}

// maskCard hides what people behind the customer must not read: number, day and month of birth.
func maskCard(m idcard.Match) string {
	switch string(m.Field) {
	case idcard.Number:
		return kiosk.MaskNumber(m.Card)
	case idcard.Birth:
		if len(m.Card) >= 4 {
			return "**/**/" + m.Card[:4]
		}
	}
	return m.Card
}

// confirming asks how to confirm, or for the code.
func confirming(out *Snapshot, s Scene) {
	o := s.Order
	out.Stage, out.Step, out.Seam = Channel, 5, seam("seam.counter.waits_code", "clerk", s.Clerk.Name)
	mail := kiosk.MaskEmail(kiosk.MailOf(o, s.Service))
	c := &Confirm{Mail: mail, HasApp: s.HasApp, Amount: s.Amount, Offers: s.Offers}
	out.Confirm = c
	if o.Way != "" {
		c.Rank = o.Way.Rank().String()
	}
	if o.Way == kiosk.ByInk && o.Pen != nil {
		out.Stage, c.Method, c.SentAt, c.State = Ink, o.Way.Record(), o.Pen.Began, "open"
		out.Seam = seam("seam.counter.watches", "clerk", s.Clerk.Name)
		if o.Pen.Written() {
			c.State, out.Seam = "written", seam("seam.counter.attests", "clerk", s.Clerk.Name)
		}
		return
	}
	if o.Way == kiosk.ByRemote && o.Own != nil {
		c.Method, c.SentAt, c.Purpose, c.Providers, c.Failed, c.FailedArgs = o.Way.Record(), o.Own.Asked, s.Purpose, s.Providers, o.Own.Failed, o.Own.FailedArgs
		if o.Own.State != kiosk.RemoteFailed { // what came to nothing leads back to the choice, with its reason
			out.Stage, c.State, c.Provider, c.Until = Remote, o.Own.State, o.Own.Provider, o.Own.Until
			out.Seam = seam("seam.counter.no_pin", "clerk", s.Clerk.Name)
		}
		return
	}
	if o.Way == kiosk.ByToken && o.Own != nil {
		out.Stage, c.Method, c.SentAt, c.Purpose = Token, o.Way.Record(), o.Own.Asked, s.Purpose
		out.Seam = seam("seam.counter.no_pin", "clerk", s.Clerk.Name)
		return
	}
	ch := s.Challenge
	if ch == nil {
		return
	}
	out.Stage = Code
	c.Method, c.Purpose, c.To = "otp_"+string(ch.Channel), ch.Purpose, ch.Address
	c.SentAt, c.Expires, c.Again = ch.Issued, ch.Expires, otp.NextAt(*ch)
	c.Tries, c.Try, c.State = otp.Tries, otp.Tries-ch.Left+1, string(ch.State)
	c.Sent = o.CodeSent.State
	if s.Enrol != "" {
		c.Enrol = s.Enrol
	}
}

// finished asks for the receipt, then for a rating, then says goodbye.
func finished(out *Snapshot, s Scene) {
	o := s.Order
	out.Step, out.SealedAt, out.Verify = 8, o.Times.Sealed, o.Document.VerifyCode
	to := o.Receipt.To
	if to == "" {
		to = kiosk.MailOf(o, s.Service)
	}
	out.Delivery = &Delivery{Mail: kiosk.MaskEmail(to), MailFull: to, Medium: o.Receipt.Medium,
		MailState: o.Receipt.Mail.State, MailNote: o.Receipt.Mail.Note, Print: o.Receipt.Print.State, PrintNote: o.Receipt.Print.Note}
	failed := o.Receipt.Mail.State == "failed" || o.Receipt.Print.State == "failed"
	switch {
	case o.State == kiosk.Closed:
		out.Delivery.MailFull = "" // nobody asks for it any more
		out.Stage, out.Seam = Thanks, seam("seam.counter.bye", "clerk", s.Clerk.Name)
	case o.Receipt.Medium == "" || failed:
		out.Stage, out.Seam = Receipt, seam("seam.counter.waits_receipt", "clerk", s.Clerk.Name)
		if o.Receipt.WrongMail {
			out.Seam = seam("seam.counter.fixes_mail", "clerk", s.Clerk.Name)
		}
	default:
		out.Stage, out.Seam = Rating, seam("seam.counter.unseen", "clerk", s.Clerk.Name)
	}
}

// CustomerSeam says to the clerk what the customer is doing.
func CustomerSeam(s Scene) kiosk.Seam {
	o := s.Order
	if o == nil || s.Locked {
		return seam("seam.customer.welcome")
	}
	switch o.State {
	case kiosk.Draft, kiosk.Invited:
		return formSeam(s)
	case kiosk.Reading:
		d := o.Document
		id := "seam.customer.reading"
		if d.Help {
			id = "seam.customer.help"
		}
		last := 0
		if d.Shown >= 1 && d.Shown <= len(d.Pages) {
			last = d.Pages[d.Shown-1].LastLine
		}
		out := seam(id, "page", strconv.Itoa(d.Shown), "of", strconv.Itoa(len(d.Pages)), "line", strconv.Itoa(last), "lines", strconv.Itoa(d.Lines))
		out.Bell = d.Help
		return out
	case kiosk.Agreed:
		if o.Portrait != nil && o.Portrait.DocumentID != "" {
			return seam("seam.customer.portrait")
		}
		return seam("seam.customer.card")
	case kiosk.Confirming:
		switch {
		case o.Way == kiosk.ByInk && o.Pen.Written():
			return seam("seam.customer.wrote")
		case o.Way == kiosk.ByInk:
			return seam("seam.customer.writes")
		case o.Way == kiosk.ByRemote:
			return seam("seam.customer.remote")
		case o.Way == kiosk.ByToken:
			return seam("seam.customer.token")
		case s.Challenge == nil:
			return seam("seam.customer.channel")
		}
		return seam("seam.customer.code", "digits", strconv.Itoa(s.Digits))
	case kiosk.Confirmed:
		return seam("seam.customer.waits", "unit", s.Unit.Name)
	}
	return finishedSeam(o)
}

func formSeam(s Scene) kiosk.Seam {
	o := s.Order
	if ob := o.OpenObjection(""); ob != nil {
		number := "?"
		if f, ok := s.Service.Field(ob.Field); ok {
			number = strconv.Itoa(f.Number)
		}
		id := "seam.customer.objects"
		if !ob.Answered.IsZero() {
			id = "seam.customer.looks_again"
		}
		out := seam(id, "number", number, "time", ob.At.Format("15:04"))
		out.At, out.Bell = ob.At, ob.Answered.IsZero()
		return out
	}
	if o.State == kiosk.Invited {
		return seam("seam.customer.invited", "count", fmt.Sprint(len(o.Values)))
	}
	return seam("seam.customer.watching")
}

func finishedSeam(o *kiosk.Order) kiosk.Seam {
	switch {
	case o.State == kiosk.Closed:
		return seam("seam.customer.thanks")
	case o.Receipt.WrongMail:
		out := seam("seam.customer.wrong_mail")
		out.Bell = true
		return out
	case o.Receipt.Medium == "":
		return seam("seam.customer.receipt")
	}
	return seam("seam.customer.rating")
}
