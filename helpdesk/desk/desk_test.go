package desk

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"countersign/helpdesk"
	"countersign/internal/clock"
	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/internal/tui/tuitest"
)

var update = flag.Bool("update", false, "write the goldens anew")

// terminal is a desk that runs its commands at once, one after the other.
type terminal struct {
	t   testing.TB
	svc *service
	app *App
}

type still struct{}

func (still) Now() time.Time { return morning }

var _ clock.Clock = still{}

func newTerminal(t testing.TB, lang locale.Lang) *terminal {
	w := &terminal{t: t, svc: newService()}
	w.app = New(w.svc, Options{Lang: lang, Clock: still{}})
	w.keys("m", "i", "n", "h", "enter", "d", "u", "n", "g", "enter")
	return w
}

// run carries a command out with all that follows from it, except what waits for time or news.
func (w *terminal) run(cmd tui.Cmd) {
	if cmd == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	switch ev := cmd(ctx).(type) {
	case nil:
	case tui.Batched:
		for _, c := range ev {
			w.run(c)
		}
	case subscribed:
		w.app.stop = ev.stop
	default:
		w.run(w.app.Handle(ev))
	}
}

func (w *terminal) keys(names ...string) {
	for _, n := range names {
		k := tui.Key{Name: n}
		if len([]rune(n)) == 1 {
			k = tui.Key{Name: "rune", Text: n}
		}
		w.run(w.app.Handle(k))
	}
}

func (w *terminal) write(text string) {
	for _, g := range tui.Graphemes(text) {
		w.keys(g)
	}
}

func (w *terminal) plain(x, y int) string {
	c := tui.NewCanvas(x, y)
	w.app.Draw(c)
	return c.Plain()
}

func (w *terminal) sees(want ...string) {
	w.t.Helper()
	got := w.plain(80, 24)
	for _, s := range want {
		if !strings.Contains(got, s) {
			w.t.Errorf("%q is not on the screen:\n%s", s, got)
		}
	}
}

func (w *terminal) golden(name string, x, y int) {
	w.t.Helper()
	path, got := filepath.Join("testdata", name+".txt"), w.plain(x, y)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			w.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	if got != string(want) {
		w.t.Errorf("%s differs (go test -update writes it anew)\n--- have\n%s--- want\n%s", name, got, want)
	}
}

var sizes = [][2]int{{60, 20}, {80, 24}, {100, 30}, {132, 43}, {200, 50}}

func TestTheScreensLookAsDrawn(t *testing.T) {
	for _, s := range sizes {
		at := fmt.Sprintf("-%dx%d", s[0], s[1])
		w := newTerminal(t, locale.Vietnamese)
		w.golden("d1"+at, s[0], s[1])
		w.keys("0", "2")
		w.golden("d2"+at, s[0], s[1])
		w.keys("r")
		w.write("Xin chị cài UltraViewer và cho em xin mật khẩu.")
		w.golden("d3"+at, s[0], s[1])
	}
}

func TestAnAnswerLeavesOnlyAfterItWasSeenWhole(t *testing.T) {
	w := newTerminal(t, locale.Vietnamese)
	w.keys("0", "2")
	w.sees("[đã che: mã PIN]", "[đường dẫn, không mở: hxxp mau.example/a.png]", "CHẶN", "trích thư cũ")
	w.keys("t", "r")
	w.write("Xin chị khởi động lại máy.")
	w.keys("f10")
	if len(w.svc.sent) != 0 {
		t.Fatal("the first F10 has sent the mail")
	}
	w.sees("máy lẻ 88610", "hotrocntt@vst.gov.vn", "Xin chị khởi động lại máy.")
	w.keys("f10")
	if len(w.svc.sent) != 1 || w.svc.sent[0].Rev != 4 || !w.svc.sent[0].Wait {
		t.Errorf("sent was %+v", w.svc.sent)
	}
}

