package api

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"countersign/helpdesk"
	"countersign/helpdesk/genuine"
	"countersign/internal/fault"
)

type deskName struct {
	Authed
	Key string `path:"key"`
}

type deskText struct {
	Authed
	Key  string `path:"key"`
	Body struct {
		Text    string `json:"text,omitempty" maxLength:"4000"`
		Unit    string `json:"unit,omitempty"`
		Confirm bool   `json:"confirm,omitempty"`
		At      int    `json:"at,omitempty"`
		Mails   int    `json:"mails,omitempty" doc:"what the approver typed"`
		Done    bool   `json:"done,omitempty"`
	}
}

type newIncident struct {
	Authed
	Body struct {
		Title   string   `json:"title" maxLength:"400"`
		Tickets []string `json:"tickets,omitempty" maxItems:"1000"`
	}
}

type deskPut[T any] struct {
	Authed
	Body T
}

type deskPutAt[T any] struct {
	Authed
	Key  string `path:"key"`
	Body T
}

type deskSpan struct {
	Authed
	From     time.Time `query:"from"`
	To       time.Time `query:"to"`
	Province string    `query:"province"`
	Category string    `query:"category"`
	All      bool      `query:"all"`
}

func (s *Server) deskBookRoutes(api huma.API) {
	agent(s, api, http.MethodGet, "/calls", "desk-calls", "The call log", func(ctx context.Context, a helpdesk.Actor, in deskSpan) ([]*helpdesk.Call, error) {
		from, to := span(in.From, in.To, s.Desk.Clock.Now())
		return s.Desk.Calls(ctx, a, from, to.Add(time.Second))
	})
	agent(s, api, http.MethodPost, "/calls", "desk-call", "Write a call into the log, before it is made", func(ctx context.Context, a helpdesk.Actor, in deskPut[helpdesk.Call]) (*helpdesk.Call, error) {
		return s.Desk.LogCall(ctx, a, in.Body)
	})
	agent(s, api, http.MethodPost, "/calls/{key}/end", "desk-call-end", "Note how a call went", func(ctx context.Context, a helpdesk.Actor, in deskText) (Done, error) {
		return Done{true}, s.Desk.EndCall(ctx, a, in.Key, in.Body.Text)
	})
	agent(s, api, http.MethodGet, "/suspicions", "desk-suspicions", "Reports of impostors", func(ctx context.Context, a helpdesk.Actor, in deskSpan) ([]*helpdesk.Suspicion, error) {
		return s.Desk.Suspicions(ctx, a, in.From, in.To)
	})
	agent(s, api, http.MethodPost, "/suspicions", "desk-suspect", "Report an impostor; the security officer is told", func(ctx context.Context, a helpdesk.Actor, in deskPut[helpdesk.Suspicion]) (*helpdesk.Suspicion, error) {
		return s.Desk.Suspect(ctx, a, in.Body)
	})
	agent(s, api, http.MethodPost, "/suspicions/{key}/close", "desk-suspicion-close", "Note the security officer's verdict", func(ctx context.Context, a helpdesk.Actor, in deskText) (Done, error) {
		return Done{true}, s.Desk.CloseSuspicion(ctx, a, in.Key, in.Body.Text)
	})
	agent(s, api, http.MethodPost, "/genuine", "desk-genuine", "Hold what somebody claims who says to be our staff against the records; all three proofs have to hold", s.deskGenuine)
	agent(s, api, http.MethodGet, "/canned", "desk-canned", "Texts that agents use again, those of a category first", func(ctx context.Context, a helpdesk.Actor, in deskSpan) ([]*helpdesk.Canned, error) {
		return s.Desk.Canneds(ctx, a, in.Category)
	})
	agent(s, api, http.MethodPut, "/canned", "desk-canned-put", "Keep a text", func(ctx context.Context, a helpdesk.Actor, in deskPut[helpdesk.Canned]) (Done, error) {
		return Done{true}, s.Desk.PutCanned(ctx, a, in.Body)
	})
	agent(s, api, http.MethodGet, "/agents", "desk-agents", "The support team", func(ctx context.Context, _ helpdesk.Actor, _ empty) ([]*helpdesk.Agent, error) {
		return s.Desk.Agents(ctx)
	})
	agent(s, api, http.MethodPut, "/agents", "desk-agent-put", "Keep a member of the team", func(ctx context.Context, a helpdesk.Actor, in deskPut[helpdesk.Agent]) (Done, error) {
		return Done{true}, s.Desk.PutAgent(ctx, a, in.Body)
	})
	agent(s, api, http.MethodGet, "/units", "desk-units", "The units of a province", func(ctx context.Context, a helpdesk.Actor, in deskSpan) ([]*helpdesk.Unit, error) {
		return s.Desk.Units(ctx, a, in.Province)
	})
	agent(s, api, http.MethodPut, "/units", "desk-unit-put", "Keep a unit", func(ctx context.Context, a helpdesk.Actor, in deskPut[helpdesk.Unit]) (Done, error) {
		return Done{true}, s.Desk.PutUnit(ctx, a, in.Body)
	})
	agent(s, api, http.MethodGet, "/figures", "desk-figures", "Figures of a period; of the last day when none is said", func(ctx context.Context, a helpdesk.Actor, in deskSpan) (*helpdesk.Figures, error) {
		from, to := span(in.From, in.To, s.Desk.Clock.Now())
		return s.Desk.Figures(ctx, a, from, to)
	})
	agent(s, api, http.MethodGet, "/export", "desk-export", "Tickets of a period as CSV, without anybody's data", s.deskExport)
}

