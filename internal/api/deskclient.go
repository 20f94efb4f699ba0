package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"countersign/helpdesk"
	"countersign/helpdesk/genuine"
)

// Agent is a terminal of the helpdesk; it signs in as a clerk's does.
type Agent struct{ *Clerk }

func deskPath(parts ...string) string {
	p := "/v1/desk"
	for _, part := range parts {
		p += "/" + url.PathEscape(part)
	}
	return p
}

func deskGet[O any](ctx context.Context, c *Agent, query url.Values, parts ...string) (O, error) {
	path := deskPath(parts...)
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return call[O](ctx, c.Client, http.MethodGet, path, nil)
}

func deskPost[O any](ctx context.Context, c *Agent, in any, parts ...string) (O, error) {
	if in == nil {
		in = struct{}{}
	}
	return call[O](ctx, c.Client, http.MethodPost, deskPath(parts...), in)
}

func (c *Agent) put(ctx context.Context, in any, parts ...string) error {
	_, err := call[Done](ctx, c.Client, http.MethodPut, deskPath(parts...), in)
	return err
}

func (c *Agent) do(ctx context.Context, in any, parts ...string) error {
	_, err := deskPost[Done](ctx, c, in, parts...)
	return err
}

// Queue lists tickets in the order of the queue with the figures above it.
func (c *Agent) Queue(ctx context.Context, q helpdesk.Queue) (DeskQueue, error) {
	v := url.Values{}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	for i, s := range q.States {
		if i == 0 {
			v.Set("state", string(s))
		} else {
			v.Set("state", v.Get("state")+","+string(s))
		}
	}
	set("province", q.Province)
	set("category", q.Category)
	set("agent", q.Agent)
	set("unit", q.Unit)
	set("incident", q.Incident)
	if q.Overdue {
		v.Set("overdue", "true")
	}
	if q.Unread {
		v.Set("unread", "true")
	}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	return deskGet[DeskQueue](ctx, c, v, "queue")
}

// Ticket opens a ticket.
func (c *Agent) Ticket(ctx context.Context, key string) (*helpdesk.Sheet, error) {
	return deskGet[*helpdesk.Sheet](ctx, c, nil, "tickets", key)
}

// Open makes a ticket by hand.
func (c *Agent) Open(ctx context.Context, r helpdesk.Request) (*helpdesk.Ticket, error) {
	return deskPost[*helpdesk.Ticket](ctx, c, r, "tickets")
}

// Reply queues an answer.
func (c *Agent) Reply(ctx context.Context, key string, d helpdesk.Draft) (*helpdesk.Outgoing, error) {
	return deskPost[*helpdesk.Outgoing](ctx, c, d, "tickets", key, "reply")
}

// Preview returns the mail that a draft would become.
func (c *Agent) Preview(ctx context.Context, key string, d helpdesk.Draft) (helpdesk.Preview, error) {
	return deskPost[helpdesk.Preview](ctx, c, d, "tickets", key, "preview")
}

// Set changes properties.
func (c *Agent) Set(ctx context.Context, key string, p helpdesk.Properties) (*helpdesk.Ticket, error) {
	return call[*helpdesk.Ticket](ctx, c.Client, http.MethodPatch, deskPath("tickets", key), p)
}

// Take lets the agent work on a ticket.
func (c *Agent) Take(ctx context.Context, key string) (*helpdesk.Ticket, error) {
	return deskPost[*helpdesk.Ticket](ctx, c, nil, "tickets", key, "take")
}

// Give hands a ticket to somebody; "" gives it back.
func (c *Agent) Give(ctx context.Context, key, to string) (*helpdesk.Ticket, error) {
	return deskPost[*helpdesk.Ticket](ctx, c, map[string]string{"to": to}, "tickets", key, "give")
}

// GiveAuto hands a ticket on by the rule.
func (c *Agent) GiveAuto(ctx context.Context, key string) (*helpdesk.Ticket, error) {
	return deskPost[*helpdesk.Ticket](ctx, c, nil, "tickets", key, "give-auto")
}

// Do takes a step.
func (c *Agent) Do(ctx context.Context, key string, step helpdesk.Step) (*helpdesk.Ticket, error) {
	return deskPost[*helpdesk.Ticket](ctx, c, map[string]string{"step": string(step)}, "tickets", key, "step")
}

// Note writes an internal note.
func (c *Agent) Note(ctx context.Context, key, text string) (*helpdesk.Ticket, error) {
	return deskPost[*helpdesk.Ticket](ctx, c, map[string]string{"text": text}, "tickets", key, "note")
}

// AskMerge asks a second person for a merge of different senders.
func (c *Agent) AskMerge(ctx context.Context, keep, gone string) error {
	return c.do(ctx, map[string]string{"to": gone}, "tickets", keep, "ask-merge")
}

