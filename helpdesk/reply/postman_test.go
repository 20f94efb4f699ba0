package reply

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"countersign/helpdesk"
	"countersign/internal/clock"
	"countersign/internal/job"
	"countersign/internal/store"
	"countersign/internal/vault"
	"countersign/mail/dkim"
	"countersign/mail/mailtest"
	"countersign/mail/message"
	"countersign/mail/outbox"
	"countersign/mail/smime"
	"countersign/signing/ca"
)

const (
	mailbox  = "desk@example.test"
	customer = "ketoan@example.test"
)

// post is a postman over a real database, a CA and a server that remembers.
type post struct {
	*Postman
	t     *testing.T
	clock *clock.Set
	root  []byte // PEM
	sent  []sent
	fail  error
	dkim  *dkim.Key
	n     int
}

type sent struct {
	from, to string
	raw      []byte
}

func (p *post) Send(_ context.Context, from, to string, raw []byte) error {
	if p.fail != nil {
		return p.fail
	}
	p.sent = append(p.sent, sent{from, to, bytes.Clone(raw)})
	return nil
}

// people gives everybody an identity of their own under one CA.
type people map[string]smime.Identity

func (p people) Identity(agent string) (smime.Identity, error) {
	id, ok := p[agent]
	if !ok {
		return id, errors.New("nobody of this name signs")
	}
	return id, nil
}

func newPost(t *testing.T) *post {
	t.Helper()
	p := &post{t: t, clock: clock.At(time.Now().In(clock.Vietnam))}
	v, err := vault.Create(filepath.Join(t.TempDir(), "keys"), []byte("synthetic passphrase"))
	must(t, err)
	s, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Vault: v, Clock: p.clock})
	must(t, err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	root, err := ca.NewRoot(pkix.Name{CommonName: "Root of a test"}, p.clock, rand.Reader)
	must(t, err)
	issuing, err := root.NewIssuing(pkix.Name{CommonName: "Issuing CA of a test"})
	must(t, err)
	ids := people{}
	for name, full := range map[string]string{"": "Tổ hỗ trợ Mẫu", "minh": "Minh Thử"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(t, err)
		chain, err := issuing.IssueMail(key.Public(), ca.MailSigner{Name: full, StaffID: name, Address: mailbox, Life: 24 * time.Hour})
		must(t, err)
		ids[name] = smime.Identity{Key: key, Chain: chain}
	}
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	p.dkim = &dkim.Key{Domain: "example.test", Selector: "c1", Signer: private}
	p.root = ca.PEM(root.Certificate)
	p.Postman = &Postman{Store: s.Helpdesk(), Server: p, Refused: outbox.ErrRefused, Clock: p.clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Writer: &Writer{House: House{Name: "Tổ hỗ trợ Mẫu", Mailbox: mailbox, Hotline: "024 0000 0000"}, Identities: ids, Roots: pool(p.root),
			Sealer: p.dkim, Clock: p.clock, Rand: rand.Reader,
			Secrets: &helpdesk.Secrets{Keys: []helpdesk.SecretKey{{ID: 'A', Bytes: []byte("synthetic key of thirty-two byte")}}, Address: mailbox, Host: "example.test", Rand: rand.Reader}}}
	must(t, s.Helpdesk().Update(t.Context(), func(tx helpdesk.Tx) error {
		return helpdesk.Put(tx, &helpdesk.Agent{Name: "minh", FullName: "Minh Thử", Extension: "88610"})
	}))
	return p
}

