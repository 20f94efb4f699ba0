package intake

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"countersign/helpdesk"
	"countersign/internal/clock"
	"countersign/internal/store"
	"countersign/internal/vault"
	"countersign/mail"
	"countersign/mail/auth"
	"countersign/mail/message"
	"countersign/services"
)

// morning is a Saturday; the term of a mail that comes then begins on Monday.
var morning = time.Date(2026, 11, 21, 9, 0, 0, 0, clock.Vietnam)

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

// borderReader parses for real and believes the border's header, which the tests write themselves.
type borderReader struct{}

var subjectCode = regexp.MustCompile(`\[(\d{4})#DVC\]`)

func (borderReader) Inspect(_ context.Context, raw []byte, _ auth.Envelope, _ time.Time) Inspection {
	m := message.Parse(raw, message.Limits{})
	v := mail.Verdict{Level: mail.LevelUnproven}
	for _, h := range m.Header {
		if h.Is("X-Border") {
			v.Level = mail.Level(strings.TrimSpace(h.Value))
		}
	}
	route := Routing{Problem: "missing"}
	if c := subjectCode.FindStringSubmatch(m.Subject); c != nil {
		route = Routing{Code: c[1], Province: c[1], Queue: "DVC"}
	}
	return Inspection{Mail: m, Verdict: v, Routing: route}
}

// world is a reception over a real database.
type world struct {
	*Reception
	t     *testing.T
	clock *clock.Set
	uid   uint32
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: clock.At(morning)}
	w.Reception = reception(t, t.TempDir(), w.clock, "hotro@kbnn.example")
	return w
}

func reception(t testing.TB, dir string, at clock.Clock, address string) *Reception {
	t.Helper()
	v, err := keyFile()
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(context.Background(), store.Options{Dir: dir, Vault: v, Clock: at})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	r, err := over(s.Helpdesk(), at, address)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func over(s helpdesk.Store, at clock.Clock, address string) (*Reception, error) {
	categories, err := helpdesk.LoadCategories(services.Helpdesk)
	if err != nil {
		return nil, err
	}
	_, host, _ := strings.Cut(address, "@")
	r := &Reception{
		Store: s, Reader: borderReader{}, Categories: categories, Clock: at, Limits: DefaultLimits,
		Secrets:   &helpdesk.Secrets{Keys: []helpdesk.SecretKey{{ID: 'A', Bytes: []byte("synthetic key " + address)}}, Address: address, Host: host, Rand: rand.Reader},
		Working:   helpdesk.Working{Days: weekdays{}, Hours: helpdesk.OfficeHours},
		Numbering: helpdesk.DefaultNumbering,
	}
	return r, r.Check()
}

// letter is a mail that a customer writes.
type letter struct {
	from, to, subject, id, refs, level, text, extra string
	picture                                         bool
}

const goodText = `Kính gửi bộ phận hỗ trợ, máy của đơn vị không nhận USB token khi ký chứng từ trên trang dịch vụ công.
Báo lỗi không tìm thấy thiết bị. Chị Mẫu, điện thoại 0900 000 031.`

func (l letter) raw() []byte {
	if l.from == "" {
		l.from = "Chị Mẫu <ketoan@mau.example>"
	}
	if l.to == "" {
		l.to = "hotro@kbnn.example"
	}
	if l.text == "" {
		l.text = goodText
	}
	var b strings.Builder
	head := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	head("X-Border", l.level)
	head("From", l.from)
	head("To", l.to)
	head("Subject", l.subject)
	if l.id != "" {
		head("Message-ID", "<"+l.id+">")
	}
	if l.refs != "" {
		head("In-Reply-To", "<"+l.refs+">")
		head("References", "<"+l.refs+">")
	}
	b.WriteString(l.extra)
	head("MIME-Version", "1.0")
	if !l.picture {
		head("Content-Type", "text/plain; charset=utf-8")
		b.WriteString("\r\n" + l.text + "\r\n")
		return []byte(b.String())
	}
	head("Content-Type", `multipart/mixed; boundary="b"`)
	b.WriteString("\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + l.text +
		"\r\n--b\r\nContent-Type: image/png; name=\"man-hinh-loi.png\"\r\nContent-Disposition: attachment; filename=\"man-hinh-loi.png\"\r\n" +
		"Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==\r\n--b--\r\n")
	return []byte(b.String())
}

// come brings letters and returns what became of each.
func (w *world) come(letters ...letter) []*helpdesk.Intake {
	w.t.Helper()
	var list []helpdesk.Arrival
	for _, l := range letters {
		w.uid++
		list = append(list, helpdesk.Arrival{Mailbox: "hotro", UIDValidity: 1, UID: w.uid, Raw: l.raw()})
	}
	return w.bring(list)
}

func (w *world) bring(list []helpdesk.Arrival) []*helpdesk.Intake {
	w.t.Helper()
	ctx := context.Background()
	if _, err := w.Arrive(ctx, list); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.Drain(ctx); err != nil {
		w.t.Fatal(err)
	}
	var out []*helpdesk.Intake
	w.view(func(tx helpdesk.Tx) error {
		for _, a := range list {
			id, fresh, err := tx.PutArrival(a)
			if err != nil || fresh {
				w.t.Fatalf("the mail is not there: %v", err)
			}
			in, err := tx.Intake(id)
			if err != nil {
				return err
			}
			out = append(out, in)
		}
		return nil
	})
	return out
}

// view runs fn in a transaction.
func (w *world) view(fn func(helpdesk.Tx) error) {
	w.t.Helper()
	if err := w.Store.Update(context.Background(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) ticket(key string) (t *helpdesk.Ticket, thread []*helpdesk.Message, out []*helpdesk.Outgoing) {
	w.t.Helper()
	w.view(func(tx helpdesk.Tx) (err error) {
		if t, err = tx.Ticket(key); err != nil {
			return err
		}
		if thread, err = tx.Thread(key); err != nil {
			return err
		}
		out, err = tx.OutgoingsOf(key)
		return err
	})
	return t, thread, out
}

// mailsOut counts the mails that would leave.
func (w *world) mailsOut() (n int) {
	w.t.Helper()
	w.view(func(tx helpdesk.Tx) error {
		all, err := tx.CountOutgoings(time.Time{})
		for _, some := range all {
			n += some
		}
		return err
	})
	return n
}

func (w *world) fates() (out map[helpdesk.Fate]int) {
	w.t.Helper()
	w.view(func(tx helpdesk.Tx) (err error) {
		out, err = tx.Fates(time.Time{})
		return err
	})
	return out
}
