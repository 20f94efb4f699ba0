package helpdesk_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"countersign/helpdesk"
	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/store"
	"countersign/internal/vault"
	"countersign/mail"
	"countersign/services"
)

// monday is a working day, 9 in the morning.
var monday = time.Date(2026, 11, 23, 9, 0, 0, 0, clock.Vietnam)

var keyFile = sync.OnceValues(func() (*vault.Vault, error) {
	dir, err := os.MkdirTemp("", "countersign-vault-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	return vault.Create(filepath.Join(dir, "keys"), []byte("synthetic passphrase"))
})

type weekdays struct{}

func (weekdays) Works(day time.Time) bool {
	return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday
}

// desk is a team over a real database.
type desk struct {
	*helpdesk.Team
	t     *testing.T
	ctx   context.Context
	clock *clock.Set
	store *store.Store
}

var errLint = errors.New("genuine staff never write that")

func newDesk(t *testing.T) *desk {
	t.Helper()
	v, err := keyFile()
	if err != nil {
		t.Fatal(err)
	}
	at := clock.At(monday)
	s, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Vault: v, Clock: at})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	categories, err := helpdesk.LoadCategories(services.Helpdesk)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, ctx: t.Context(), clock: at, store: s, Team: &helpdesk.Team{
		Store: s.Helpdesk(), Categories: categories, Clock: at, Rand: rand.Reader, Numbering: helpdesk.DefaultNumbering,
		Working:     helpdesk.Working{Days: weekdays{}, Hours: helpdesk.OfficeHours},
		Switchboard: helpdesk.Switchboard{Number: "02462764300", Extensions: []string{"88610", "88611"}},
		Secrets: &helpdesk.Secrets{Keys: []helpdesk.SecretKey{{ID: 'B', Bytes: []byte("new key")}, {ID: 'A', Bytes: []byte("old key")}},
			Address: "hotro@kbnn.example", Host: "kbnn.example", Rand: rand.Reader},
		Lint: func(text string) error {
			if strings.Contains(text, "UltraViewer") {
				return errLint
			}
			return nil
		},
	}}
	keeper := who("admin", helpdesk.RoleKeeper)
	for _, a := range []helpdesk.Agent{
		{Name: "minh", Extension: "88610", Roles: []helpdesk.Role{helpdesk.RoleAgent}},
		{Name: "hong", Extension: "88611", Roles: []helpdesk.Role{helpdesk.RoleLead}},
		{Name: "tu", Extension: "88612", Roles: []helpdesk.Role{helpdesk.RoleAgent}, Skills: []string{"CKS"}},
	} {
		d.ok(d.PutAgent(d.ctx, keeper, a))
	}
	d.ok(d.PutUnit(d.ctx, keeper, helpdesk.Unit{Code: "1999001", Name: "Trường MẪU A", Province: "0010",
		Addresses: []string{"ketoan@mau.example", "ktt@mau.example"}, Phones: []string{"0900 000 031"}}))
	d.ok(d.PutUnit(d.ctx, keeper, helpdesk.Unit{Code: "1999002", Name: "Trường MẪU B", Province: "0060", Addresses: []string{"b@mau.example"}}))
	return d
}

func who(name string, roles ...helpdesk.Role) helpdesk.Actor {
	return helpdesk.Actor{Agent: helpdesk.Agent{Name: name, Roles: roles, Extension: "88610"}, Place: "desk 1"}
}

var (
	minh = who("minh", helpdesk.RoleAgent)
	hong = who("hong", helpdesk.RoleLead)
)

func (d *desk) ok(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) refused(err error, code string) {
	d.t.Helper()
	if !fault.Is(err, code) {
		d.t.Errorf("error %v, want %s", err, code)
	}
}