func pool(pem []byte) *x509.CertPool {
	p := x509.NewCertPool()
	p.AppendCertsFromPEM(pem)
	return p
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// queue writes a mail down as the desk's acts do.
func (p *post) queue(o helpdesk.Outgoing) job.Job {
	p.t.Helper()
	p.n++
	id, err := p.Writer.Secrets.NewMailID()
	must(p.t, err)
	o.State, o.MailID, o.Ticket = helpdesk.Queued, id, "SD261121-000001"
	o.Key, o.Created, o.ReplyTo = o.Ticket+"/000"+string(rune('0'+p.n)), p.clock.Now(), p.Writer.Secrets.ReplyAddress(o.Ticket)
	if o.To.Address == "" {
		o.To.Address = customer
	}
	must(p.t, p.Store.Update(p.t.Context(), func(tx helpdesk.Tx) error { return tx.PutOutgoing(&o) }))
	return job.Job{Kind: helpdesk.MailJob, Payload: []byte(o.Key)}
}

func (p *post) state(j job.Job) (o *helpdesk.Outgoing) {
	p.t.Helper()
	must(p.t, p.Store.View(p.t.Context(), func(tx helpdesk.Tx) (err error) {
		o, err = tx.Outgoing(string(j.Payload))
		return err
	}))
	return o
}

var receipt = helpdesk.Outgoing{Form: helpdesk.Receipt, Points: []helpdesk.Point{
	{Name: helpdesk.PointTicket, Args: map[string]string{"serial": "SD261121-000001"}},
	{Name: helpdesk.PointMissing, Args: map[string]string{"what": "screenshot"}},
	{Name: helpdesk.PointSecret, Args: map[string]string{"kind": "pin"}},
}, Parents: []string{"first@mau.example", "bad id <x>"}}

var answer = helpdesk.Outgoing{Form: helpdesk.Reply, Author: "minh", Subject: "Không nhận USB token", Text: "Kính gửi chị Mẫu,\nXin chị rút USB token rồi cắm vào cổng phía sau.\n.\nTrân trọng."}

func TestAReceiptTellsWhatItMustAndNothingOfTheSender(t *testing.T) {
	p := newPost(t)
	j := p.queue(receipt)
	if out := p.Handle(t.Context(), j); out.Err != nil {
		t.Fatal(out.Err)
	}
	if len(p.sent) != 1 || p.sent[0].from != "" || p.sent[0].to != customer {
		t.Fatalf("sent %d mails, return path %q", len(p.sent), p.sent[0].from)
	}
	m := message.Parse(p.sent[0].raw, message.Limits{})
	for _, want := range []string{"SD261121-000001", "ảnh chụp màn hình", "mã PIN", "CẢNH BÁO MẠO DANH", "XACMINH SD261121-000001", "024 0000 0000"} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("the mail does not say %q:\n%s", want, m.Text)
		}
	}
	if !m.Automatic() || len(m.References) != 1 || m.References[0] != "first@mau.example" {
		t.Errorf("automatic %t, references %q", m.Automatic(), m.References)
	}
	if o := p.state(j); o.State != helpdesk.Sent || o.SentAt.IsZero() {
		t.Errorf("state %s at %s", o.State, o.SentAt)
	}
	if out := p.Handle(t.Context(), j); out.Err != nil || len(p.sent) != 1 {
		t.Errorf("told again: %v, %d mails", out.Err, len(p.sent))
	}
}

func TestOnlyTheFirstMailOfATicketWarnsAndEachHasACheckCodeOfItsOwn(t *testing.T) {
	p := newPost(t)
	for range 2 {
		if out := p.Handle(t.Context(), p.queue(answer)); out.Err != nil {
			t.Fatal(out.Err)
		}
	}
	var codes []string
	for i, s := range p.sent {
		m := message.Parse(s.raw, message.Limits{})
		if got := strings.Contains(m.Text, "CẢNH BÁO MẠO DANH"); got != (i == 0) {
			t.Errorf("mail %d warns: %t", i+1, got)
		}
		if s.from != mailbox || m.Automatic() || m.From[0].Name != "Minh Thử, Tổ hỗ trợ Mẫu" {
			t.Errorf("mail %d: from %q %v, automatic %t", i+1, s.from, m.From, m.Automatic())
		}
		_, after, _ := strings.Cut(m.Text, "Mã kiểm tra của thư này: ")
		code, _, _ := strings.Cut(after, "\n")
		codes = append(codes, code)
		if !p.Writer.Secrets.CheckMailCode("SD261121-000001", m.MessageID, TextSHA256(m.Text), customer, code) {
			t.Errorf("the code %q of mail %d does not hold for its text", code, i+1)
		}
	}
	if codes[0] == codes[1] {
		t.Errorf("two mails have the same code %s", codes[0])
	}
}

func TestWhatWasSignedIsSentAsItIsUntilTheServerTakesIt(t *testing.T) {
	p := newPost(t)
	j := p.queue(answer)
	p.fail = errors.New("451 come later, thu@mau.example")
	if out := p.Handle(t.Context(), j); out.Err == nil {
		t.Fatal("a server that took nothing was believed")
	}
	first := p.state(j)
	if first.State != helpdesk.Built || first.Tries != 1 || strings.Contains(first.Answer, "@") {
		t.Errorf("after the first try: %s, %d tries, %q", first.State, first.Tries, first.Answer)
	}
	p.fail = nil
	p.clock.Advance(time.Hour)
	if out := p.Handle(t.Context(), j); out.Err != nil {
		t.Fatal(out.Err)
	}
	if got := hexSHA256(p.sent[0].raw); got != first.SHA256 || p.state(j).SHA256 != first.SHA256 {
		t.Error("other bytes were sent than were signed first")
	}
	p.fail = outbox.ErrRefused
	j = p.queue(answer)
	if out := p.Handle(t.Context(), j); out.Err == nil || p.state(j).State != helpdesk.Refused {
		t.Errorf("a refusal ends as %s", p.state(j).State)
	}
}

