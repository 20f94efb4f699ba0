package api

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"countersign/helpdesk"
	"countersign/helpdesk/intake"
	"countersign/internal/fault"
	"countersign/kiosk"
)

// agent registers an act of a member of the support team. Team itself asks for the right that the act needs.
func agent[I tokened, O any](s *Server, api huma.API, method, path, id, summary string, do func(context.Context, helpdesk.Actor, I) (O, error)) {
	op := huma.Operation{OperationID: id, Method: method, Path: "/v1/desk" + path, Summary: summary, MaxBodyBytes: maxBody,
		Security: []map[string][]string{{"session": {}}}, Metadata: map[string]any{"right": kiosk.RightDesk}}
	huma.Register(api, op, func(ctx context.Context, in *I) (*body[O], error) {
		a, err := s.deskActor(ctx, (*in).token())
		if err != nil {
			return nil, s.problem(id, err)
		}
		out, err := do(ctx, a, *in)
		if err != nil {
			return nil, s.problem(id, err)
		}
		return &body[O]{out}, nil
	})
}

// deskActor returns who asks: somebody with an open session who is a member of the support team.
func (s *Server) deskActor(ctx context.Context, token string) (helpdesk.Actor, error) {
	a, err := s.Hall.Actor(ctx, token)
	if err == nil {
		err = a.May(kiosk.RightDesk)
	}
	if err == nil && s.Desk == nil {
		err = fault.New(fault.Unavailable, "desk.off", nil)
	}
	if err != nil {
		return helpdesk.Actor{}, err
	}
	member, err := s.Desk.Agent(ctx, a.User.Name)
	if fault.KindOf(err) == fault.NotFound {
		err = fault.New(fault.Forbidden, "desk.no_agent", nil)
	}
	if err != nil {
		return helpdesk.Actor{}, err
	}
	return helpdesk.Actor{Agent: *member, Place: a.Unit + "/" + a.Counter}, nil
}

type deskQueue struct {
	Authed
	States   []helpdesk.State `query:"state" doc:"default: all in which somebody has something to do or waits"`
	Province string           `query:"province"`
	Category string           `query:"category"`
	Agent    string           `query:"agent" doc:"- is nobody"`
	Unit     string           `query:"unit"`
	Incident string           `query:"incident"`
	Overdue  bool             `query:"overdue"`
	Unread   bool             `query:"unread"`
	Limit    int              `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

// DeskQueue is the queue with the figures above it, and who is asked.
type DeskQueue struct {
	Me      helpdesk.Agent     `json:"me"`
	Now     time.Time          `json:"now"`
	Tickets []*helpdesk.Ticket `json:"tickets"`
	Counts  helpdesk.Counts    `json:"counts"`
}

type ticketKey struct {
	Authed
	Key string `path:"key" example:"SD261121-000001"`
}

type ticketText struct {
	Authed
	Key  string `path:"key"`
	Body struct {
		Text     string   `json:"text,omitempty" maxLength:"100000"`
		To       string   `json:"to,omitempty"`
		Step     string   `json:"step,omitempty" doc:"wait, open, resolve, close"`
		Messages []string `json:"messages,omitempty" maxItems:"200"`
		Yes      bool     `json:"yes,omitempty"`
	}
}

type ticketDraft struct {
	Authed
	Key  string `path:"key"`
	Body helpdesk.Draft
}

type ticketProperties struct {
	Authed
	Key  string `path:"key"`
	Body helpdesk.Properties
}

type newTicket struct {
	Authed
	Body helpdesk.Request
}

type searchText struct {
	Authed
	Q     string `query:"q" maxLength:"200"`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"30"`
}

