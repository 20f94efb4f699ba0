package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"time"

	"countersign/helpdesk"
	"countersign/helpdesk/intake"
	"countersign/internal/service"
	"countersign/mail/fetch"
	"countersign/mail/mailtest"
	"countersign/mail/message"
	"countersign/mail/outbox"
)

// The load of a run: a backlog in a mailbox when the service starts.
const (
	mailRuns   = 3
	mailsEach  = 2000
	mailsLong  = 100_000
	mailbox    = "hotro@bench.example"
	mailBorder = "mx.bench.example"
)

// mails measures support mail from a real Dovecot mailbox to tickets, on the whole machine.
func mails(ctx context.Context, b *bench) (err error) {
	t := &host{}
	defer func() { err = errors.Join(err, t.clean()) }()
	var plain, signed, used, usedSigned []float64
	for range mailRuns {
		for _, ack := range []bool{false, true} {
			if ack && !b.wants("mail.intake_signed_ack") && !b.wants("mail.cpu_signed") {
				continue
			}
			took, spent, err := backlog(ctx, b, t, mailsEach, ack, nil)
			if err != nil {
				return err
			}
			if ack {
				signed, usedSigned = append(signed, mailsEach/took.Seconds()), append(usedSigned, milliseconds(spent)/mailsEach)
			} else {
				plain, used = append(plain, mailsEach/took.Seconds()), append(used, milliseconds(spent)/mailsEach)
			}
		}
	}
	fsync, err := fsyncs(b.dir)
	if err != nil {
		return err
	}
	b.say("mail: %d mails a run, 34 KB on average, Vietnamese, a fifth with a picture of 100 KB, a seventh replies; IMAP from Dovecot on this machine; the acknowledgements go to a server in this process", mailsEach)
	b.print(figure{name: "mail.intake", values: plain, unit: "1/s", more: true, beside: "fsync alone", besides: fsync})
	b.print(figure{name: "mail.cpu", values: used, unit: "cpu-ms", beside: "parsing alone", besides: parsing()})
	b.print(figure{name: "mail.intake_signed_ack", values: signed, unit: "1/s", more: true, beside: "fsync alone", besides: fsync})
	b.print(figure{name: "mail.cpu_signed", values: usedSigned, unit: "cpu-ms", beside: "mail.cpu", besides: used})
	b.print(figure{name: "mail.memory", values: []float64{peakMemory()}, unit: "MB"})
	return nil
}

// longBacklog measures a backlog of 100,000 mails, tenth by tenth: the rate must not fall as the records grow.
func longBacklog(ctx context.Context, b *bench) (err error) {
	t := &host{}
	defer func() { err = errors.Join(err, t.clean()) }()
	var tenths []float64
	if _, _, err := backlog(ctx, b, t, mailsLong, false, func(rate float64) { tenths = append(tenths, rate) }); err != nil {
		return err
	}
	b.say("mail.backlog: %d mails of 5 KB; the limit's column is the first tenth", mailsLong)
	b.print(figure{name: "mail.backlog", values: tenths, unit: "1/s", more: true, beside: "first tenth", besides: tenths[:1]})
	b.print(figure{name: "mail.backlog.last", values: tenths[len(tenths)-1:], unit: "1/s", more: true, beside: "first tenth", besides: tenths[:1]})
	b.print(figure{name: "mail.backlog.memory", values: []float64{peakMemory()}, unit: "MB"})
	return nil
}

// host stands in for a test where real servers are started.
type host struct{ cleanups []func() }

func (h *host) Helper()           {}
func (h *host) Cleanup(fn func()) { h.cleanups = append(h.cleanups, fn) }
func (h *host) Errorf(format string, args ...any) {
	panic(fmt.Errorf(format, args...))
}
func (h *host) Fatal(args ...any)                 { panic(errors.New(fmt.Sprint(args...))) }
func (h *host) Fatalf(format string, args ...any) { panic(fmt.Errorf(format, args...)) }

// clean ends what was started, the last first, and turns what failed into an error.
func (h *host) clean() (err error) {
	for i := len(h.cleanups) - 1; i >= 0; i-- {
		h.cleanups[i]()
	}
	h.cleanups = nil
	if p := recover(); p != nil {
		return fmt.Errorf("a server: %v", p)
	}
	return nil
}