// Merge puts the ticket gone into keep.
func (c *Agent) Merge(ctx context.Context, keep, gone string) (*helpdesk.Ticket, error) {
	return deskPost[*helpdesk.Ticket](ctx, c, map[string]string{"to": gone}, "tickets", keep, "merge")
}

// Unmerge takes a merge back.
func (c *Agent) Unmerge(ctx context.Context, gone string) (*helpdesk.Ticket, error) {
	return deskPost[*helpdesk.Ticket](ctx, c, nil, "tickets", gone, "unmerge")
}

// Split makes a ticket of some messages.
func (c *Agent) Split(ctx context.Context, key string, messages []string, subject string) (*helpdesk.Ticket, error) {
	return deskPost[*helpdesk.Ticket](ctx, c, map[string]any{"messages": messages, "text": subject}, "tickets", key, "split")
}

// Composing says that the agent writes, or no longer does.
func (c *Agent) Composing(ctx context.Context, key string, yes bool) error {
	return c.do(ctx, map[string]bool{"yes": yes}, "tickets", key, "composing")
}

// Leave says that the agent has closed a ticket's page.
func (c *Agent) Leave(ctx context.Context, key string) error {
	return c.do(ctx, nil, "tickets", key, "leave")
}

// Aside lists the mails that became no ticket.
func (c *Agent) Aside(ctx context.Context, fate helpdesk.Fate) ([]*helpdesk.Intake, error) {
	return deskGet[[]*helpdesk.Intake](ctx, c, nil, "aside", string(fate))
}

// Release lets a mail that was set aside become a ticket.
func (c *Agent) Release(ctx context.Context, id int64) error {
	return c.do(ctx, nil, "arrivals", strconv.FormatInt(id, 10), "release")
}

// Drop puts a mail that was set aside away.
func (c *Agent) Drop(ctx context.Context, id int64) error {
	return c.do(ctx, nil, "arrivals", strconv.FormatInt(id, 10), "drop")
}

// Original fetches a mail as it came; the journal keeps the purpose.
func (c *Agent) Original(ctx context.Context, id int64, purpose string) ([]byte, error) {
	out, err := deskPost[Original](ctx, c, map[string]string{"purpose": purpose}, "arrivals", strconv.FormatInt(id, 10), "original")
	return out.Raw, err
}

// Find searches tickets.
func (c *Agent) Find(ctx context.Context, text string) ([]helpdesk.Hit, error) {
	return deskGet[[]helpdesk.Hit](ctx, c, url.Values{"q": {text}}, "find")
}

// Handbook searches the handbook.
func (c *Agent) Handbook(ctx context.Context, text string) ([]helpdesk.Article, error) {
	return deskGet[[]helpdesk.Article](ctx, c, url.Values{"q": {text}}, "handbook")
}

func spanOf(from, to time.Time) url.Values {
	v := url.Values{}
	if !from.IsZero() {
		v.Set("from", from.Format(time.RFC3339))
	}
	if !to.IsZero() {
		v.Set("to", to.Format(time.RFC3339))
	}
	return v
}

// Calls lists the call log; of the last day when no time is said.
func (c *Agent) Calls(ctx context.Context, from, to time.Time) ([]*helpdesk.Call, error) {
	return deskGet[[]*helpdesk.Call](ctx, c, spanOf(from, to), "calls")
}

// LogCall writes a call into the log.
func (c *Agent) LogCall(ctx context.Context, in helpdesk.Call) (*helpdesk.Call, error) {
	return deskPost[*helpdesk.Call](ctx, c, in, "calls")
}

// EndCall notes how a call went.
func (c *Agent) EndCall(ctx context.Context, key, result string) error {
	return c.do(ctx, map[string]string{"text": result}, "calls", key, "end")
}

// Suspicions lists the reports of impostors.
func (c *Agent) Suspicions(ctx context.Context, from, to time.Time) ([]*helpdesk.Suspicion, error) {
	return deskGet[[]*helpdesk.Suspicion](ctx, c, spanOf(from, to), "suspicions")
}

// Suspect reports an impostor.
func (c *Agent) Suspect(ctx context.Context, in helpdesk.Suspicion) (*helpdesk.Suspicion, error) {
	return deskPost[*helpdesk.Suspicion](ctx, c, in, "suspicions")
}

// CloseSuspicion notes the security officer's verdict.
func (c *Agent) CloseSuspicion(ctx context.Context, key, verdict string) error {
	return c.do(ctx, map[string]string{"text": verdict}, "suspicions", key, "close")
}

// Genuine holds what somebody claims who says to be our staff against the records.
func (c *Agent) Genuine(ctx context.Context, in genuine.Claim) (genuine.Verdict, error) {
	return deskPost[genuine.Verdict](ctx, c, in, "genuine")
}