// request opens a ticket of a customer by hand.
func (d *desk) request(customer, subject string) *helpdesk.Ticket {
	d.t.Helper()
	r := helpdesk.Request{Channel: helpdesk.ByCounter, Subject: subject, Text: subject, Customer: customer, Province: "0010"}
	if strings.HasSuffix(customer, "oan@mau.example") {
		r.Unit = "1999001"
	}
	t, err := d.Open(d.ctx, minh, r)
	d.ok(err)
	return t
}

func (d *desk) ticket(key string) *helpdesk.Ticket {
	d.t.Helper()
	s, err := d.Sheet(d.ctx, minh, key)
	d.ok(err)
	return s.Ticket
}

func TestAPhoneTicketNeedsAReasonAndComesAfterMails(t *testing.T) {
	d := newDesk(t)
	_, err := d.Open(d.ctx, minh, helpdesk.Request{Channel: helpdesk.ByPhone, Subject: "Không ký được", Text: "gọi"})
	d.refused(err, "ticket.reason")
	phone, err := d.Open(d.ctx, minh, helpdesk.Request{Channel: helpdesk.ByPhone, Reason: "mất thư điện tử", Subject: "Không ký được usb token", Text: "gọi"})
	d.ok(err)
	if phone.Category != "CKS" || phone.Rank != helpdesk.RankPhone || phone.Key != "SD261123-000001" {
		t.Errorf("the ticket is %+v", phone)
	}
	d.request("ketoan@mau.example", "Đối chiếu báo cáo")
	list, c, err := d.Queue(d.ctx, minh, helpdesk.Queue{})
	d.ok(err)
	if len(list) != 2 || list[1].Key != phone.Key || c.Free != 2 {
		t.Errorf("the queue has %d, free %d", len(list), c.Free)
	}
	// Overdue comes before everything.
	d.clock.Advance(4 * time.Hour)
	d.clock.Advance(3 * time.Hour)
	list, c, err = d.Queue(d.ctx, minh, helpdesk.Queue{})
	d.ok(err)
	if list[0].Key != phone.Key || c.Overdue != 1 {
		t.Errorf("first is %s, overdue %d", list[0].Key, c.Overdue)
	}
	if n, err := d.Escalate(d.ctx); n != 1 || err != nil {
		t.Errorf("%d were told, %v", n, err)
	}
	if n, err := d.Escalate(d.ctx); n != 0 || err != nil {
		t.Errorf("%d were told again, %v", n, err)
	}
}

func TestTheTermStandsStillWhileTheCustomerIsWaitedFor(t *testing.T) {
	d := newDesk(t)
	v := d.request("ketoan@mau.example", "Không ký được usb token") // 4 hours, noon being free
	if want := monday.Add(6 * time.Hour); !v.Due.Equal(want) {
		t.Fatalf("due at %s, want %s", v.Due, want)
	}
	_, err := d.Take(d.ctx, minh, v.Key)
	d.ok(err)
	_, err = d.Take(d.ctx, hong, v.Key)
	d.refused(err, "ticket.taken")
	d.clock.Advance(time.Hour)
	_, err = d.Reply(d.ctx, minh, v.Key, helpdesk.Draft{Text: "Xin chị thử cổng khác.", Wait: true})
	d.ok(err)
	v = d.ticket(v.Key)
	if v.State != helpdesk.Waiting || !v.Due.IsZero() || v.Left != 3*time.Hour || !v.FirstReply.Equal(monday.Add(time.Hour)) {
		t.Errorf("waiting it is %s, left %s", v.State, v.Left)
	}
	d.clock.Advance(48 * time.Hour)
	v.Heard(d.Working, d.clock.Now())
	if v.State != helpdesk.Open || !v.Due.Equal(monday.Add(54*time.Hour)) {
		t.Errorf("after the answer it is %s, due %s", v.State, v.Due)
	}
}

