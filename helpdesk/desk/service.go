package desk

import (
	"context"
	"time"

	"countersign/helpdesk"
)

// Service is what the terminal asks. Every act is decided there; a failure is a fault of the service, or a lost connection
// (code "service.lost").
type Service interface {
	// SignIn opens the shift. It tells whether the user must first replace the password or set an unlock code.
	SignIn(ctx context.Context, user, password string) (SignedIn, error)
	SetPassword(ctx context.Context, old, password string) error
	SetUnlockCode(ctx context.Context, code string) error
	Unlock(ctx context.Context, code string) error
	Lock(ctx context.Context) error
	SignOut(ctx context.Context) error

	// Queue lists tickets in the order of the queue, with the figures above it and who is asked.
	Queue(ctx context.Context, q helpdesk.Queue) (Queue, error)
	// Aside lists mails that became no ticket.
	Aside(ctx context.Context, fate helpdesk.Fate) ([]*helpdesk.Intake, error)
	Release(ctx context.Context, id int64) error
	Drop(ctx context.Context, id int64) error
	Find(ctx context.Context, text string) ([]helpdesk.Hit, error)

	// Ticket opens a ticket; colleagues see that it is open until Leave.
	Ticket(ctx context.Context, key string) (*helpdesk.Sheet, error)
	Leave(ctx context.Context, key string) error
	Take(ctx context.Context, key string) (*helpdesk.Ticket, error)
	Give(ctx context.Context, key, to string) (*helpdesk.Ticket, error)
	Do(ctx context.Context, key string, step helpdesk.Step) (*helpdesk.Ticket, error)
	Note(ctx context.Context, key, text string) (*helpdesk.Ticket, error)
	Set(ctx context.Context, key string, p helpdesk.Properties) (*helpdesk.Ticket, error)

	// Composing tells colleagues that the agent writes, or no longer does.
	Composing(ctx context.Context, key string, yes bool) error
	// Preview returns the mail that a draft would become.
	Preview(ctx context.Context, key string, d helpdesk.Draft) (helpdesk.Preview, error)
	Reply(ctx context.Context, key string, d helpdesk.Draft) (*helpdesk.Outgoing, error)
	Canned(ctx context.Context, category string) ([]*helpdesk.Canned, error)
	Agents(ctx context.Context) ([]*helpdesk.Agent, error)

	Calls(ctx context.Context, from, to time.Time) ([]*helpdesk.Call, error)
	// LogCall writes a call into the log; an outgoing one may be dialled only after it returned.
	LogCall(ctx context.Context, in helpdesk.Call) (*helpdesk.Call, error)
	EndCall(ctx context.Context, key, result string) error
	Suspicions(ctx context.Context, from, to time.Time) ([]*helpdesk.Suspicion, error)
	Suspect(ctx context.Context, in helpdesk.Suspicion) (*helpdesk.Suspicion, error)

	// Changes delivers until ctx ends; it reconnects by itself and reports a lost service as a change with Lost set.
	Changes(ctx context.Context) <-chan Change
}

// SignedIn is what an agent learns on signing in.
type SignedIn struct {
	User, Name string
	NeedsCode  bool // no unlock code was set yet
	MustChange bool // somebody else chose the password: the session may do nothing but replace it
	Failures   int  // wrong passwords since the last sign-in
	FailedAt   time.Time
}

// Queue is the queue with the figures above it.
type Queue struct {
	Me      helpdesk.Agent
	Tickets []*helpdesk.Ticket
	Counts  helpdesk.Counts
}

// Change says that a ticket has changed, or with an empty name that something else may have.
type Change struct {
	Ticket string
	Beat   bool // nothing has changed, the service only shows that it is there
	Lost   bool
	At     time.Time
}