func (s *Server) deskRoutes(api huma.API) {
	type T = *helpdesk.Ticket
	agent(s, api, http.MethodGet, "/queue", "desk-queue", "Tickets in the order of the queue", func(ctx context.Context, a helpdesk.Actor, in deskQueue) (DeskQueue, error) {
		list, counts, err := s.Desk.Queue(ctx, a, helpdesk.Queue{States: in.States, Province: in.Province, Category: in.Category, Agent: in.Agent,
			Unit: in.Unit, Incident: in.Incident, Overdue: in.Overdue, Unread: in.Unread, Limit: in.Limit})
		return DeskQueue{Me: a.Agent, Now: s.Desk.Clock.Now(), Tickets: list, Counts: counts}, err
	})
	agent(s, api, http.MethodGet, "/tickets/{key}", "desk-ticket", "A ticket with its thread; colleagues see that it is open", func(ctx context.Context, a helpdesk.Actor, in ticketKey) (*helpdesk.Sheet, error) {
		return s.Desk.Sheet(ctx, a, in.Key)
	})
	agent(s, api, http.MethodPost, "/tickets", "desk-open", "Make a ticket by hand; one by phone needs a reason", func(ctx context.Context, a helpdesk.Actor, in newTicket) (T, error) {
		return s.Desk.Open(ctx, a, in.Body)
	})
	agent(s, api, http.MethodPost, "/tickets/{key}/reply", "desk-reply", "Queue an answer to the recorded customer", func(ctx context.Context, a helpdesk.Actor, in ticketDraft) (*helpdesk.Outgoing, error) {
		return s.Desk.Reply(ctx, a, in.Key, in.Body)
	})
	agent(s, api, http.MethodPost, "/tickets/{key}/preview", "desk-preview", "The mail that a draft would become; nothing is kept", func(ctx context.Context, a helpdesk.Actor, in ticketDraft) (helpdesk.Preview, error) {
		return s.Desk.Preview(ctx, a, in.Key, in.Body)
	})
	agent(s, api, http.MethodPatch, "/tickets/{key}", "desk-set", "Change properties", func(ctx context.Context, a helpdesk.Actor, in ticketProperties) (T, error) {
		return s.Desk.Set(ctx, a, in.Key, in.Body)
	})
	act := func(path, id, summary string, do func(context.Context, helpdesk.Actor, ticketText) (T, error)) {
		agent(s, api, http.MethodPost, "/tickets/{key}/"+path, "desk-"+id, summary, do)
	}
	act("take", "take", "Work on a ticket that nobody works on", func(ctx context.Context, a helpdesk.Actor, in ticketText) (T, error) {
		return s.Desk.Take(ctx, a, in.Key)
	})
	act("give", "give", "Hand a ticket to somebody; to nobody gives it back", func(ctx context.Context, a helpdesk.Actor, in ticketText) (T, error) {
		return s.Desk.Give(ctx, a, in.Key, in.Body.To)
	})
	act("give-auto", "give-auto", "Hand a ticket to who is on duty, knows it and has least", func(ctx context.Context, a helpdesk.Actor, in ticketText) (T, error) {
		return s.Desk.GiveAuto(ctx, a, in.Key)
	})
	act("step", "step", "Change the state without a mail", func(ctx context.Context, a helpdesk.Actor, in ticketText) (T, error) {
		return s.Desk.Do(ctx, a, in.Key, helpdesk.Step(in.Body.Step))
	})
	act("note", "note", "Write an internal note", func(ctx context.Context, a helpdesk.Actor, in ticketText) (T, error) {
		return s.Desk.Note(ctx, a, in.Key, in.Body.Text)
	})
	act("merge", "merge", "Put another ticket into this one", func(ctx context.Context, a helpdesk.Actor, in ticketText) (T, error) {
		return s.Desk.Merge(ctx, a, in.Key, in.Body.To)
	})
	act("unmerge", "unmerge", "Take a merge back", func(ctx context.Context, a helpdesk.Actor, in ticketText) (T, error) {
		return s.Desk.Unmerge(ctx, a, in.Key)
	})
	act("split", "split", "Make a ticket of some messages", func(ctx context.Context, a helpdesk.Actor, in ticketText) (T, error) {
		return s.Desk.Split(ctx, a, in.Key, in.Body.Messages, in.Body.Text)
	})
	quiet := func(path, id, summary string, do func(context.Context, helpdesk.Actor, ticketText) error) {
		agent(s, api, http.MethodPost, "/tickets/{key}/"+path, "desk-"+id, summary, func(ctx context.Context, a helpdesk.Actor, in ticketText) (Done, error) {
			return Done{true}, do(ctx, a, in)
		})
	}
	quiet("ask-merge", "ask-merge", "Ask a second person for a merge", func(ctx context.Context, a helpdesk.Actor, in ticketText) error {
		return s.Desk.AskMerge(ctx, a, in.Key, in.Body.To)
	})
	quiet("composing", "composing", "Say that one writes, or no longer does", func(_ context.Context, a helpdesk.Actor, in ticketText) error {
		s.Desk.Composing(a, in.Key, in.Body.Yes)
		return nil
	})
	quiet("leave", "leave", "Say that one has closed the ticket's page", func(_ context.Context, a helpdesk.Actor, in ticketText) error {
		s.Desk.Leave(a, in.Key)
		return nil
	})
	s.asideRoutes(api)
	s.deskBookRoutes(api)
	s.deskManyRoutes(api)
	s.deskEvents(api)
}

type asideOf struct {
	Authed
	Fate helpdesk.Fate `path:"fate" doc:"quarantined, held, automatic, dropped"`
}