func TestNobodyAnswersWhatTheyHaveNotSeen(t *testing.T) {
	d := newDesk(t)
	v := d.request("ketoan@mau.example", "Không ký được")
	_, err := d.Note(d.ctx, hong, v.Key, "Giống sự cố hôm qua")
	d.ok(err)
	_, err = d.Reply(d.ctx, minh, v.Key, helpdesk.Draft{Text: "Xin chào", Rev: v.Rev})
	d.refused(err, "ticket.changed")
	_, err = d.Reply(d.ctx, minh, v.Key, helpdesk.Draft{Text: "Cài UltraViewer nhé"})
	if !errors.Is(err, errLint) {
		t.Errorf("a forbidden sentence: %v", err)
	}
	now := d.ticket(v.Key)
	out, err := d.Reply(d.ctx, minh, v.Key, helpdesk.Draft{Text: "Xin chào", Rev: now.Rev, Done: true})
	d.ok(err)
	if out.To.Address != "ketoan@mau.example" || out.State != helpdesk.Queued || out.MailID == "" {
		t.Errorf("what leaves is %+v", out)
	}
	if d.ticket(v.Key).State != helpdesk.Resolved {
		t.Error("the ticket is not resolved")
	}
	// Two agents see each other.
	d.Composing(minh, v.Key, true)
	s, err := d.Sheet(d.ctx, hong, v.Key)
	d.ok(err)
	if len(s.Present) != 2 || s.Present[1].Agent != "minh" || !s.Present[1].Composing {
		t.Errorf("present are %+v", s.Present)
	}
	d.clock.Advance(3 * time.Minute)
	if p := d.Present(v.Key); len(p) != 0 {
		t.Errorf("after three minutes %+v are there", p)
	}
}

func TestTicketsAreMergedTakenApartAndSplit(t *testing.T) {
	d := newDesk(t)
	a, b := d.request("ketoan@mau.example", "Một"), d.request("ktt@mau.example", "Hai")
	_, err := d.Merge(d.ctx, hong, a.Key, b.Key)
	d.refused(err, "ticket.second_person")
	d.ok(d.AskMerge(d.ctx, minh, a.Key, b.Key))
	_, err = d.Merge(d.ctx, minh, a.Key, b.Key)
	d.refused(err, "ticket.second_person")
	_, err = d.Merge(d.ctx, who("tu", helpdesk.RoleAgent), a.Key, b.Key)
	d.refused(err, "ticket.right")
	_, err = d.Merge(d.ctx, hong, a.Key, b.Key)
	d.ok(err)
	s, err := d.Sheet(d.ctx, minh, a.Key)
	d.ok(err)
	if len(s.Thread) != 4 || !s.Ticket.Has("ktt@mau.example") || d.ticket(b.Key).MergedInto != a.Key {
		t.Errorf("the merged thread has %d", len(s.Thread))
	}
	_, err = d.Unmerge(d.ctx, minh, b.Key)
	d.ok(err)
	if v := d.ticket(b.Key); v.State != helpdesk.New || v.Due.IsZero() || d.ticket(a.Key).Has("ktt@mau.example") {
		t.Errorf("taken apart it is %s, due %s", v.State, v.Due)
	}
	_, err = d.Merge(d.ctx, hong, a.Key, b.Key)
	d.ok(err)
	d.clock.Advance(time.Minute)
	_, err = d.Reply(d.ctx, minh, a.Key, helpdesk.Draft{Text: "Xin chào"})
	d.ok(err)
	_, err = d.Unmerge(d.ctx, minh, b.Key)
	d.refused(err, "ticket.unmerge_late")
	made, err := d.Split(d.ctx, minh, a.Key, []string{a.Key + "/0001"}, "Việc khác")
	d.ok(err)
	s, err = d.Sheet(d.ctx, minh, made.Key)
	d.ok(err)
	if len(s.Thread) != 1 || s.Thread[0].Origin != a.Key+"/0001" || made.Links[0] != a.Key {
		t.Errorf("the split ticket has %d messages", len(s.Thread))
	}
}