func TestNoKeySendsWhatGenuineStaffNeverWrite(t *testing.T) {
	w := newTerminal(t, locale.Vietnamese)
	w.keys("0", "2", "r")
	w.write("Chị cài UltraViewer giúp em.")
	for _, k := range []string{"f10", "f10", "enter", "f10", "ctrl+s"} {
		w.keys(k)
	}
	if _, still := w.app.page.(*composePage); !still || len(w.svc.sent) != 0 {
		t.Fatalf("the draft went on: %T, %d sent", w.app.page, len(w.svc.sent))
	}
	w.sees("CHƯA GỬI ĐƯỢC: 1 chỗ")
	w.keys("f8", "f4", "f10")
	if _, on := w.app.page.(*previewPage); !on {
		t.Errorf("without the finding the page is still %T", w.app.page)
	}
}

func TestWhatCameMeanwhileIsReadBeforeTheAnswerLeaves(t *testing.T) {
	w := newTerminal(t, locale.Vietnamese)
	w.keys("0", "2", "r")
	w.write("Xin chị chờ.")
	w.keys("f10")
	next := *w.svc.sheet
	ticket := *next.Ticket
	ticket.Rev++
	next.Ticket = &ticket
	next.Thread = append(next.Thread[:2:2], &helpdesk.Message{Key: "SD261121-000001/0003", Number: 3, Kind: helpdesk.FromCustomer, At: morning, Text: "Được rồi ạ.", Quoted: len("Được rồi ạ.")})
	w.svc.sheet = &next
	w.run(w.app.page.(hearer).hear(w.app, "SD261121-000001"))
	w.keys("f10")
	if len(w.svc.sent) != 0 {
		t.Fatal("an answer left that does not know the newest message")
	}
	w.sees("Được rồi ạ.")
	w.keys("r", "f10", "f10")
	if len(w.svc.sent) != 1 || !strings.Contains(w.svc.sent[0].Text, "Xin chị chờ.") {
		t.Errorf("the draft did not stay: %+v", w.svc.sent)
	}
}

func TestTheListNeverMovesUnderTheHand(t *testing.T) {
	w := newTerminal(t, locale.Vietnamese)
	before := w.plain(80, 24)
	fresh := *w.svc.queue.Tickets[0]
	fresh.Key = "SD261121-000099"
	w.svc.queue.Tickets = append([]*helpdesk.Ticket{&fresh}, w.svc.queue.Tickets...)
	w.run(w.app.queue.hear(w.app, fresh.Key))
	rows := func(s string) string { return strings.Join(strings.Split(s, "\n")[3:20], "\n") }
	if rows(w.plain(80, 24)) != rows(before) {
		t.Error("rows moved")
	}
	w.sees("1 việc mới")
	w.keys("f5")
	w.sees("SD261121-000099")
}

func TestTheFirstTicketOfAnEmptyListIsSeenAtOnce(t *testing.T) {
	w := newTerminal(t, locale.Vietnamese)
	first := w.svc.queue.Tickets[:1]
	w.svc.queue.Tickets, w.svc.aside = nil, nil
	w.run(w.app.queue.hear(w.app, ""))
	w.keys("f5")
	if strings.Contains(w.plain(80, 24), first[0].Key) {
		t.Fatal("the list is not empty")
	}
	w.svc.queue.Tickets = first
	w.run(w.app.queue.hear(w.app, first[0].Key))
	w.sees(first[0].Key)
}

func TestAReasonThatIsAloneInItsRowIsReadWhole(t *testing.T) {
	w := newTerminal(t, locale.Vietnamese)
	m := w.svc.sheet.Thread[0]
	m.Trust.Reasons = m.Trust.Reasons[:1]
	w.keys("enter")
	_, text := w.app.reason(m.Trust.Reasons[0])
	w.sees(text)
}

func TestAColleagueWhoWritesIsSeenBeforeOneWritesToo(t *testing.T) {
	w := newTerminal(t, locale.Vietnamese)
	w.svc.sheet.Present = []helpdesk.Present{{Agent: "hong", Since: morning, Composing: true}}
	w.keys("0", "2", "r")
	w.sees("Hồng đang soạn trả lời từ 09:41")
	w.keys("1", "r", "2")
	if _, on := w.app.page.(*composePage); !on {
		t.Errorf("2 did not open the draft: %T", w.app.page)
	}
}

