package main

import (
	"context"
	"os"
	"time"

	"github.com/spf13/cobra"

	"countersign/helpdesk"
	"countersign/helpdesk/desk"
	"countersign/internal/api"
	"countersign/internal/fault"
	"countersign/internal/tui"
)

// deskFlags are what a support agent's terminal is started with.
type deskFlags struct {
	link
	unit, place, theme string
	idle               time.Duration
}

func (a *app) desk() *cobra.Command {
	var f deskFlags
	c := &cobra.Command{Use: "desk", Short: a.text("cli.desk", nil), Args: cobra.NoArgs}
	f.register(a, c.Flags())
	c.Flags().StringVar(&f.unit, "unit", "", a.text("cli.flag.unit", nil))
	c.Flags().StringVar(&f.place, "place", "desk", a.text("cli.flag.place", nil))
	c.Flags().StringVar(&f.theme, "theme", os.Getenv("COUNTERSIGN_THEME"), a.text("cli.flag.theme", nil))
	c.Flags().DurationVar(&f.idle, "idle", 3*time.Minute, a.text("cli.flag.idle", nil))
	c.RunE = func(cmd *cobra.Command, _ []string) error { return a.runDesk(cmd.Context(), f) }
	return c
}

func (a *app) runDesk(ctx context.Context, f deskFlags) error {
	client, err := dial(f.link)
	if err != nil {
		return err
	}
	service := deskService{&api.Agent{Clerk: &api.Clerk{Client: client, Unit: f.unit, Counter: f.place}}}
	lock := func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		// The terminal is gone: nobody is left to tell when this fails, and the service locks an idle one itself.
		_ = service.Lock(ctx)
	}
	return tui.Run(ctx, desk.New(service, desk.Options{Lang: a.lang, Idle: f.idle}), tui.Options{Theme: f.theme, OnHangup: lock})
}

// deskService is the API's client as the support agent's screens ask it.
type deskService struct{ *api.Agent }

var _ desk.Service = deskService{}

// SignIn opens the session.
func (s deskService) SignIn(ctx context.Context, user, password string) (desk.SignedIn, error) {
	in, err := s.Agent.SignIn(ctx, user, password)
	return desk.SignedIn{User: user, Name: in.Clerk.Name, NeedsCode: in.NeedsCode, MustChange: in.MustChange, Failures: in.Failures, FailedAt: in.FailedAt}, err
}

// Queue lists tickets with the figures above them.
func (s deskService) Queue(ctx context.Context, q helpdesk.Queue) (desk.Queue, error) {
	v, err := s.Agent.Queue(ctx, q)
	return desk.Queue{Me: v.Me, Tickets: v.Tickets, Counts: v.Counts}, err
}

// Changes hears what changes until ctx ends.
func (s deskService) Changes(ctx context.Context) <-chan desk.Change {
	out := make(chan desk.Change)
	put := func(c desk.Change) {
		c.At = time.Now()
		select {
		case out <- c:
		case <-ctx.Done():
		}
	}
	go func() {
		defer close(out)
		s.Agent.Changes(ctx, func(c api.DeskChange) { put(desk.Change{Ticket: c.Ticket, Beat: c.Ticket == ""}) }, func(err error) bool {
			if fault.KindOf(err) == fault.Unauthenticated {
				return false
			}
			put(desk.Change{Lost: true})
			return true
		})
	}()
	return out
}