func TestACallIsInTheLogBeforeItIsMadeAndOnlyToKnownNumbers(t *testing.T) {
	d := newDesk(t)
	v := d.request("ketoan@mau.example", "Không ký được")
	_, err := d.LogCall(d.ctx, minh, helpdesk.Call{Out: true, Unit: "1999001", Ticket: v.Key, Phone: "0911 111 111", Reason: "hai thư không đủ"})
	d.refused(err, "call.number")
	stranger := minh
	stranger.Agent.Extension = "99999"
	_, err = d.LogCall(d.ctx, stranger, helpdesk.Call{Out: true, Unit: "1999001", Ticket: v.Key, Phone: "0900000031", Reason: "gấp"})
	d.refused(err, "call.extension")
	c, err := d.LogCall(d.ctx, minh, helpdesk.Call{Out: true, Unit: "1999001", Ticket: v.Key, Phone: "+84 900 000 031", Reason: "hai thư không đủ"})
	d.ok(err)
	d.ok(d.EndCall(d.ctx, minh, c.Key, "đã xong"))
	d.ok(d.Store.View(d.ctx, func(tx helpdesk.Tx) error {
		list, err := helpdesk.List[helpdesk.Call](tx, "1999001", monday.Add(-time.Minute), monday.Add(time.Hour), 0)
		if len(list) != 1 || list[0].Key != c.Key || !list[0].Out || !helpdesk.SamePhone(list[0].Phone, "0900 000 031") {
			t.Errorf("the calls are %+v", list)
		}
		return err
	}))
	if s, _ := d.Sheet(d.ctx, minh, v.Key); s.Thread[len(s.Thread)-1].Call != c.Key {
		t.Error("the call is not on the ticket")
	}
}

func TestACircularNeedsTwoPeopleAndTheNumberOfMails(t *testing.T) {
	d := newDesk(t)
	v := d.request("ketoan@mau.example", "Plugin không chạy")
	i, err := d.OpenIncident(d.ctx, minh, "Plugin ngừng", []string{v.Key})
	d.ok(err)
	if i.Key != "SC-0001" {
		t.Errorf("the incident is %s", i.Key)
	}
	_, err = d.DraftCircular(d.ctx, minh, i.Key, helpdesk.Circular{Subject: "Sự cố", Text: "Cài UltraViewer"})
	if !errors.Is(err, errLint) {
		t.Errorf("a forbidden sentence: %v", err)
	}
	at, err := d.DraftCircular(d.ctx, minh, i.Key, helpdesk.Circular{Subject: "Sự cố", Text: "Đang sửa", Tickets: true, Provinces: []string{"0010", "0060"}})
	d.ok(err)
	d.refused(d.SendCircular(d.ctx, minh, i.Key, at, 2), "ticket.right")
	both := who("minh", helpdesk.RoleLead)
	d.refused(d.SendCircular(d.ctx, both, i.Key, at, 2), "ticket.second_person")
	d.refused(d.SendCircular(d.ctx, hong, i.Key, at, 3), "circular.count")
	d.ok(d.SendCircular(d.ctx, hong, i.Key, at, 2))
	d.refused(d.SendCircular(d.ctx, hong, i.Key, at, 2), "circular.gone")
	if n, err := d.StopCircular(d.ctx, hong, i.Key, at); n != 2 || err != nil {
		t.Errorf("%d mails were stopped, %v", n, err)
	}
	d.ok(d.CloseIncident(d.ctx, minh, i.Key, "bản cập nhật lỗi", true))
	if s := d.ticket(v.Key).State; s != helpdesk.Resolved {
		t.Errorf("the incident's ticket is %s", s)
	}
}

