package genuine

import (
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"countersign/helpdesk"
	"countersign/helpdesk/intake"
	"countersign/helpdesk/reply"
	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/job"
	"countersign/mail"
	"countersign/mail/smime"
	"countersign/signing/journal"
)

// Limits are how many answers an address gets; the zero value gives none.
type Limits struct {
	Hour, Day int           // to one address
	Minute    int           // to everybody
	From, To  time.Duration // an answer waits a random time between these
}

// DefaultLimits let an honest customer ask about each of our mails, and nobody drive us.
var DefaultLimits = Limits{Hour: 3, Day: 10, Minute: 60, From: 30 * time.Second, To: 120 * time.Second}

// Office answers questions whether something is ours.
type Office struct {
	Store   helpdesk.Store
	Secrets *helpdesk.Secrets
	Roots   *x509.CertPool // of the certificates with which our mails are signed
	Limits  Limits
	Clock   clock.Clock
	Rand    io.Reader
	helpdesk.Switchboard
}

// The reasons of a mail's fate "check", as agents see them. Each but the first two is silence.
const (
	Answered   = "check.issued"
	Refuted    = "check.not_issued"
	Automatic  = "check.automatic" // a program asks
	Unproven   = "check.unproven"  // nothing proves who asks
	Several    = "check.several"   // not exactly one mail was attached
	NoMatch    = "check.no_match"  // number, code and sender don't belong together
	Altered    = "check.altered"   // our mail was attached, but not as it left
	NotOurs    = "check.stranger"  // a mail that isn't ours, attached by somebody to whom we never wrote
	OverBudget = "check.over_budget"
)

// question is one as it is answered: the mail that it points to, real or made up, and whether everything fits.
type question struct {
	from    string
	forward *mail.Message // the attached mail; nil when number and code were written
	out     *helpdesk.Outgoing
	holds   bool
}

// Answer decides on a question that came by mail, and queues the answer when there is to be one. It returns the reason that
// agents see, and the ticket on which an answer stands.
func (o *Office) Answer(tx helpdesk.Tx, q intake.Question) (reason, ticket string, err error) {
	ask, reason, err := o.look(tx, q)
	if err != nil {
		return "", "", err
	}
	if reason != Answered && reason != Refuted {
		return reason, "", nil
	}
	var points []helpdesk.Point
	var t *helpdesk.Ticket
	if reason == Answered {
		t, points, err = o.confirm(tx, ask.out)
	} else {
		t, err = o.known(tx, ask.from)
		points = []helpdesk.Point{{Name: helpdesk.PointNotIssued}}
	}
	if err != nil {
		return "", "", err
	}
	if t == nil {
		return NotOurs, "", nil
	}
	if full, err := o.spend(tx, ask.from, q.Now); err != nil || full {
		return OverBudget, "", err
	}
	if reason == Refuted {
		if err := o.report(tx, q, t); err != nil {
			return "", "", err
		}
	}
	return reason, t.Key, o.queue(tx, t, ask, q, points)
}

// look does the same work for every question: one search, one read, one hash. Only then is anything decided.
func (o *Office) look(tx helpdesk.Tx, q intake.Question) (*question, string, error) {
	from, sole := q.Mail.Sole()
	ask := &question{from: from.Addr, out: &helpdesk.Outgoing{}}
	var key, words, code string
	known := false
	serial := q.Check.Serial
	if serial == "" && len(q.Mail.Enclosed) > 0 {
		ask.forward = q.Mail.Enclosed[0]
		at, err := tx.MailAt(ask.forward.MessageID)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return nil, "", err
		}
		key, known = at.Outgoing, at.Outgoing != ""
		words, code = reply.TextSHA256(ask.forward.Text), codeIn(ask.forward.Text)
	} else {
		issued, err := helpdesk.IssuedUnder(tx, serial, q.Check.Code)
		if err != nil {
			return nil, "", err
		}
		key, words, code = issued.Key, issued.Words, q.Check.Code
	}
	out, err := tx.Outgoing(key)
	if err == nil {
		ask.out = out
	} else if fault.KindOf(err) != fault.NotFound {
		return nil, "", err
	}
	if ask.forward != nil {
		serial = ask.out.Ticket
	}
	ask.holds = o.Secrets.CheckMailCode(serial, ask.out.MailID, words, from.Addr, code)
	recorded := from.Addr != "" && helpdesk.FoldAddress(ask.out.To.Address) == helpdesk.FoldAddress(from.Addr)
	left := ask.out.State == helpdesk.Sent || ask.out.State == helpdesk.Bounced
	switch {
	case q.Mail.Automatic():
		return ask, Automatic, nil
	case !sole || !q.Proven:
		return ask, Unproven, nil
	case ask.forward != nil && len(q.Mail.Enclosed) > 1:
		return ask, Several, nil
	case ask.forward != nil && !known:
		return ask, Refuted, nil
	case !recorded || !left:
		return ask, NoMatch, nil
	case ask.forward != nil && (!ask.holds || !o.signed(ask.forward, ask.out)):
		return ask, Altered, nil
	case !ask.holds:
		return ask, NoMatch, nil
	}
	return ask, Answered, nil
}

