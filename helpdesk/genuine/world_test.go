package genuine

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"countersign/helpdesk"
	"countersign/helpdesk/intake"
	"countersign/helpdesk/reply"
	"countersign/internal/clock"
	"countersign/internal/job"
	"countersign/internal/store"
	"countersign/internal/vault"
	"countersign/mail/auth"
	"countersign/mail/message"
	"countersign/mail/outbox"
	"countersign/mail/smime"
	"countersign/services"
	"countersign/signing/ca"
)

const (
	mailbox  = "desk@example.test"
	customer = "ketoan@mau.example"
	stranger = "ai-do@la.example"
)

// keyFile is made once: its passphrase is hashed slowly, on purpose.
var keyFile = sync.OnceValues(func() (*vault.Vault, error) {
	dir, err := os.MkdirTemp("", "countersign-vault-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	return vault.Create(filepath.Join(dir, "keys"), []byte("synthetic passphrase"))
})

type everyDay struct{}

func (everyDay) Works(time.Time) bool { return true }

// one signs all mails.
type one smime.Identity

func (o one) Identity(string) (smime.Identity, error) { return smime.Identity(o), nil }

// world is a reception, an office and a postman over a real database, between a border and a server that remembers.
type world struct {
	*intake.Reception
	t       testing.TB
	clock   *clock.Set
	office  *Office
	postman *reply.Postman
	sent    [][]byte
	paths   []string
	uid     uint32
}

// Send remembers a mail.
func (w *world) Send(_ context.Context, from, _ string, raw []byte) error {
	w.sent, w.paths = append(w.sent, raw), append(w.paths, from)
	return nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, clock: clock.At(time.Now().In(clock.Vietnam))}
	v, err := keyFile()
	must(t, err)
	s, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Vault: v, Clock: w.clock})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	root, err := ca.NewRoot(pkix.Name{CommonName: "Root of a test"}, w.clock, rand.Reader)
	must(t, err)
	issuing, err := root.NewIssuing(pkix.Name{CommonName: "Issuing CA of a test"})
	must(t, err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	chain, err := issuing.IssueMail(key.Public(), ca.MailSigner{Name: "Tổ hỗ trợ Mẫu", Address: mailbox, Life: 48 * time.Hour})
	must(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(root.Certificate)
	secrets := &helpdesk.Secrets{Keys: []helpdesk.SecretKey{{ID: 'A', Bytes: []byte("synthetic key of thirty-two byte")}}, Address: mailbox, Host: "example.test", Rand: rand.Reader}
	categories, err := helpdesk.LoadCategories(services.Helpdesk)
	must(t, err)
	offices, err := intake.LoadOffices(services.Files)
	must(t, err)
	w.office = &Office{Store: s.Helpdesk(), Secrets: secrets, Roots: roots, Limits: DefaultLimits, Clock: w.clock, Rand: rand.Reader,
		Switchboard: helpdesk.Switchboard{Number: "02400000000", Extensions: []string{"88610"}}}
	w.Reception = &intake.Reception{Store: s.Helpdesk(), Secrets: secrets, Categories: categories, Working: helpdesk.Working{Days: everyDay{}, Hours: helpdesk.OfficeHours},
		Numbering: helpdesk.DefaultNumbering, Clock: w.clock, Limits: intake.DefaultLimits, Checks: w.office,
		Reader: &intake.Inspector{Limits: message.Default(), Offices: offices, Queues: []string{"DVC"}, SMIME: smime.Policy{Roots: roots},
			Auth: auth.Policy{AuthServID: "mx.example.test", Hops: 1, Own: []string{"example.test"}, Names: []string{"Tổ hỗ trợ Mẫu"}}}}
	must(t, w.Check())
	w.postman = &reply.Postman{Store: s.Helpdesk(), Server: w, Refused: outbox.ErrRefused, Clock: w.clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Writer: &reply.Writer{House: reply.House{Name: "Tổ hỗ trợ Mẫu", Mailbox: mailbox, Hotline: "024 0000 0000"}, Secrets: secrets,
			Identities: one{Key: key, Chain: chain}, Roots: roots, Clock: w.clock, Rand: rand.Reader}}
	return w
}

const proven = "Authentication-Results: mx.example.test; dmarc=pass header.from=%s; dkim=pass header.d=%[1]s\r\n"

// letter is a mail as the border passes it on; only the customer's domain and the stranger's are proven by it.
func letter(from, extra, subject, body string) []byte {
	if from == customer || from == stranger {
		_, host, _ := strings.Cut(from, "@")
		extra = fmt.Sprintf(proven, host) + extra
	}
	return fmt.Appendf(nil, "%sFrom: <%s>\r\nTo: %s\r\nSubject: %s\r\nDate: Sat, 21 Nov 2026 09:00:00 +0700\r\n", extra, from, mailbox, subject+"\r\n"+body)
}

func plain(text string) string {
	return "Content-Type: text/plain; charset=utf-8\r\n\r\n" + text + "\r\n"
}

func attached(mails ...[]byte) string {
	var b strings.Builder
	b.WriteString("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"fwd\"\r\n\r\n--fwd\r\nContent-Type: text/plain\r\n\r\nThu nay co that khong?\r\n")
	for _, m := range mails {
		b.WriteString("--fwd\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n" + string(m) + "\r\n")
	}
	return b.String() + "--fwd--\r\n"
}

// come brings mails and returns what became of them.
func (w *world) come(list ...[]byte) (out []*helpdesk.Intake) {
	w.t.Helper()
	var arrivals []helpdesk.Arrival
	for _, raw := range list {
		w.uid++
		arrivals = append(arrivals, helpdesk.Arrival{Mailbox: "desk", UIDValidity: 1, UID: w.uid, Raw: raw})
	}
	_, err := w.Arrive(w.t.Context(), arrivals)
	must(w.t, err)
	_, err = w.Drain(w.t.Context())
	must(w.t, err)
	must(w.t, w.Store.Update(w.t.Context(), func(tx helpdesk.Tx) error {
		for _, a := range arrivals {
			id, fresh, err := tx.PutArrival(a)
			if err != nil || fresh {
				return errors.Join(err, fmt.Errorf("mail %d is fresh: %t", a.UID, fresh))
			}
			in, err := tx.Intake(id)
			if err != nil {
				return err
			}
			out = append(out, in)
		}
		return nil
	}))
	return out
}

// post sends what waits, and returns the mails.
func (w *world) post() [][]byte {
	w.t.Helper()
	before := len(w.sent)
	var list []*helpdesk.Outgoing
	must(w.t, w.Store.View(w.t.Context(), func(tx helpdesk.Tx) (err error) {
		list, err = tx.OutgoingsIn(helpdesk.Queued, 100)
		return err
	}))
	for _, o := range list {
		if out := w.postman.Handle(w.t.Context(), job.Job{Kind: helpdesk.MailJob, Payload: []byte(o.Key)}); out.Err != nil {
			w.t.Fatal(out.Err)
		}
	}
	return w.sent[before:]
}

// genuine opens a ticket for the customer and returns the mail of ours that they have, its number and its code.
func (w *world) genuine() (raw []byte, serial, code string) {
	w.t.Helper()
	in := w.come(letter(customer, "Message-ID: <first@mau.example>\r\n", "[0010#DVC] Khong ky duoc", plain("May cua don vi khong nhan USB token, xin ho tro. 0900 000 031")))[0]
	if in.Fate != helpdesk.ToTicket {
		w.t.Fatalf("the request became %s (%s)", in.Fate, in.Reason)
	}
	mails := w.post()
	if len(mails) != 1 {
		w.t.Fatalf("%d receipts", len(mails))
	}
	return mails[0], in.Ticket, codeIn(message.Parse(mails[0], message.Limits{}).Text)
}

func contains(t *testing.T, raw []byte, words ...string) {
	t.Helper()
	text := message.Parse(raw, message.Limits{}).Text
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("the answer does not say %q:\n%s", word, text)
		}
	}
}

// changed replaces a stretch in a mail, once.
func changed(t *testing.T, raw []byte, from, to string) []byte {
	t.Helper()
	if !bytes.Contains(raw, []byte(from)) {
		t.Fatalf("the mail has no %q", from)
	}
	return bytes.Replace(raw, []byte(from), []byte(to), 1)
}