// backlog puts n mails into a new mailbox and lets a new installation take them. With ack each is from a proven sender,
// and it is over when every acknowledgement was taken by the mail server.
func backlog(ctx context.Context, b *bench, t *host, n int, ack bool, tenth func(rate float64)) (took, spent time.Duration, err error) {
	d := mailtest.StartDovecot(t, mailbox)
	if err := fill(d.Maildir(mailbox), n, ack, tenth != nil); err != nil {
		return 0, 0, err
	}
	sink := &outbox.Server{Addr: mailtest.Sink(t), TLS: "none", Hello: "desk.bench.example", Timeout: 20 * time.Second}
	dir, err := os.MkdirTemp(b.dir, "desk-")
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(dir)
	huge := intake.Limits{SenderHour: n, UnprovenHour: n, AllHour: n, AnswerHour: n, AnswerDay: n, AnswerAll: n, Correction: time.Hour, Reopen: time.Hour}
	o := service.Options{Dir: filepath.Join(dir, "data"), KeyFile: filepath.Join(dir, "key"), Passphrase: []byte("synthetic passphrase"), Cost: cheap,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Desk: service.DeskOptions{Address: mailbox, Name: "Tổ hỗ trợ Mẫu", Hotline: "024 0000 0000", Limits: huge, AuthServID: mailBorder,
			Domains: []string{"desk.bench.example"}, Mail: service.MailOptions{Server: sink,
				IMAP: []fetch.IMAP{{Name: "desk", Addr: d.IMAP, TLS: "none", User: mailbox,
					Secret: func(context.Context) (string, error) { return mailtest.Password, nil }}}}}}
	if err := service.Found(ctx, o, "Mẫu"); err != nil {
		return 0, 0, err
	}
	s, err := service.Open(ctx, o)
	if err != nil {
		return 0, 0, err
	}
	run, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	start, before := time.Now(), cpu()
	go func() {
		defer close(ended)
		s.Run(run)
	}()
	err = settled(ctx, s, n, ack, tenth)
	took, spent = time.Since(start), cpu()-before
	stop()
	<-ended
	return took, spent, errors.Join(err, s.Close())
}

// settled waits until n mails have their fate, and their answers when ack is set. Looking costs a query now and then.
func settled(ctx context.Context, s *service.Service, n int, ack bool, tenth func(float64)) error {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	last, part := time.Now(), 1
	for {
		done := 0
		err := s.Reception.Store.View(ctx, func(tx helpdesk.Tx) error {
			if ack {
				sent, err := tx.CountOutgoings(time.Time{})
				done = sent[helpdesk.Sent]
				return err
			}
			fates, err := tx.Fates(time.Time{})
			for fate, k := range fates {
				if fate != helpdesk.Pending {
					done += k
				}
			}
			return err
		})
		if err != nil {
			return err
		}
		for tenth != nil && part <= 10 && done >= n*part/10 {
			tenth(float64(n) / 10 / time.Since(last).Seconds())
			last, part = time.Now(), part+1
		}
		if done >= n || ack && done >= n-n/7 && done > 0 && quietNow(ctx, s) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
		}
	}
}

// quietNow reports whether nothing waits any more: replies to a ticket get no acknowledgement.
func quietNow(ctx context.Context, s *service.Service) bool {
	quiet := false
	err := s.Reception.Store.View(ctx, func(tx helpdesk.Tx) error {
		pending, err := tx.Pending(0, 1)
		if err != nil {
			return err
		}
		out, err := tx.CountOutgoings(time.Time{})
		quiet = len(pending) == 0 && out[helpdesk.Queued] == 0 && out[helpdesk.Built] == 0
		return err
	})
	return err == nil && quiet
}

// mailWords are what the mails talk of.
var mailWords = strings.Fields("kho bạc nhà nước hồ sơ chứng từ điện tử lệnh chi tài khoản đơn vị ngân sách ký số báo lỗi đăng nhập chờ duyệt xin hướng dẫn số dư dự toán thanh toán từ chối giao diện cập nhật phiên bản cảm ơn")

// fill writes n mails into a Maildir as a mail server would have delivered them.
func fill(maildir string, n int, proven, short bool) error {
	for _, sub := range []string{"new", "cur", "tmp"} {
		if err := os.MkdirAll(filepath.Join(maildir, sub), 0o700); err != nil {
			return err
		}
	}
	random := rand.New(rand.NewPCG(7, 7))
	for i := range n {
		raw := benchMail(random, i, n, proven, short)
		if err := os.WriteFile(filepath.Join(maildir, "new", fmt.Sprintf("%d.M%dP1.bench", 1_700_000_000+i, i)), raw, 0o600); err != nil {
			return err
		}
	}
	return filepath.Walk(filepath.Dir(maildir), func(path string, _ os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, mailtest.Owner, mailtest.Owner)
	})
}