// signed reports whether an attached mail still carries the signature with which it left, over all of it: the code stands
// for its words alone, and files or HTML may have been put beside them.
func (o *Office) signed(m *mail.Message, out *helpdesk.Outgoing) bool {
	from, ok := m.Sole()
	return ok && helpdesk.FoldAddress(from.Addr) == helpdesk.FoldAddress(o.Secrets.Address) &&
		smime.Inspect(m, smime.Policy{Roots: o.Roots, At: out.SentAt}).Proves()
}

var codeForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\b[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}\b`) })

// codeIn returns the check code in a mail's footer.
func codeIn(text string) string {
	_, footer, _ := strings.Cut(strings.ReplaceAll(text, "\r\n", "\n"), "-- \n")
	return codeForm().FindString(footer)
}

// confirm says when a mail left and who wrote it, and how its ticket stands (T-F31).
func (o *Office) confirm(tx helpdesk.Tx, out *helpdesk.Outgoing) (*helpdesk.Ticket, []helpdesk.Point, error) {
	t, err := tx.Ticket(out.Ticket)
	for range mergesMax {
		if err != nil || t.State != helpdesk.Merged {
			break
		}
		t, err = tx.Ticket(t.MergedInto)
	}
	if fault.KindOf(err) == fault.NotFound && err != nil {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	author, err := role(tx, out.Author, "system")
	if err != nil {
		return nil, nil, err
	}
	handler, err := role(tx, t.Agent, "nobody")
	if err != nil {
		return nil, nil, err
	}
	channels, err := o.channels(tx, t)
	if err != nil {
		return nil, nil, err
	}
	return t, []helpdesk.Point{
		{Name: helpdesk.PointIssued, Args: map[string]string{"date": out.SentAt.In(clock.Vietnam).Format("02/01/2006 15:04"), "role": author, "serial": out.Ticket}},
		{Name: helpdesk.PointStands, Args: map[string]string{"state": string(t.State), "role": handler, "channels": channels}},
	}, nil
}

// mergesMax is how many merges are followed.
const mergesMax = 20

// role is what an agent is, never who.
func role(tx helpdesk.Registers, name, nobody string) (string, error) {
	if name == "" {
		return nobody, nil
	}
	a, err := helpdesk.Get[helpdesk.Agent](tx, name)
	if fault.KindOf(err) == fault.NotFound && err != nil || err == nil && len(a.Roles) == 0 {
		return string(helpdesk.RoleAgent), nil
	}
	if err != nil {
		return "", err
	}
	return string(a.Roles[0]), nil
}

// channels are the ways by which we have been in touch about a ticket.
func (o *Office) channels(tx helpdesk.Tx, t *helpdesk.Ticket) (string, error) {
	list := []string{string(t.Channel)}
	thread, err := tx.Thread(t.Key)
	if err != nil {
		return "", err
	}
	for _, m := range thread {
		way := ""
		switch {
		case m.Outgoing != "":
			way = string(helpdesk.ByMail)
		case m.Call != "":
			way = string(helpdesk.ByPhone)
		}
		if way != "" && !slices.Contains(list, way) {
			list = append(list, way)
		}
	}
	return strings.Join(list, " "), nil
}

// known returns the newest ticket on which an address takes part and was proven; nil when there is none. Only such a person
// is told that a mail is not ours.
func (o *Office) known(tx helpdesk.Tx, address string) (*helpdesk.Ticket, error) {
	list, err := tx.TicketsOf(address, knownMax)
	if err != nil {
		return nil, err
	}
	for _, t := range list {
		if t.Proven && t.State != helpdesk.Merged && helpdesk.FoldAddress(t.Customer) == helpdesk.FoldAddress(address) {
			return t, nil
		}
	}
	return nil, nil
}

// knownMax is how many of somebody's tickets are looked at.
const knownMax = 20

// spend counts an answer, or reports that a budget is used up.
func (o *Office) spend(tx helpdesk.Intakes, to string, now time.Time) (full bool, err error) {
	to = helpdesk.FoldAddress(to)
	budgets := []struct {
		name   string
		window time.Duration
		max    int
	}{{"check hour " + to, time.Hour, o.Limits.Hour}, {"check day " + to, 24 * time.Hour, o.Limits.Day}, {"check all", time.Minute, o.Limits.Minute}}
	for _, b := range budgets {
		used, err := tx.Spent(b.name, b.window, now)
		if err != nil || used >= b.max {
			return true, err
		}
	}
	for _, b := range budgets {
		if _, err := tx.Spend(b.name, b.window, now); err != nil {
			return true, err
		}
	}
	return false, nil
}

// report tells the security officer of a mail that passes for ours; what it says stays in the stored original.
func (o *Office) report(tx helpdesk.Tx, q intake.Question, t *helpdesk.Ticket) error {
	_, err := helpdesk.ReportFake(tx, helpdesk.Suspicion{At: q.Now, Channel: "mail", Unit: t.Unit, Ticket: t.Key, Intake: q.Intake, By: "system"})
	return err
}

// queue writes the answer to the recorded address. It leaves after a random while, so that its time tells nothing of the
// work that was done.
func (o *Office) queue(tx helpdesk.Tx, t *helpdesk.Ticket, ask *question, q intake.Question, points []helpdesk.Point) error {
	id, err := o.Secrets.NewMailID()
	if err != nil {
		return err
	}
	wait, err := o.wait()
	if err != nil {
		return err
	}
	to := ask.out.To.Address
	if to == "" {
		to = t.Customer
	}
	msg := t.Next(helpdesk.Automatic, q.Now)
	out := &helpdesk.Outgoing{Key: msg.Key, Ticket: t.Key, Message: msg.Key, Form: helpdesk.Answer, State: helpdesk.Queued, Created: q.Now,
		To: helpdesk.Address{Address: to}, Points: points, Language: ask.out.Language, MailID: id, ReplyTo: o.Secrets.ReplyAddress(t.Key)}
	if q.Mail.MessageID != "" {
		out.Parents = []string{q.Mail.MessageID}
	}
	msg.To, msg.MailID, msg.Outgoing = []helpdesk.Address{out.To}, id, out.Key
	if err := tx.PutOutgoing(out); err != nil {
		return err
	}
	if err := tx.PutMessage(msg); err != nil {
		return err
	}
	n, err := tx.Append(journal.Entry{At: q.Now, Actor: "system", Role: "system", Place: "intake", Act: "ticket.check_answered", Subject: t.Key,
		Facts: map[string]string{"mail": out.Key, "about": ask.out.Key}})
	if err != nil {
		return err
	}
	t.LastEntry = n
	if err := tx.PutTicket(t); err != nil {
		return err
	}
	return tx.Enqueue(job.Job{Key: "desk mail " + out.Key, Kind: helpdesk.MailJob, Order: t.Key, Payload: []byte(out.Key), Created: q.Now, RunAt: q.Now.Add(wait)})
}

// wait draws how long an answer waits.
func (o *Office) wait() (time.Duration, error) {
	var b [4]byte
	if _, err := io.ReadFull(o.Rand, b[:]); err != nil {
		return 0, fmt.Errorf("draw how long an answer waits: %w", err)
	}
	span := o.Limits.To - o.Limits.From
	return o.Limits.From + time.Duration(float64(span)*float64(binary.BigEndian.Uint32(b[:]))/(1<<32)), nil
}
