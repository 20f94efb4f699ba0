package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"countersign/internal/clock"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, clock.Vietnam)

// handed opens a listener for the box and returns a client of it.
func handed(t *testing.T, l *Listener) *smtp.Client {
	t.Helper()
	on, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Hello, l.Clock, l.Log = "desk.example", clock.At(noon), slog.New(slog.NewTextHandler(io.Discard, nil))
	l.Mailboxes = map[string]string{user: "desk", "xacminh@example.test": "genuine"}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Serve(ctx, on) }()
	t.Cleanup(func() {
		stop()
		<-done
	})
	conn, err := net.Dial("tcp", on.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := smtp.NewClient(conn)
	if l.LMTP {
		c = smtp.NewClientLMTP(conn)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func code(err error) int {
	if e := (*smtp.SMTPError)(nil); errors.As(err, &e) {
		return e.Code
	}
	return 0
}

func give(c *smtp.Client, raw []byte, to ...string) error {
	if err := c.Mail("khach@mau.example", nil); err != nil {
		return err
	}
	for _, r := range to {
		if err := c.Rcpt(r, nil); err != nil {
			return err
		}
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(raw); err != nil {
		return err
	}
	return w.Close()
}

func TestAHandedMailIsAcknowledgedOnceItIsKept(t *testing.T) {
	for _, lmtp := range []bool{false, true} {
		b := newBox()
		c := handed(t, &Listener{Keeper: b, LMTP: lmtp})
		b.fail = func() error { return errors.New("the disk is full") }
		if err := give(c, letter(1, ""), user); code(err) != 451 {
			t.Errorf("LMTP %t: a full disk was answered with %v", lmtp, err)
		}
		b.fail = nil
		if err := give(c, letter(1, ".\r\n..\r\n"), "Desk+v1@Example.TEST"); err != nil {
			t.Fatalf("LMTP %t: %v", lmtp, err)
		}
		m := b.kept[0]
		if !bytes.Equal(m.Raw, letter(1, ".\r\n..\r\n")) || m.Path.From != "khach@mau.example" || !slices.Equal(m.Path.To, []string{"Desk+v1@Example.TEST"}) || !m.Path.Client.IsLoopback() || !m.Arrived.Equal(noon) {
			t.Errorf("LMTP %t: kept %+v %q", lmtp, m.Path, m.Raw)
		}
	}
}

func TestTheListenerRelaysNothingAndTakesNothingFromStrangers(t *testing.T) {
	b := newBox()
	c := handed(t, &Listener{Keeper: b, Limit: 1000})
	if err := give(c, letter(1, ""), "somebody@elsewhere.example"); code(err) != 550 {
		t.Errorf("mail for another house: %v", err)
	}
	if err := c.Reset(); err != nil {
		t.Fatal(err)
	}
	if err := give(c, letter(2, strings.Repeat("dài ", 1000)), user); code(err) != 552 {
		t.Errorf("mail above the limit: %v", err)
	}
	c = handed(t, &Listener{Keeper: b, Trusted: func(netip.Addr) bool { return false }})
	if err := give(c, letter(3, ""), user); code(err) != 554 {
		t.Errorf("mail of a stranger: %v", err)
	}
	if b.count() != 0 {
		t.Errorf("%d mails were kept", b.count())
	}
}

func TestADirectoryIsEmptiedOnlyOfWhatIsKept(t *testing.T) {
	for _, kind := range []string{"maildir", "spool", "spool that is cleared"} {
		t.Run(kind, func(t *testing.T) {
			root := t.TempDir()
			from, done := root, filepath.Join(root, "kept")
			if kind == "maildir" {
				from, done = filepath.Join(root, "new"), filepath.Join(root, "cur")
				for _, d := range []string{"tmp", "new", "cur"} {
					if err := os.Mkdir(filepath.Join(root, d), 0o700); err != nil {
						t.Fatal(err)
					}
				}
			}
			put := func(name string, raw []byte) {
				if err := os.WriteFile(filepath.Join(from, name), raw, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			put("1700000000.M1.mau", letter(1, ""))
			put("1700000001.M2.mau", letter(2, ""))
			put(".writing", letter(3, ""))
			b := newBox()
			b.fail = func() error { return errors.New("the disk is full") }
			d := &Dir{Name: "box", Path: root, Remove: kind == "spool that is cleared", Keeper: b, Clock: clock.At(noon)}
			if _, err := d.Drain(t.Context()); err == nil {
				t.Error("a full disk is no error")
			}
			if left, _ := os.ReadDir(from); len(left) < 3 {
				t.Errorf("mails that were not kept are gone: %v", left)
			}
			b.fail = nil
			if n, err := d.Drain(t.Context()); n != 2 || err != nil {
				t.Fatalf("%d mails: %v", n, err)
			}
			b.holds(t, letters(1, 3))
			if n, err := d.Drain(t.Context()); n != 0 || err != nil {
				t.Errorf("again: %d mails: %v", n, err)
			}
			moved, _ := os.ReadDir(done)
			if want := map[string]int{"maildir": 2, "spool": 2}[kind]; len(moved) != want {
				t.Errorf("%d files in %s", len(moved), done)
			}
		})
	}
}