func (s *Server) deskManyRoutes(api huma.API) {
	agent(s, api, http.MethodGet, "/incidents", "desk-incidents", "Incidents, open ones or all", func(ctx context.Context, a helpdesk.Actor, in deskSpan) ([]*helpdesk.Incident, error) {
		return s.Desk.Incidents(ctx, a, in.All)
	})
	agent(s, api, http.MethodPost, "/incidents", "desk-incident", "Open an incident", func(ctx context.Context, a helpdesk.Actor, in newIncident) (*helpdesk.Incident, error) {
		return s.Desk.OpenIncident(ctx, a, in.Body.Title, in.Body.Tickets)
	})
	agent(s, api, http.MethodPost, "/incidents/{key}/close", "desk-incident-close", "Close an incident, with its tickets or without", func(ctx context.Context, a helpdesk.Actor, in deskText) (Done, error) {
		return Done{true}, s.Desk.CloseIncident(ctx, a, in.Key, in.Body.Text, in.Body.Done)
	})
	agent(s, api, http.MethodPost, "/incidents/{key}/circular-size", "desk-circular-size", "How many mails a circular would be", func(ctx context.Context, a helpdesk.Actor, in deskPutAt[helpdesk.Circular]) (int, error) {
		return s.Desk.CircularSize(ctx, a, in.Key, in.Body)
	})
	agent(s, api, http.MethodPost, "/incidents/{key}/circulars", "desk-circular", "Write a circular", func(ctx context.Context, a helpdesk.Actor, in deskPutAt[helpdesk.Circular]) (int, error) {
		return s.Desk.DraftCircular(ctx, a, in.Key, in.Body)
	})
	agent(s, api, http.MethodPost, "/incidents/{key}/circular-send", "desk-circular-send", "Approve a circular by the number of its mails, and send it", func(ctx context.Context, a helpdesk.Actor, in deskText) (Done, error) {
		return Done{true}, s.Desk.SendCircular(ctx, a, in.Key, in.Body.At, in.Body.Mails)
	})
	agent(s, api, http.MethodPost, "/incidents/{key}/circular-stop", "desk-circular-stop", "Stop what has not left", func(ctx context.Context, a helpdesk.Actor, in deskText) (int, error) {
		return s.Desk.StopCircular(ctx, a, in.Key, in.Body.At)
	})
	agent(s, api, http.MethodGet, "/notices", "desk-notices", "Notices that hold now", func(ctx context.Context, _ helpdesk.Actor, _ empty) ([]*helpdesk.Notice, error) {
		return s.Desk.Notices(ctx)
	})
	agent(s, api, http.MethodPost, "/notices", "desk-notice", "Publish a notice", func(ctx context.Context, a helpdesk.Actor, in deskPut[helpdesk.Notice]) (*helpdesk.Notice, error) {
		return s.Desk.Publish(ctx, a, in.Body)
	})
	agent(s, api, http.MethodGet, "/notices/{key}", "desk-notice-spread", "A notice with how far it has come", func(ctx context.Context, a helpdesk.Actor, in deskName) (NoticeSpread, error) {
		n, by, err := s.Desk.Notice(ctx, a, in.Key)
		return NoticeSpread{n, by}, err
	})
	agent(s, api, http.MethodPost, "/notices/{key}/read", "desk-notice-read", "Note that a unit has read a notice", func(ctx context.Context, a helpdesk.Actor, in deskText) (Done, error) {
		return Done{true}, s.Desk.HasRead(ctx, a, in.Key, in.Body.Unit, in.Body.Confirm)
	})
}

// Prover holds a claim to be our staff against the records; *genuine.Office is one.
type Prover interface {
	Check(ctx context.Context, who genuine.Asker, c genuine.Claim) (genuine.Verdict, error)
}

func (s *Server) deskGenuine(ctx context.Context, a helpdesk.Actor, in deskPut[genuine.Claim]) (genuine.Verdict, error) {
	if err := a.May(helpdesk.RightSee); err != nil {
		return genuine.Verdict{}, err
	}
	if s.Genuine == nil {
		return genuine.Verdict{}, fault.New(fault.Unavailable, "desk.off", nil)
	}
	return s.Genuine.Check(ctx, genuine.Asker{Name: a.Agent.Name, Role: string(a.Agent.Roles[0]), Place: a.Place}, in.Body)
}

// NoticeSpread is a notice with how far it has come, by province.
type NoticeSpread struct {
	Notice *helpdesk.Notice           `json:"notice"`
	By     map[string]helpdesk.Spread `json:"by"`
}

// changes hands the names of changed tickets to whoever listens. Who is slow misses some and is told "" once, for which
// terminals look at everything again.
type changes struct {
	mu      sync.Mutex
	hearers map[chan string]bool
}

// backlog is how many changes a terminal may be behind.
const backlog = 64

func (c *changes) hear() (<-chan string, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hearers == nil {
		c.hearers = map[chan string]bool{}
	}
	ch := make(chan string, backlog)
	c.hearers[ch] = true
	return ch, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.hearers, ch)
	}
}

func (c *changes) tell(ticket string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for ch := range c.hearers {
		select {
		case ch <- ticket:
		default:
			// Room for one word that stands for all that is missed.
			select {
			case <-ch:
			default:
			}
			select {
			case ch <- "":
			default:
			}
		}
	}
}