// Canned lists the texts that agents use again, those of a category first.
func (c *Agent) Canned(ctx context.Context, category string) ([]*helpdesk.Canned, error) {
	return deskGet[[]*helpdesk.Canned](ctx, c, url.Values{"category": {category}}, "canned")
}

// PutCanned keeps a text.
func (c *Agent) PutCanned(ctx context.Context, in helpdesk.Canned) error {
	return c.put(ctx, in, "canned")
}

// Agents lists the team.
func (c *Agent) Agents(ctx context.Context) ([]*helpdesk.Agent, error) {
	return deskGet[[]*helpdesk.Agent](ctx, c, nil, "agents")
}

// PutAgent keeps a member of the team.
func (c *Agent) PutAgent(ctx context.Context, in helpdesk.Agent) error {
	return c.put(ctx, in, "agents")
}

// Units lists the units of a province.
func (c *Agent) Units(ctx context.Context, province string) ([]*helpdesk.Unit, error) {
	return deskGet[[]*helpdesk.Unit](ctx, c, url.Values{"province": {province}}, "units")
}

// PutUnit keeps a unit.
func (c *Agent) PutUnit(ctx context.Context, in helpdesk.Unit) error { return c.put(ctx, in, "units") }

// Figures are those of a period; of the last day when no time is said.
func (c *Agent) Figures(ctx context.Context, from, to time.Time) (*helpdesk.Figures, error) {
	return deskGet[*helpdesk.Figures](ctx, c, spanOf(from, to), "figures")
}

// Export fetches tickets of a period as CSV.
func (c *Agent) Export(ctx context.Context, purpose string, from, to time.Time) (string, error) {
	v := spanOf(from, to)
	v.Set("purpose", purpose)
	out, err := deskGet[Table](ctx, c, v, "export")
	return out.CSV, err
}

// Incidents lists the open incidents, or all.
func (c *Agent) Incidents(ctx context.Context, all bool) ([]*helpdesk.Incident, error) {
	return deskGet[[]*helpdesk.Incident](ctx, c, url.Values{"all": {strconv.FormatBool(all)}}, "incidents")
}

// OpenIncident opens an incident for tickets.
func (c *Agent) OpenIncident(ctx context.Context, title string, tickets []string) (*helpdesk.Incident, error) {
	return deskPost[*helpdesk.Incident](ctx, c, map[string]any{"title": title, "tickets": tickets}, "incidents")
}

// CloseIncident closes an incident, and its tickets with it when done is true.
func (c *Agent) CloseIncident(ctx context.Context, key, cause string, done bool) error {
	return c.do(ctx, map[string]any{"text": cause, "done": done}, "incidents", key, "close")
}

// CircularSize tells how many mails a circular would be.
func (c *Agent) CircularSize(ctx context.Context, incident string, in helpdesk.Circular) (int, error) {
	return deskPost[int](ctx, c, in, "incidents", incident, "circular-size")
}

// DraftCircular writes a circular and returns its place among the incident's.
func (c *Agent) DraftCircular(ctx context.Context, incident string, in helpdesk.Circular) (int, error) {
	return deskPost[int](ctx, c, in, "incidents", incident, "circulars")
}

// SendCircular approves and sends a circular by the number of its mails.
func (c *Agent) SendCircular(ctx context.Context, incident string, at, mails int) error {
	return c.do(ctx, map[string]int{"at": at, "mails": mails}, "incidents", incident, "circular-send")
}

// StopCircular stops what of a circular has not left.
func (c *Agent) StopCircular(ctx context.Context, incident string, at int) (int, error) {
	return deskPost[int](ctx, c, map[string]int{"at": at}, "incidents", incident, "circular-stop")
}

// Notices lists the notices that hold now.
func (c *Agent) Notices(ctx context.Context) ([]*helpdesk.Notice, error) {
	return deskGet[[]*helpdesk.Notice](ctx, c, nil, "notices")
}

// Publish publishes a notice.
func (c *Agent) Publish(ctx context.Context, in helpdesk.Notice) (*helpdesk.Notice, error) {
	return deskPost[*helpdesk.Notice](ctx, c, in, "notices")
}

// Notice fetches a notice with how far it has come.
func (c *Agent) Notice(ctx context.Context, key string) (NoticeSpread, error) {
	return deskGet[NoticeSpread](ctx, c, nil, "notices", key)
}

// HasRead notes that a unit has read a notice.
func (c *Agent) HasRead(ctx context.Context, notice, unit string, confirm bool) error {
	return c.do(ctx, map[string]any{"unit": unit, "confirm": confirm}, "notices", notice, "read")
}

// Changes hears what changes at the helpdesk until ctx ends, connecting again when the stream breaks; down is told when it
// does, and whether to try again is its answer.
func (c *Agent) Changes(ctx context.Context, each func(DeskChange), down func(error) (again bool)) {
	listen(ctx, c.Client, deskPath("events"), each, down)
}