func TestNoticesAreCountedByProvince(t *testing.T) {
	d := newDesk(t)
	n, err := d.Publish(d.ctx, hong, helpdesk.Notice{Title: "Đổi mật khẩu", Text: "Thường xuyên", Block: []string{"TL. TỔNG GIÁM ĐỐC"}})
	d.ok(err)
	d.ok(d.HasRead(d.ctx, minh, n.Key, "1999001", true))
	_, by, err := d.Notice(d.ctx, minh, n.Key)
	d.ok(err)
	if by["0010"] != (helpdesk.Spread{Delivered: 1, Read: 1, Confirmed: 1}) || by["0060"] != (helpdesk.Spread{Delivered: 1}) {
		t.Errorf("it has come to %v", by)
	}
	p, err := d.Register(d.ctx, hong, helpdesk.Paper{Title: "Công văn", Number: "1616/KBNN"})
	d.ok(err)
	if p.Key != "2026-000001" || p.Stamp()[1] != "Số: 000001" {
		t.Errorf("the paper is %s, its stamp %q", p.Key, p.Stamp())
	}
}

func TestATicketIsFoundWithAndWithoutDiacritics(t *testing.T) {
	d := newDesk(t)
	v := d.request("ketoan@mau.example", "Không đăng nhập được")
	for _, query := range []string{"khong dang nhap", "ĐĂNG NHẬP", "đăng nhập không", strings.ToLower(v.Key), "KETOAN@mau.example"} {
		hits, err := d.Find(d.ctx, minh, query, 10)
		if err != nil || len(hits) != 1 || hits[0].Ticket.Key != v.Key {
			t.Errorf("%q finds %d, %v", query, len(hits), err)
		}
	}
	if hits, _ := d.Find(d.ctx, minh, "đăng xuất", 10); len(hits) != 0 {
		t.Errorf("what is not there is found %d times", len(hits))
	}
	board := who("board", helpdesk.RoleProvince)
	board.Agent.Provinces = []string{"0060"}
	if hits, err := d.Find(d.ctx, board, "dang nhap", 10); err != nil || len(hits) != 0 {
		t.Errorf("another province's board finds %d, %v", len(hits), err)
	}
	if _, err := d.Sheet(d.ctx, board, v.Key); fault.KindOf(err) != fault.NotFound {
		t.Errorf("another province's board opens it: %v", err)
	}
}

func TestAPersonIsErasedAndTheFiguresStay(t *testing.T) {
	d := newDesk(t)
	v := d.request("nguoi.xoa@mau.example", "Chuyện riêng của tôi")
	_, err := d.Reply(d.ctx, minh, v.Key, helpdesk.Draft{Text: "Chào anh Xoá", Done: true})
	d.ok(err)
	_, err = d.Forget(d.ctx, minh, "nguoi.xoa@mau.example", "yêu cầu")
	d.refused(err, "ticket.right")
	n, err := d.Forget(d.ctx, who("admin", helpdesk.RoleKeeper), "Nguoi.Xoa@mau.example", "yêu cầu của khách")
	if n != 1 || err != nil {
		t.Fatalf("%d tickets, %v", n, err)
	}
	s, err := d.Sheet(d.ctx, minh, v.Key)
	d.ok(err)
	var all strings.Builder
	for _, m := range s.Thread {
		all.WriteString(m.Text + m.Subject + m.From.Address)
	}
	if all.WriteString(s.Ticket.Subject + s.Ticket.Customer); strings.Contains(all.String(), "riêng") || strings.Contains(all.String(), "xoa") || strings.Contains(all.String(), "Xoá") {
		t.Errorf("left is %q", all.String())
	}
	if hits, _ := d.Find(d.ctx, minh, "chuyện riêng", 10); len(hits) != 0 {
		t.Error("the erased text is found")
	}
	f, err := d.Figures(d.ctx, hong, monday.Add(-time.Hour), monday.Add(time.Hour))
	d.ok(err)
	if f.Made != 1 || f.Resolved != 1 || f.InTime != 1 || f.LastDay != "2026-11-23" || f.Last != 1 {
		t.Errorf("the figures are %+v", f)
	}
	var out bytes.Buffer
	d.refused(d.Export(d.ctx, hong, "", monday, monday.Add(time.Hour), &out), "ticket.reason")
	d.ok(d.Export(d.ctx, hong, "báo cáo tháng", monday, monday.Add(time.Hour), &out))
	if lines := strings.Count(out.String(), "\n"); lines != 2 {
		t.Errorf("the export has %d lines", lines)
	}
}