func TestADraftWithWhatGenuineStaffNeverWriteNeverLeaves(t *testing.T) {
	p := newPost(t)
	bad := answer
	bad.Text = "Chị cài UltraViewer giúp em."
	j := p.queue(bad)
	if out := p.Handle(t.Context(), j); out.Err == nil || len(p.sent) > 0 || p.state(j).State != helpdesk.Stopped {
		t.Errorf("%d mails left, state %s", len(p.sent), p.state(j).State)
	}
}

func TestAMailThatWouldNotHoldAtTheReceiverDoesNotLeave(t *testing.T) {
	p := newPost(t)
	other := newPost(t)
	p.Writer.Identities = other.Writer.Identities
	j := p.queue(answer)
	if out := p.Handle(t.Context(), j); out.Err == nil || len(p.sent) > 0 || p.state(j).State != helpdesk.Queued {
		t.Errorf("signed by a stranger's CA: %d mails left, state %s", len(p.sent), p.state(j).State)
	}
}

// run runs another program on a mail and returns what it said.
func run(t *testing.T, dir, name string, args ...string) (string, error) {
	t.Helper()
	c := exec.Command(name, args...)
	c.Dir, c.Env = dir, append(os.Environ(), "GNUPGHOME="+dir)
	out, err := c.CombinedOutput()
	return string(out), err
}

func TestOurMailsHoldForOthersAfterPostfixAndDovecot(t *testing.T) {
	p := newPost(t)
	d := mailtest.StartDovecot(t, customer)
	x := mailtest.StartPostfix(t, d)
	p.Server = &outbox.Server{Addr: x.SMTP, TLS: "none", Hello: "desk.example.test", Timeout: 20 * time.Second}
	for _, o := range []helpdesk.Outgoing{receipt, answer} {
		if out := p.Handle(t.Context(), p.queue(o)); out.Err != nil {
			t.Fatal(out.Err)
		}
	}
	files := d.Wait(customer, 2)
	record, err := p.dkim.Record()
	must(t, err)
	for _, file := range files {
		dir := t.TempDir()
		raw, err := os.ReadFile(file)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, "mail.eml"), raw, 0o600))
		must(t, os.WriteFile(filepath.Join(dir, "root.pem"), p.root, 0o600))
		if out, err := run(t, dir, "openssl", "cms", "-verify", "-in", "mail.eml", "-CAfile", "root.pem", "-purpose", "smimesign", "-out", "text"); err != nil {
			t.Errorf("openssl: %v: %s", err, out)
		}
		gpgsm(t, dir, raw)
		check := "import sys,dkim; raw=open('mail.eml','rb').read().replace(b'\\r\\n',b'\\n').replace(b'\\n',b'\\r\\n'); " +
			"sys.exit(0 if dkim.verify(raw, dnsfunc=lambda name, timeout=5: sys.argv[1].encode()) else 1)"
		if out, err := run(t, dir, "/usr/bin/python3", "-c", check, record); err != nil {
			t.Errorf("python3-dkim: %v: %s", err, out)
		}
	}
}

// gpgsm verifies the mail's signature by GnuPG, which trusts the root that it is told to.
func gpgsm(t *testing.T, dir string, raw []byte) {
	t.Helper()
	m := message.Parse(raw, message.Limits{})
	if len(m.Root.Parts) != 2 {
		t.Fatalf("a signed mail has two parts, this one has %d", len(m.Root.Parts))
	}
	content, signature := m.Root.Parts[0], m.Root.Parts[1]
	must(t, os.WriteFile(filepath.Join(dir, "content"), bytes.ReplaceAll(bytes.ReplaceAll(content.Raw, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n")), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "signature"), signature.Body, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "gpgsm.conf"), []byte("disable-crl-checks\ndisable-dirmngr\n"), 0o600))
	if out, err := run(t, dir, "gpgsm", "--batch", "--import", "root.pem"); err != nil {
		t.Fatalf("gpgsm --import: %v: %s", err, out)
	}
	list, err := run(t, dir, "gpgsm", "--batch", "--with-colons", "--list-keys")
	must(t, err)
	for line := range strings.SplitSeq(list, "\n") {
		if fields := strings.Split(line, ":"); fields[0] == "fpr" {
			must(t, os.WriteFile(filepath.Join(dir, "trustlist.txt"), []byte(fields[9]+" S relax\n"), 0o600))
			break
		}
	}
	if out, err := run(t, dir, "gpgsm", "--batch", "--assume-base64", "--verify", "signature", "content"); err != nil || !strings.Contains(out, "Good signature") {
		t.Errorf("gpgsm: %v: %s", err, out)
	}
	_, _ = run(t, dir, "gpgconf", "--kill", "all")
}