// benchMail is one support mail.
func benchMail(random *rand.Rand, i, n int, proven, short bool) []byte {
	var b bytes.Buffer
	if proven {
		fmt.Fprintf(&b, "Authentication-Results: %s; dmarc=pass header.from=customer.example; dkim=pass header.d=customer.example\r\n", mailBorder)
	}
	codes := []string{"0010", "0011", "0060", "1110", "2310", "0110", "0260"}
	subject := fmt.Sprintf("[%s#DVC] Yêu cầu hỗ trợ số %06d: hồ sơ không ký được", codes[i%len(codes)], i)
	if i%7 == 6 {
		subject = "Re: " + subject
		fmt.Fprintf(&b, "In-Reply-To: <bench-%06d@customer.example>\r\nReferences: <bench-%06d@customer.example>\r\n", i-3, i-3)
	}
	who := i % max(1, n/3)
	fmt.Fprintf(&b, "From: %s <user%d@customer.example>\r\nTo: %s\r\nDate: Sat, 21 Nov 2026 09:00:00 +0700\r\nMessage-ID: <bench-%06d@customer.example>\r\nSubject: %s\r\nMIME-Version: 1.0\r\n",
		mime.BEncoding.Encode("utf-8", fmt.Sprint("Khách hàng ", who)), who, mailbox, i, mime.BEncoding.Encode("utf-8", subject))
	picture := i%5 == 0 && !short
	if picture {
		b.WriteString("Content-Type: multipart/mixed; boundary=\"bench-part\"\r\n\r\n--bench-part\r\n")
	}
	b.WriteString("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n")
	for width, end := 0, b.Len()+4096; b.Len() < end; {
		w := mailWords[random.IntN(len(mailWords))]
		if width += len(w) + 1; width > 72 {
			b.WriteString("\r\n")
			width = len(w) + 1
		}
		b.WriteString(w + " ")
	}
	b.WriteString("\r\n")
	if picture {
		data := make([]byte, 100<<10)
		for k := range data {
			data[k] = byte(random.Uint32())
		}
		copy(data, "\x89PNG\r\n\x1a\n")
		b.WriteString("--bench-part\r\nContent-Type: image/png; name=\"loi.png\"\r\nContent-Disposition: attachment; filename=\"loi.png\"\r\nContent-Transfer-Encoding: base64\r\n\r\n")
		text := base64.StdEncoding.EncodeToString(data)
		for len(text) > 76 {
			b.WriteString(text[:76] + "\r\n")
			text = text[76:]
		}
		b.WriteString(text + "\r\n--bench-part--\r\n")
	}
	return b.Bytes()
}

// parsing is the processor time that reading such a mail costs without anything else.
func parsing() (out []float64) {
	random := rand.New(rand.NewPCG(7, 7))
	list := make([][]byte, 200)
	for i := range list {
		list[i] = benchMail(random, i, len(list), true, false)
	}
	for range mailRuns {
		before := cpu()
		for _, raw := range list {
			message.Parse(raw, message.Default())
		}
		out = append(out, milliseconds(cpu()-before)/float64(len(list)))
	}
	return out
}

// fsyncs is how often in a second this disk makes a page durable.
func fsyncs(dir string) (out []float64, err error) {
	f, err := os.CreateTemp(dir, "fsync-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	page := make([]byte, 4096)
	for range mailRuns {
		start, n := time.Now(), 0
		for ; time.Since(start) < lap; n++ {
			if _, err := f.WriteAt(page, 0); err != nil {
				return nil, err
			}
			if err := f.Sync(); err != nil {
				return nil, err
			}
		}
		out = append(out, float64(n)/time.Since(start).Seconds())
	}
	return out, nil
}

// peakMemory is the most memory that this process has had, in megabytes.
func peakMemory() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.SplitSeq(string(status), "\n") {
		var kb float64
		if _, err := fmt.Sscanf(line, "VmHWM: %f kB", &kb); err == nil {
			return kb / 1024
		}
	}
	return 0
}