type arrivalOf struct {
	Authed
	ID   int64 `path:"id"`
	Body struct {
		Purpose string `json:"purpose,omitempty" maxLength:"400"`
	}
}

// Original is a mail as it came.
type Original struct {
	Raw []byte `json:"raw"`
}

func (s *Server) asideRoutes(api huma.API) {
	agent(s, api, http.MethodGet, "/aside/{fate}", "desk-aside", "Mails that became no ticket", func(ctx context.Context, a helpdesk.Actor, in asideOf) ([]*helpdesk.Intake, error) {
		return s.Desk.Aside(ctx, a, in.Fate)
	})
	agent(s, api, http.MethodPost, "/arrivals/{id}/release", "desk-release", "Let a mail that was set aside become a ticket", func(ctx context.Context, a helpdesk.Actor, in arrivalOf) (Done, error) {
		if err := a.May(helpdesk.RightAnswer); err != nil {
			return Done{}, err
		}
		return Done{true}, s.Reception.Release(ctx, in.ID, a.Agent.Name)
	})
	agent(s, api, http.MethodPost, "/arrivals/{id}/drop", "desk-drop", "Put a mail that was set aside away", func(ctx context.Context, a helpdesk.Actor, in arrivalOf) (Done, error) {
		return Done{true}, s.Desk.Drop(ctx, a, in.ID)
	})
	agent(s, api, http.MethodPost, "/arrivals/{id}/original", "desk-original", "A mail as it came; the journal keeps who looked and why", func(ctx context.Context, a helpdesk.Actor, in arrivalOf) (Original, error) {
		raw, err := s.Desk.Original(ctx, a, in.ID, in.Body.Purpose)
		return Original{raw}, err
	})
	agent(s, api, http.MethodGet, "/find", "desk-find", "Search tickets by words, serial or address", func(ctx context.Context, a helpdesk.Actor, in searchText) ([]helpdesk.Hit, error) {
		return s.Desk.Find(ctx, a, in.Q, in.Limit)
	})
	agent(s, api, http.MethodGet, "/handbook", "desk-handbook", "Search the handbook", func(_ context.Context, _ helpdesk.Actor, in searchText) ([]helpdesk.Article, error) {
		return s.Desk.Handbook.Find(in.Q, "", in.Limit), nil
	})
}

// DeskChange says what has changed: a ticket, or "" for the registers.
type DeskChange struct {
	Ticket string    `json:"ticket"`
	Now    time.Time `json:"now"`
}

func (s *Server) deskEvents(api huma.API) {
	stream(api, "/v1/desk/events", "desk-events", "What has changed at the helpdesk, and a beat while nothing does", "session", func(ctx context.Context, token string) (<-chan any, error) {
		may := func() error {
			_, err := s.deskActor(ctx, token)
			return err
		}
		if err := may(); err != nil {
			return nil, s.problem("desk-events", err)
		}
		changes, leave := s.changes.hear()
		ticks, stop := s.Beat()
		in := make(chan DeskChange)
		go func() {
			for {
				c := DeskChange{}
				select {
				case <-ctx.Done():
					return
				case c.Ticket = <-changes:
				case <-ticks:
				}
				c.Now = s.Desk.Clock.Now()
				select {
				case in <- c:
				case <-ctx.Done():
					return
				}
			}
		}()
		return relay(ctx, in, func() { stop(); leave() }, may), nil
	})
}

// DeskChanged tells every terminal of the helpdesk that a ticket has changed; it does not block.
func (s *Server) DeskChanged(ticket string) { s.changes.tell(ticket) }

type exportOf struct {
	Authed
	From    time.Time `query:"from"`
	To      time.Time `query:"to"`
	Purpose string    `query:"purpose" maxLength:"400"`
}

// Table is a file of rows.
type Table struct {
	CSV string `json:"csv"`
}

func (s *Server) deskExport(ctx context.Context, a helpdesk.Actor, in exportOf) (Table, error) {
	var out bytes.Buffer
	from, to := span(in.From, in.To, s.Desk.Clock.Now())
	err := s.Desk.Export(ctx, a, in.Purpose, from, to, &out)
	return Table{out.String()}, err
}

// span is the last day when no time is said.
func span(from, to, now time.Time) (time.Time, time.Time) {
	if to.IsZero() {
		to = now
	}
	if from.IsZero() {
		from = to.AddDate(0, 0, -1)
	}
	return from, to
}

// Receiver is what brings mails in; *intake.Reception is one.
type Receiver interface {
	Release(ctx context.Context, id int64, who string) error
}

var _ Receiver = (*intake.Reception)(nil)
