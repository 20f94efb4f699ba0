package demo

import (
	"context"
	"strings"
	"testing"
	"time"

	"countersign/helpdesk"
	agentdesk "countersign/helpdesk/desk"
	"countersign/internal/api"
	"countersign/internal/tui/tuitest"
)

// agentScreen is the API's client as the support agent's screens ask it; cmd/countersign has the one that is shipped.
type agentScreen struct{ *api.Agent }

func (s agentScreen) SignIn(ctx context.Context, user, password string) (agentdesk.SignedIn, error) {
	in, err := s.Agent.SignIn(ctx, user, password)
	return agentdesk.SignedIn{User: user, Name: in.Clerk.Name, NeedsCode: in.NeedsCode, MustChange: in.MustChange}, err
}

func (s agentScreen) Queue(ctx context.Context, q helpdesk.Queue) (agentdesk.Queue, error) {
	v, err := s.Agent.Queue(ctx, q)
	return agentdesk.Queue{Me: v.Me, Tickets: v.Tickets, Counts: v.Counts}, err
}

func (s agentScreen) Changes(ctx context.Context) <-chan agentdesk.Change {
	out := make(chan agentdesk.Change)
	go func() {
		defer close(out)
		s.Agent.Changes(ctx, func(c api.DeskChange) {
			select {
			case out <- agentdesk.Change{Ticket: c.Ticket, Beat: c.Ticket == ""}:
			case <-ctx.Done():
			}
		}, func(error) bool { return true })
	}()
	return out
}

func TestAnAgentAnswersAMailAtTheTerminal(t *testing.T) {
	o := ownOffice(t)
	minh := o.agentAt(t, "minh", helpdesk.RoleAgent)
	raw := "From: Chi Mau <ketoan@mau.example>\r\nTo: hotrocntt@vst.gov.vn\r\nSubject: [0010#DVC] Khong ky duoc\r\nMessage-ID: <a@mau.example>\r\n\r\nKhong nhan USB token khi ky. Ma PIN la 778899.\r\n"
	if _, err := o.Service.Reception.Arrive(t.Context(), []helpdesk.Arrival{{Mailbox: "hotro", UIDValidity: 1, UID: 1, Raw: []byte(raw)}}); err != nil {
		t.Fatal(err)
	}
	if n, err := o.Service.Reception.Drain(t.Context()); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	at, err := tuitest.NewHeadless(agentdesk.New(agentScreen{minh}, agentdesk.Options{}), 80, 24)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = at.Close() })
	j, err := tuitest.Parse(t.Name(), `type minh
		key enter
		type "`+Password+`"
		key enter
		see "Khong ky"
		type 01
		see "[đã che: mã PIN]"
		type t
		see "Đã nhận vé"
		type r
		see "Kính gửi"
		type "Xin chị rút USB token rồi cắm lại."
		key f10
		see "THƯ SẼ ĐI"
		key f10
		see "đã vào hàng gửi"`)
	if err != nil {
		t.Fatal(err)
	}
	p := tuitest.Player{Terminals: map[string]tuitest.Terminal{"clerk": at}, Patience: 20 * time.Second}
	if _, err := p.Play(t.Context(), j); err != nil {
		t.Fatalf("%v\n%s", err, at.Plain())
	}
	q, err := minh.Queue(t.Context(), helpdesk.Queue{Agent: "minh"})
	if err != nil || len(q.Tickets) != 1 {
		t.Fatalf("the queue is %+v, %v", q, err)
	}
	s, err := minh.Ticket(t.Context(), q.Tickets[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, out := range s.Outgoings {
		found = found || out.Author == "minh" && strings.Contains(out.Text, "rút USB token")
	}
	if !found || s.Ticket.State != helpdesk.Waiting {
		t.Errorf("no answer is queued: %+v, the ticket is %s", s.Outgoings, s.Ticket.State)
	}
}
