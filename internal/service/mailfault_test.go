package service_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"countersign/helpdesk"
	"countersign/helpdesk/intake"
	"countersign/internal/fault"
	"countersign/internal/job"
	"countersign/internal/service"
	"countersign/mail/fetch"
	"countersign/mail/mailtest"
	"countersign/mail/message"
	"countersign/mail/outbox"
)

// postVar makes the test binary play the service of an installation until it is killed; its value is the part, the IMAP
// server and the SMTP server.
const postVar = "TEST_POST_CHILD"

func TestMain(m *testing.M) {
	if part := os.Getenv(postVar); part != "" {
		if err := playPost(strings.Fields(part), os.Args[len(os.Args)-1]); err != nil {
			fmt.Println("failed", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// postOptions are those of an installation that fetches and answers as fast as it can, with budgets for none.
func postOptions(dir, imap, smtp string) service.Options {
	o := options(dir)
	o.Jobs = job.Options{First: 50 * time.Millisecond, Max: time.Second, Tries: 1000, Lease: 3 * time.Second}
	o.Desk = service.DeskOptions{Address: hotline, Name: "Tổ hỗ trợ Mẫu", Hotline: "024 0000 0000", AuthServID: "mx.example.test", Domains: []string{"desk.example.test"},
		Limits: intake.Limits{Reopen: 24 * time.Hour},
		Mail: service.MailOptions{Server: &outbox.Server{Addr: smtp, TLS: "none", Hello: "desk.example.test", Timeout: 20 * time.Second},
			IMAP: []fetch.IMAP{{Name: "desk", Addr: imap, TLS: "none", User: hotline, After: fetch.Flag,
				Secret: func(context.Context) (string, error) { return mailtest.Password, nil }}}}}
	return o
}

// playPost runs the service in the directory; the part "full" does so on a small disk.
func playPost(part []string, dir string) error {
	o := postOptions(dir, part[1], part[2])
	if part[0] == "full" {
		return playFull(o, dir)
	}
	s, err := service.Open(context.Background(), o)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	s.Run(context.Background())
	return nil
}

// post is an installation whose service runs in other processes, between a real Dovecot and a server that remembers.
type post struct {
	t       *testing.T
	dir     string
	dovecot *mailtest.Dovecot
	sink    *mailtest.Recorder
	sent    int // mails delivered to the helpdesk
}

func newPost(t *testing.T) *post {
	t.Helper()
	p := &post{t: t, dir: t.TempDir(), dovecot: mailtest.StartDovecot(t, hotline), sink: mailtest.StartRecorder(t)}
	if err := service.Found(t.Context(), p.options(), "Mẫu"); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *post) options() service.Options { return postOptions(p.dir, p.dovecot.IMAP, p.sink.SMTP) }

// deliver brings n fresh mails, each of another customer.
func (p *post) deliver(n int) {
	p.t.Helper()
	var list [][]byte
	for range n {
		p.sent++
		list = append(list, bytes.ReplaceAll(request(fmt.Sprint("fault-", p.sent), hotline, "[0010#DVC] Không nhận USB token", ""),
			[]byte(sender), fmt.Appendf(nil, "khach%d@example.test", p.sent)))
	}
	p.dovecot.Deliver(hotline, list...)
}

// process is one life of the service.
type process struct {
	*exec.Cmd
	lines chan string // closed when it has ended
	in    io.Writer
}

func (p *post) start(part string) *process {
	p.t.Helper()
	c := &process{exec.Command(os.Args[0], p.dir), make(chan string, 16), nil}
	c.Env = append(os.Environ(), postVar+"="+part+" "+p.dovecot.IMAP+" "+p.sink.SMTP)
	c.Stderr = os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if part == "full" {
		ownMounts(c.SysProcAttr)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if c.in, err = c.StdinPipe(); err != nil {
		p.t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = c.Process.Kill() })
	go func() {
		defer close(c.lines)
		for in := bufio.NewScanner(out); in.Scan(); {
			c.lines <- in.Text()
		}
		_ = c.Wait()
	}()
	return c
}

// says waits for a line of the process.
func (c *process) says(t *testing.T, want string) {
	t.Helper()
	if got := <-c.lines; got != want {
		t.Fatalf("the service says %q, not %q", got, want)
	}
}

func (c *process) kill() {
	_ = c.Process.Kill()
	for range c.lines {
	}
}

// answers waits until every mail was answered.
func (p *post) answers() {
	p.t.Helper()
	for {
		mails, news := p.sink.Mails()
		if to := receivers(mails); len(to) >= p.sent {
			return
		}
		select {
		case <-news:
		case <-time.After(time.Minute):
			p.t.Fatalf("%d mails, %d customers have an answer", p.sent, len(receivers(mails)))
		}
	}
}

func receivers(mails []mailtest.Taken) map[string]bool {
	out := map[string]bool{}
	for _, m := range mails {
		out[m.To] = true
	}
	return out
}

// account opens what is left and counts: every mail in is one ticket, and every ticket one mail out, however often it was
// handed over.
func (p *post) account(s *service.Service) {
	p.t.Helper()
	serials, out := map[string]bool{}, map[helpdesk.OutState]int{}
	var fates map[helpdesk.Fate]int
	err := s.Reception.Store.View(context.Background(), func(tx helpdesk.Tx) (err error) {
		if fates, err = tx.Fates(time.Time{}); err != nil {
			return err
		}
		if out, err = tx.CountOutgoings(time.Time{}); err != nil {
			return err
		}
		return tx.TicketsBetween(time.Now().AddDate(0, 0, -2), time.Now().AddDate(0, 0, 1), func(v *helpdesk.Ticket) error {
			serials[v.Customer] = true
			fates["tickets"]++
			return nil
		})
	})
	if err != nil {
		p.t.Fatal(err)
	}
	if fates[helpdesk.ToTicket] != p.sent || fates["tickets"] != p.sent || len(serials) != p.sent {
		p.t.Errorf("%d mails in: %v, of %d customers", p.sent, fates, len(serials))
	}
	if n := out[helpdesk.Sent] + out[helpdesk.Built] + out[helpdesk.Queued]; n != p.sent || len(out) > 3 {
		p.t.Errorf("%d mails in: %v out", p.sent, out)
	}
	p.effectiveOnce()
	if report, err := s.VerifyJournal(context.Background(), nil); err != nil || !report.OK() {
		p.t.Errorf("the journal: %v %+v", err, report.Problems)
	}
}

// effectiveOnce wants one mail for each customer; the same one again only byte for byte.
func (p *post) effectiveOnce() {
	p.t.Helper()
	mails, _ := p.sink.Mails()
	byID, ids := map[string][]byte{}, map[string]string{}
	for _, m := range mails {
		id := message.Parse(m.Raw, message.Limits{}).MessageID
		if old, ok := byID[id]; ok && !bytes.Equal(old, m.Raw) {
			p.t.Errorf("mail %s was sent with other bytes", id)
		}
		if first, ok := ids[m.To]; ok && first != id {
			p.t.Errorf("%s has two answers", m.To)
		}
		byID[id], ids[m.To] = m.Raw, id
	}
	if len(byID) != p.sent || len(ids) != p.sent {
		p.t.Errorf("%d mails in, %d different ones out to %d customers", p.sent, len(byID), len(ids))
	}
	p.t.Logf("%d mails in, %d out, %d of them again", p.sent, len(byID), len(mails)-len(byID))
}

func (p *post) open() *service.Service {
	p.t.Helper()
	s, err := service.Open(p.t.Context(), p.options())
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			p.t.Error(err)
		}
	})
	return s
}

func rounds(quick, slow int) int {
	if os.Getenv("TEST_FAULTS") != "" {
		return slow
	}
	return quick
}

func TestKilledAtAnyPointOfIntakeAndSendingEveryMailCountsOnce(t *testing.T) {
	p := newPost(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 4))
	for n := range rounds(6, 200) {
		c := p.start("run")
		switch n % 3 {
		case 0: // in the middle of sending: the server has taken a mail and the service does not know it
			c.says(t, "ready")
			at, struck := 1+dice.IntN(5), make(chan struct{})
			p.sink.Each(func(n int) {
				if n == at {
					_ = c.Process.Kill()
					close(struck)
				}
			})
			p.deliver(6)
			<-struck
			p.sink.Each(nil)
		case 1: // while mails come
			c.says(t, "ready")
			p.deliver(8)
			<-time.After(time.Duration(dice.Int64N(int64(200 * time.Millisecond))))
		case 2: // from the start on, with mails that wait
			p.deliver(4)
			<-time.After(time.Duration(dice.Int64N(int64(900 * time.Millisecond))))
		}
		c.kill()
		if t.Failed() {
			return
		}
	}
	c := p.start("run")
	c.says(t, "ready")
	p.answers()
	c.kill()
	p.account(p.open())
}