func TestWorkGoesToWhoIsOnDutyKnowsItAndHasLeast(t *testing.T) {
	d := newDesk(t)
	v := d.request("ketoan@mau.example", "Không ký được usb token")
	got, err := d.GiveAuto(d.ctx, hong, v.Key)
	d.ok(err)
	if got.Agent != "minh" || got.State != helpdesk.Open {
		t.Errorf("it went to %q", got.Agent)
	}
	second := d.request("ketoan@mau.example", "Không ký được usb token")
	if got, err = d.GiveAuto(d.ctx, hong, second.Key); err != nil || got.Agent != "tu" {
		t.Errorf("the second went to %q, %v", got.Agent, err)
	}
	report := d.request("ketoan@mau.example", "Đối chiếu báo cáo")
	d.ok(d.PutAgent(d.ctx, who("admin", helpdesk.RoleKeeper), helpdesk.Agent{Name: "minh", Roles: minh.Agent.Roles, Away: true}))
	_, err = d.GiveAuto(d.ctx, hong, report.Key)
	d.refused(err, "ticket.nobody")
}

func TestAReportOfAnImpostorTellsTheSecurityOfficer(t *testing.T) {
	d := newDesk(t)
	s, err := d.Suspect(d.ctx, minh, helpdesk.Suspicion{Channel: "phone", Unit: "1999001", Claimed: "Minh, 88610", Wanted: []string{"remote"}, Story: "đòi cài phần mềm"})
	d.ok(err)
	if s.Grade != "urgent" || s.Key != "G-000001" {
		t.Errorf("the report is %+v", s)
	}
	waiting, err := d.store.Waiting(d.ctx, 10)
	if err != nil || len(waiting) != 1 || waiting[0].Kind != helpdesk.SuspicionJob {
		t.Errorf("jobs %+v, %v", waiting, err)
	}
	d.refused(d.CloseSuspicion(d.ctx, minh, s.Key, "GIẢ"), "ticket.right")
	d.ok(d.CloseSuspicion(d.ctx, who("sec", helpdesk.RoleSecurity), s.Key, "GIẢ"))
}

func TestTheHandbookIsSearched(t *testing.T) {
	h, err := helpdesk.LoadHandbook(fstest.MapFS{
		"usb-token.md": {Data: []byte("# Không nhận USB token\nLoại: CKS\nBản: 3\n\nRút token, khởi động lại máy.\n")},
		"mat-khau.md":  {Data: []byte("# Quên mật khẩu\nLoại: DN\n\nBấm quên mật khẩu.\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	found := h.Find("may khong nhan token", "", 5)
	if len(found) != 1 || found[0].Name != "usb-token" || found[0].Version != "3" {
		t.Errorf("found %+v", found)
	}
	if found := h.Find("", "DN", 5); len(found) != 1 || found[0].Name != "mat-khau" {
		t.Errorf("by category %+v", found)
	}
	if _, err := helpdesk.LoadHandbook(fstest.MapFS{"x.md": {Data: []byte("text")}}); err == nil {
		t.Error("an article without a title was taken")
	}
}

func TestTrustIsTakenOverFromTheVerdict(t *testing.T) {
	got := helpdesk.TrustOf(mail.Verdict{Level: mail.LevelSuspect, Reasons: []mail.Reason{{Code: "lookalike", Bad: true}}})
	if !got.Fake() || got.Reasons[0].Code != "lookalike" || !got.Reasons[0].Bad {
		t.Errorf("trust %+v", got)
	}
}
