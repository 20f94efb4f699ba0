package demo

import (
	"context"
	"strings"
	"testing"

	"countersign/helpdesk"
	"countersign/internal/api"
	"countersign/kiosk"
)

// agentAt signs a member of the support team in.
func (o *office) agentAt(t *testing.T, name string, roles ...helpdesk.Role) *api.Agent {
	t.Helper()
	u := kiosk.User{Name: name, FullName: "Người Hỗ Trợ", StaffID: "88" + name, Unit: Unit, Roles: []kiosk.Role{kiosk.RoleAgent}}
	if err := o.Service.AddUser(t.Context(), u, Password, Unlock); err != nil {
		t.Fatal(err)
	}
	keeper := helpdesk.Actor{Agent: helpdesk.Agent{Name: "keeper", Roles: []helpdesk.Role{helpdesk.RoleKeeper}}}
	if err := o.Service.Desk.PutAgent(t.Context(), keeper, helpdesk.Agent{Name: name, Extension: "88610", Roles: roles}); err != nil {
		t.Fatal(err)
	}
	c := &api.Agent{Clerk: &api.Clerk{Client: o.Client(), Unit: Unit, Counter: "desk-" + name}}
	if _, err := c.SignIn(t.Context(), name, Password); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAMailIsATicketOnEveryTerminalOfTheHelpdesk(t *testing.T) {
	o := ownOffice(t)
	minh, hong := o.agentAt(t, "minh", helpdesk.RoleAgent), o.agentAt(t, "hong", helpdesk.RoleLead)
	ctx, cancel := context.WithCancel(t.Context())
	heard := make(chan string, 100)
	listening := make(chan struct{})
	go func() {
		defer close(listening)
		hong.Changes(ctx, func(c api.DeskChange) {
			select {
			case heard <- c.Ticket:
			default:
			}
		}, func(error) bool { return true })
	}()
	defer func() { cancel(); <-listening }()
	<-heard // the first beat: the stream stands
	raw := "From: Chi Mau <ketoan@mau.example>\r\nTo: hotrocntt@vst.gov.vn\r\nSubject: [0010#DVC] Khong ky duoc\r\nMessage-ID: <a@mau.example>\r\n\r\nKhong nhan USB token khi ky. Ma PIN la 778899.\r\n"
	if _, err := o.Service.Reception.Arrive(ctx, []helpdesk.Arrival{{Mailbox: "hotro", UIDValidity: 1, UID: 1, Raw: []byte(raw)}}); err != nil {
		t.Fatal(err)
	}
	if n, err := o.Service.Reception.Drain(ctx); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	key := ""
	for key == "" {
		key = <-heard
	}
	q, err := minh.Queue(ctx, helpdesk.Queue{States: []helpdesk.State{helpdesk.New, helpdesk.Open}})
	if err != nil || len(q.Tickets) != 1 || q.Tickets[0].Key != key || q.Counts.Free != 1 || q.Me.Name != "minh" {
		t.Fatalf("the queue is %+v, %v", q, err)
	}
	s, err := minh.Ticket(ctx, key)
	if err != nil || len(s.Thread) != 1 || strings.Contains(s.Thread[0].Text, "778899") || s.Ticket.Route.Province != "0010" {
		t.Fatalf("the ticket is %+v, %v", s, err)
	}
	if _, err := minh.Take(ctx, key); err != nil {
		t.Fatal(err)
	}
	_, err = hong.Take(ctx, key)
	refused(t, err, "ticket.taken")
	if _, err := hong.Note(ctx, key, "Giống sự cố hôm qua"); err != nil {
		t.Fatal(err)
	}
	if hits, err := hong.Find(ctx, "usb token"); err != nil || len(hits) != 1 {
		t.Errorf("found %d, %v", len(hits), err)
	}
	_, err = minh.Original(ctx, 1, "xem chữ ký")
	refused(t, err, "ticket.right")
	_, err = minh.Figures(ctx, s.Ticket.Created, s.Ticket.Created)
	refused(t, err, "ticket.right")
	if f, err := hong.Figures(ctx, s.Ticket.Created.AddDate(0, 0, -1), s.Ticket.Created.AddDate(0, 0, 1)); err != nil || f.Made != 1 || f.MailsIn[helpdesk.ToTicket] != 1 {
		t.Errorf("the figures are %+v, %v", f, err)
	}
	if csv, err := hong.Export(ctx, "kiểm thử", s.Ticket.Created.AddDate(0, 0, -1), s.Ticket.Created.AddDate(0, 0, 1)); err != nil || !strings.Contains(csv, key) || strings.Contains(csv, "mau.example") {
		t.Errorf("the export is %q, %v", csv, err)
	}
	phone, err := minh.Open(ctx, helpdesk.Request{Channel: helpdesk.ByPhone, Reason: "mất thư", Subject: "Không đăng nhập được", Claims: key})
	if err != nil || phone.Category != "DN" || phone.Links[0] != key {
		t.Errorf("the ticket by phone is %+v, %v", phone, err)
	}
}

func TestMailsOfTheHelpdeskThatWaitDoNotStandInTheCountersWay(t *testing.T) {
	o := ownOffice(t)
	minh := o.agentAt(t, "minh", helpdesk.RoleAgent)
	if _, err := minh.Suspect(t.Context(), helpdesk.Suspicion{Channel: "phone", Claimed: "Minh", Story: "đòi mã PIN"}); err != nil {
		t.Fatal(err)
	}
	clerk := &api.Clerk{Client: o.Client(), Unit: Unit, Counter: Counter}
	if _, err := clerk.SignIn(t.Context(), User, Password); err != nil {
		t.Fatal(err)
	}
	if _, rows, err := clerk.Links(t.Context()); err != nil || len(rows) != 0 {
		t.Errorf("the clerk sees %d rows, %v", len(rows), err)
	}
}
