package intake

import (
	"slices"

	"countersign/helpdesk"
	"countersign/internal/job"
	"countersign/mail"
)

// ticket opens a new one for the mail.
func (f *filing) ticket(m *mail.Message, v mail.Verdict, place place) error {
	route := helpdesk.Route(f.w.reading.Routing)
	category, lacks := f.w.digest.category, f.w.digest.lacks
	serial, err := f.r.Numbering.Draw(f.tx, f.now)
	if err != nil {
		return err
	}
	t := &helpdesk.Ticket{
		Key: f.r.Numbering.Format(serial), Channel: helpdesk.ByMail, Priority: helpdesk.Normal, Rank: helpdesk.RankMail,
		Route: route, Category: category.Code, Subject: f.in.Subject, Customer: f.in.From.Address, Proven: v.Level.Proven(),
		Trust: f.in.Trust, Claims: place.claims, Lacks: lacks, Unread: 1,
		Contact: helpdesk.Contact{Name: f.in.From.Name, Phone: f.w.digest.phone},
	}
	if route.Valid() {
		t.Rank = helpdesk.RankSubject
	}
	if f.in.From.Address != "" {
		t.Participants = []helpdesk.Participant{{Address: f.in.From.Address, Name: f.in.From.Name, Since: f.now}}
	}
	if err := f.knownUnit(t); err != nil {
		return err
	}
	if place.claims != "" {
		t.Links = append(t.Links, place.claims)
	}
	if err := f.add(m, t, helpdesk.FromCustomer, nil); err != nil {
		return err
	}
	for _, id := range place.awaits {
		if err := f.tx.Await(id, t.Key); err != nil {
			return err
		}
	}
	points, err := f.points(t, lacks)
	if err != nil {
		return err
	}
	sent, err := f.receipt(t, points)
	if err != nil {
		return err
	}
	if !sent {
		lacks = nil // nobody was asked, so nobody is waited for
	}
	t.Begin(f.r.Working, f.now, category.Term, lacks)
	what := f.facts(m)
	what["province"], what["category"] = t.Route.Province, t.Category
	return f.store(t, helpdesk.ToTicket, "request", "ticket.made", what)
}

// knownUnit notes the unit that has registered the sender's address; without proof anybody could claim to be it.
func (f *filing) knownUnit(t *helpdesk.Ticket) error {
	if !t.Proven {
		return nil
	}
	u, err := helpdesk.UnitOf(f.tx, f.in.From.Address)
	if err != nil || u == nil {
		return err
	}
	t.Unit, t.Contact.Unit, t.Trust.Known = u.Code, u.Name, true
	if t.Route.Province == "" {
		t.Route.Province = u.Province
	}
	return nil
}

// points are what the receipt of a new ticket tells.
func (f *filing) points(t *helpdesk.Ticket, asked []string) ([]helpdesk.Point, error) {
	out := []helpdesk.Point{{Name: helpdesk.PointTicket, Args: map[string]string{"serial": t.Key}}}
	switch {
	case t.Route.Problem == "office":
		out = append(out, helpdesk.Point{Name: helpdesk.PointOffice, Args: map[string]string{"code": t.Route.Code, "province": t.Route.Province}})
	case !t.Route.Valid() && f.in.Trust.Level.Proven():
		told, err := spend(f.tx, []budget{{"correct " + helpdesk.FoldAddress(f.in.From.Address), f.r.Limits.Correction, 1, "told"}}, f.now)
		if err != nil {
			return nil, err
		}
		if told == "" {
			out = append(out, helpdesk.Point{Name: helpdesk.PointSubject, Args: map[string]string{"problem": t.Route.Problem, "example": "[0010#DVC]"}})
		}
	}
	for _, what := range asked {
		out = append(out, helpdesk.Point{Name: helpdesk.PointMissing, Args: map[string]string{"what": what}})
	}
	if t.Claims != "" {
		out = append(out, helpdesk.Point{Name: helpdesk.PointClaim})
	}
	if article := f.r.Categories.Category(t.Category).Article; article != "" && slices.Contains(asked, "description") {
		out = append(out, helpdesk.Point{Name: helpdesk.PointArticle, Args: map[string]string{"name": article}})
	}
	return append(out, f.secretPoints()...), nil
}

func (f *filing) secretPoints() (out []helpdesk.Point) {
	for _, kind := range f.w.digest.kinds {
		out = append(out, helpdesk.Point{Name: helpdesk.PointSecret, Args: map[string]string{"kind": kind}})
	}
	return out
}

// receipt queues the one automatic mail that a mail may cause: only to a proven sender, never to a program, and as far as
// the budgets go. It holds points and nothing that the sender wrote.
func (f *filing) receipt(t *helpdesk.Ticket, points []helpdesk.Point) (sent bool, err error) {
	if len(points) == 0 || !f.in.Trust.Level.Proven() || f.w.reading.Mail.Automatic() || !t.MayAutomatic() || f.in.From.Address == "" {
		return false, nil
	}
	over, err := spend(f.tx, f.r.Limits.answering(f.in.From.Address), f.now)
	if err != nil {
		return false, err
	}
	if over != "" {
		f.in.Reasons = append(f.in.Reasons, "unanswered."+over)
		return false, nil
	}
	id, err := f.r.Secrets.NewMailID()
	if err != nil {
		return false, err
	}
	msg := t.Next(helpdesk.Automatic, f.now)
	o := &helpdesk.Outgoing{
		Key: msg.Key, Ticket: t.Key, Message: msg.Key, Form: helpdesk.Receipt, State: helpdesk.Queued, Created: f.now,
		To: helpdesk.Address{Address: f.in.From.Address}, Points: points, MailID: id, ReplyTo: f.r.Secrets.ReplyAddress(t.Key),
	}
	if f.in.MailID != "" {
		o.Parents = []string{f.in.MailID}
	}
	msg.To, msg.MailID, msg.Outgoing = []helpdesk.Address{o.To}, id, o.Key
	t.Automatic++
	f.out.queued = true
	if err := f.tx.PutOutgoing(o); err != nil {
		return false, err
	}
	if err := f.tx.PutMessage(msg); err != nil {
		return false, err
	}
	err = f.tx.Enqueue(job.Job{Key: "desk mail " + o.Key, Kind: helpdesk.MailJob, Order: t.Key, Payload: []byte(o.Key), Created: f.now})
	return err == nil, err
}
