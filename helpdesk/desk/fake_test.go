package desk

import (
	"context"
	"sync"
	"time"

	"countersign/helpdesk"
	"countersign/helpdesk/reply"
	"countersign/internal/clock"
	"countersign/internal/fault"
)

// morning is when the tests play.
var morning = time.Date(2026, 11, 21, 9, 41, 0, 0, clock.Vietnam)

// service is a helpdesk in memory, with what the screens of one ticket need. The rules of the real one are tested where
// they are; the journey in internal/demo plays against it.
type service struct {
	Service
	mu      sync.Mutex
	sheet   *helpdesk.Sheet
	queue   Queue
	aside   []*helpdesk.Intake
	sent    []helpdesk.Draft
	calls   []helpdesk.Call
	changes chan Change
}

func newService() *service {
	mau := helpdesk.Address{Name: "Chị Mẫu", Address: "ketoan@mau.example"}
	trust := helpdesk.Trust{Level: "aligned", Known: true, Reasons: []helpdesk.Reason{{Code: "aligned"}, {Code: "smime_no_signature", Bad: true}}}
	t := &helpdesk.Ticket{Key: "SD261121-000001", Rev: 3, State: helpdesk.New, Channel: helpdesk.ByMail, Priority: helpdesk.Normal,
		Route: helpdesk.Route{Code: "0012", Province: "0010"}, Category: "CKS", Subject: "Không nhận USB token", Unit: "1999001",
		Contact: helpdesk.Contact{Name: "kế toán"}, Customer: mau.Address, Proven: true, Trust: trust, Created: morning.Add(-time.Hour),
		Due: morning.Add(38 * time.Minute), Count: 2, Unread: 1}
	text := "Kính gửi bộ phận hỗ trợ. Máy không nhận USB token khi ký chứng từ. Mã PIN của em là [***].\nXem ảnh ở http://mau.example/a.png\n\n> thư cũ\n> dòng hai"
	quoted := len(text) - len("> thư cũ\n> dòng hai")
	m := &helpdesk.Message{Key: t.Key + "/0001", Ticket: t.Key, Number: 1, Kind: helpdesk.FromCustomer, At: morning.Add(-time.Hour), From: mau, Text: text,
		Quoted: quoted, Masks: []helpdesk.Mask{{Kind: "pin", At: indexOf(text, helpdesk.MaskMark)}}, Trust: trust,
		Files: []helpdesk.Attachment{{Name: "man-hinh-loi.png", Size: 214 << 10}, {Name: "drv.exe", Size: 9 << 10, Blocked: "program"}}}
	note := &helpdesk.Message{Key: t.Key + "/0002", Ticket: t.Key, Number: 2, Kind: helpdesk.Note, At: morning, Author: "hong", Text: "giống sự cố hôm qua"}
	late := *t
	late.Key, late.Due, late.Subject, late.Trust.Level, late.Unread = "SD261120-000318", morning.Add(-42*time.Minute), "Không ký được chứng từ", "signed", 0
	mine := *t
	mine.Key, mine.Agent, mine.State, mine.Subject, mine.Due, mine.Unread = "SD261121-000002", "minh", helpdesk.Waiting, "Chứng thư hết hạn", time.Time{}, 0
	me := helpdesk.Agent{Name: "minh", FullName: "Nguyễn Minh Thử", Extension: "88610"}
	return &service{sheet: &helpdesk.Sheet{Ticket: t, Thread: []*helpdesk.Message{m, note}, Code: "7KQ",
		Unit: &helpdesk.Unit{Code: "1999001", Name: "Trường MẪU A", Addresses: []string{mau.Address}, Phones: []string{"0900 000 031"}}},
		queue: Queue{Me: me, Tickets: []*helpdesk.Ticket{&late, t, &mine}, Counts: helpdesk.Counts{Free: 2, Mine: 1, Waiting: 1, Overdue: 1, Fake: 1, Quarantined: 1}},
		aside: []*helpdesk.Intake{{ID: 9, Fate: helpdesk.Quarantined, Reason: "fake", From: helpdesk.Address{Address: "hotro@vst-gov.example"},
			Subject: "Xác minh", At: morning, Trust: helpdesk.Trust{Level: "forged"}}},
		changes: make(chan Change, 8)}
}

func indexOf(text, part string) int {
	for i := range text {
		if i+len(part) <= len(text) && text[i:i+len(part)] == part {
			return i
		}
	}
	return -1
}

func (s *service) SignIn(_ context.Context, user, password string) (SignedIn, error) {
	if password != "dung" {
		return SignedIn{}, fault.New(fault.Unauthenticated, "signin.wrong", fault.Args{"left": "4"})
	}
	return SignedIn{User: user, Name: "Nguyễn Minh Thử"}, nil
}

func (s *service) Lock(context.Context) error { return nil }
func (s *service) Queue(context.Context, helpdesk.Queue) (Queue, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue, nil
}
func (s *service) Aside(context.Context, helpdesk.Fate) ([]*helpdesk.Intake, error) {
	return s.aside, nil
}
func (s *service) Ticket(context.Context, string) (*helpdesk.Sheet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := *s.sheet
	return &v, nil
}
func (s *service) Leave(context.Context, string) error           { return nil }
func (s *service) Composing(context.Context, string, bool) error { return nil }
func (s *service) Agents(context.Context) ([]*helpdesk.Agent, error) {
	return []*helpdesk.Agent{{Name: "minh", FullName: "Nguyễn Minh Thử", Extension: "88610"}, {Name: "hong", FullName: "Hồng", Extension: "88611"}}, nil
}
func (s *service) Take(context.Context, string) (*helpdesk.Ticket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := *s.sheet.Ticket
	t.Agent, t.State, t.Rev = "minh", helpdesk.Open, t.Rev+1
	s.sheet.Ticket = &t
	return &t, nil
}
func (s *service) Preview(_ context.Context, _ string, d helpdesk.Draft) (helpdesk.Preview, error) {
	if err := reply.Refuse(d.Text); err != nil {
		return helpdesk.Preview{}, err
	}
	return helpdesk.Preview{From: "Minh <hotrocntt@vst.gov.vn>", To: "ketoan@mau.example", Subject: "[SD261121-000001] Không nhận USB token", Body: d.Text + "\n\nMinh, máy lẻ 88610\n"}, nil
}
func (s *service) Reply(_ context.Context, _ string, d helpdesk.Draft) (*helpdesk.Outgoing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, d)
	return &helpdesk.Outgoing{To: helpdesk.Address{Address: "ketoan@mau.example"}}, nil
}
func (s *service) Calls(context.Context, time.Time, time.Time) ([]*helpdesk.Call, error) {
	return nil, nil
}
func (s *service) LogCall(_ context.Context, c helpdesk.Call) (*helpdesk.Call, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, c)
	c.Key = "C-000001"
	return &c, nil
}
func (s *service) Changes(context.Context) <-chan Change { return s.changes }