// running is the service in this process.
func (p *post) running() (s *service.Service, stop func()) {
	p.t.Helper()
	s = p.open()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	p.t.Cleanup(stop)
	return s, stop
}

func TestWhateverBecomesOfTheMailboxEveryMailCountsOnce(t *testing.T) {
	for _, trouble := range []struct {
		name   string
		strike func(p *post, n int)
	}{
		{"connections cut", func(p *post, _ int) { p.dovecot.Kick() }},
		{"its processes killed while they send", func(p *post, _ int) { p.dovecot.KillSessions() }},
		{"another UIDVALIDITY while it is read", func(p *post, n int) {
			p.dovecot.Admin("mailbox", "update", "-u", hotline, "--uid-validity", fmt.Sprint(70_000+n), "INBOX")
		}},
		{"what was taken is removed meanwhile", func(p *post, _ int) {
			p.dovecot.Admin("expunge", "-u", hotline, "mailbox", "INBOX", "keyword", fetch.Keyword)
		}},
		{"the server away for a while", func(p *post, _ int) {
			p.dovecot.Stop()
			p.dovecot.Start()
		}},
	} {
		t.Run(trouble.name, func(t *testing.T) {
			p := newPost(t)
			p.deliver(40)
			s, stop := p.running()
			for n := range rounds(3, 25) {
				p.deliver(20)
				trouble.strike(p, n)
			}
			p.answers()
			stop()
			p.account(s)
		})
	}
}

