package helpdesk

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Present is somebody who has a ticket open.
type Present struct {
	Agent     string    `json:"agent"`
	Since     time.Time `json:"since"`
	Composing bool      `json:"composing"`
}

// presenceLife is how long somebody who does nothing any more is still shown.
const presenceLife = 2 * time.Minute

// presence knows who has which ticket open. It is nobody's record: a restart forgets it. What keeps two answers apart is
// the ticket's revision.
type presence struct {
	mu    sync.Mutex
	where map[string]map[string]seen // by ticket, by agent
}

type seen struct {
	since, last time.Time
	composing   bool
}

func (p *presence) see(ticket, agent string, now time.Time) {
	p.note(ticket, agent, now, func(*seen) {})
}

func (p *presence) note(ticket, agent string, now time.Time, change func(*seen)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.where == nil {
		p.where = map[string]map[string]seen{}
	}
	for other := range p.where {
		if other != ticket {
			p.drop(other, agent)
		}
	}
	if p.where[ticket] == nil {
		p.where[ticket] = map[string]seen{}
	}
	s, ok := p.where[ticket][agent]
	if !ok {
		s.since = now
	}
	s.last = now
	change(&s)
	p.where[ticket][agent] = s
}

func (p *presence) drop(ticket, agent string) {
	delete(p.where[ticket], agent)
	if len(p.where[ticket]) == 0 {
		delete(p.where, ticket)
	}
}

func (p *presence) leave(ticket, agent string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop(ticket, agent)
}

// Composing tells the others that the actor writes on a ticket, or no longer does; screens repeat it each minute.
func (tm *Team) Composing(a Actor, ticket string, yes bool) {
	tm.presence.note(ticket, a.Agent.Name, tm.Clock.Now(), func(s *seen) { s.composing = yes })
	tm.tell(ticket)
}

// Leave says that the actor has closed the ticket.
func (tm *Team) Leave(a Actor, ticket string) {
	tm.presence.leave(ticket, a.Agent.Name)
	tm.tell(ticket)
}

// Present lists who has a ticket open, by name.
func (tm *Team) Present(ticket string) []Present {
	now := tm.Clock.Now()
	tm.presence.mu.Lock()
	defer tm.presence.mu.Unlock()
	var out []Present
	for agent, s := range tm.presence.where[ticket] {
		if now.Sub(s.last) > presenceLife {
			tm.presence.drop(ticket, agent)
			continue
		}
		out = append(out, Present{Agent: agent, Since: s.since, Composing: s.composing})
	}
	slices.SortFunc(out, func(a, b Present) int { return strings.Compare(a.Agent, b.Agent) })
	return out
}