func TestACallIsInTheLogBeforeItsNumberIsGiven(t *testing.T) {
	w := newTerminal(t, locale.Vietnamese)
	w.keys("0", "2", "c", "f10")
	if len(w.svc.calls) != 0 {
		t.Fatal("a call without a reason was logged")
	}
	w.write("thư không đủ")
	w.keys("f10")
	if len(w.svc.calls) != 1 || !w.svc.calls[0].Out || w.svc.calls[0].Unit != "1999001" {
		t.Errorf("logged was %+v", w.svc.calls)
	}
	w.sees("Giờ được quay 0900 000 031", "7KQ")
}

// pages are every page of the terminal, on a ticket.
func pages(w *terminal) []page {
	w.keys("0", "2")
	th := w.app.page.(*threadPage)
	compose := newComposePage(w.app, th)
	calls, props := newCallsPage(th), newPropsPage(th)
	calls.fill(w.app)
	props.open(w.app)
	w.app.page = th
	return []page{w.app.queue, th, &evidencePage{thread: th, of: th.sheet.Thread[0]}, compose, &previewPage{compose: compose, turn: 1, mail: helpdesk.Preview{Body: "a", Subject: th.sheet.Ticket.Subject}},
		&choosePage{under: th, title: "desk.title.canned"}, newWritePage(w.app, th, "desk.title.note", th.key(), nil), calls, props,
		&suspicionPage{list: []*helpdesk.Suspicion{{Key: "G-000001", Story: th.sheet.Ticket.Subject, Wanted: []string{"pin"}}}},
		newReportPage(w.app, th), &findPage{text: tui.Field{Max: 9}, hits: []helpdesk.Hit{{Ticket: th.sheet.Ticket, Snippet: th.sheet.Ticket.Subject}}}, &asidePage{mail: w.svc.aside[0]}, &keysPage{under: th}}
}

func TestNoPageFailsAtAnySize(t *testing.T) {
	for _, l := range locale.Langs {
		w := newTerminal(t, l)
		for _, p := range pages(w) {
			w.app.page = p
			for x := 1; x <= 210; x += 19 {
				for y := 1; y <= 60; y += 7 {
					w.plain(x, y)
				}
			}
			if got := w.plain(80, 24); strings.Contains(got, "‹") {
				t.Errorf("%s %T names a text that does not exist:\n%s", l, p, got)
			}
			for _, b := range w.app.page.keys() {
				if s := w.app.t(b.label, nil); strings.HasPrefix(s, "‹") {
					t.Errorf("%s: %s is no text", l, s)
				}
			}
		}
	}
}

func FuzzNothingOfAMailReachesTheTerminalRaw(f *testing.F) {
	f.Add("\x1b]0;x\x07\x1b[2J", "a\u202eb\u2066\u200f", "http://x/\x9b31m")
	f.Fuzz(func(t *testing.T, text, subject, name string) {
		w := newTerminal(t, locale.Vietnamese)
		m := w.svc.sheet.Thread[0]
		m.Text, m.Quoted, m.Subject, m.From = text, len(text)/2, subject, helpdesk.Address{Name: name, Address: subject}
		m.Files[0].Name, m.Trust.Reasons[0].Args = name, map[string]string{"x": text}
		for _, k := range w.svc.queue.Tickets {
			k.Subject, k.Contact.Name, k.Contact.Unit, k.Customer = subject, name, text, name
		}
		w.svc.sheet.Ticket.Subject, w.svc.sheet.Unit.Name = subject, name
		w.svc.aside[0].From, w.svc.aside[0].Subject = m.From, subject
		w.run(w.app.queue.load(w.app))
		for _, p := range pages(w) {
			w.app.page = p
			for i, r := range w.plain(132, 43) {
				if r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
					t.Fatalf("%T: %U stands at %d", p, r, i)
				}
			}
		}
	})
}

func TestTheRootRunsWithoutATerminal(t *testing.T) {
	at, err := tuitest.NewHeadless(New(newService(), Options{Clock: still{}}), 80, 24)
	if err != nil {
		t.Fatal(err)
	}
	if err := at.Close(); err != nil {
		t.Error(err)
	}
}