// ownMounts gives a process mounts of its own, so that it can have a small disk.
func ownMounts(a *syscall.SysProcAttr) {
	a.Cloneflags = syscall.CLONE_NEWNS
	if os.Getuid() != 0 {
		a.Cloneflags |= syscall.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
}

// playFull runs the service on a disk that is full until the service has noticed it, and then is not; it says so, and ends
// when its input does.
func playFull(o service.Options, dir string) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mounts private: %w", err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=48m"); err != nil {
		return fmt.Errorf("mount a small disk: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := service.Found(ctx, o, "Mẫu"); err != nil {
		return err
	}
	s, err := service.Open(ctx, o)
	if err != nil {
		return err
	}
	ballast := filepath.Join(dir, "ballast")
	if err := fill(dir, ballast, 512<<10); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx)
	}()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for full := false; !full; {
		<-look.C
		for _, h := range s.Mailroom.Health() {
			full = full || fault.Is(h.Err, "store.full")
		}
	}
	fmt.Println("full")
	if err := os.Remove(ballast); err != nil {
		return err
	}
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	cancel()
	<-done
	fates, err := filed(s)
	if err != nil {
		return err
	}
	fmt.Println(fates)
	return s.Close()
}

func filed(s *service.Service) (out string, err error) {
	err = s.Reception.Store.View(context.Background(), func(tx helpdesk.Tx) error {
		fates, err := tx.Fates(time.Time{})
		maps.DeleteFunc(fates, func(_ helpdesk.Fate, n int) bool { return n == 0 })
		out = fmt.Sprint(fates)
		return err
	})
	return out, err
}

// fill writes a file that leaves only so many bytes of a disk.
func fill(dir, name string, left int) error {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		return err
	}
	return os.WriteFile(name, make([]byte, int(disk.Bavail)*int(disk.Bsize)-left), 0o600)
}

func TestADiskThatIsFullAndFreedLosesNoMail(t *testing.T) {
	p := &post{t: t, dir: t.TempDir(), dovecot: mailtest.StartDovecot(t, hotline), sink: mailtest.StartRecorder(t)}
	p.deliver(rounds(300, 2000))
	c := p.start("full")
	c.says(t, "full")
	p.answers()
	fmt.Fprintln(c.in)
	c.says(t, fmt.Sprintf("map[ticket:%d]", p.sent))
	p.effectiveOnce()
	c.kill()
}
