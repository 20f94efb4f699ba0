package idcard

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"countersign/internal/fault"
)

var _ Reader = (*Lines)(nil)

func open(t *testing.T, path string, tick <-chan time.Time) *Lines {
	t.Helper()
	l, err := Open(path, tick)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func write(t *testing.T, w io.Writer, s string) {
	t.Helper()
	if _, err := io.WriteString(w, s); err != nil {
		t.Fatal(err)
	}
}

// pipe opens a scanner on a named pipe, with a writer for it.
func pipe(t *testing.T) (*Lines, *os.File) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scanner")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	l := open(t, path, nil)
	w, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return l, w
}

func want(t *testing.T, l *Lines, s string) {
	t.Helper()
	got, err := l.Read(t.Context())
	if err != nil || got != s {
		t.Fatalf("read %q, %v, want %q", got, err, s)
	}
}

func TestAPipeGivesOneScanAfterAnother(t *testing.T) {
	l, w := pipe(t)
	write(t, w, thu().QR()+"\r\n\r\n"+thu().TD1()+"\n001090000017\r")
	want(t, l, thu().QR())
	want(t, l, thu().TD1())
	want(t, l, "001090000017")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w2, err := os.OpenFile(l.f.Name(), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w2.Close() }()
	write(t, w2, "0100100079\n")
	want(t, l, "0100100079")
}

func TestAZoneBrokenOffGivesWayToTheNextCard(t *testing.T) {
	l, w := pipe(t)
	write(t, w, strings.SplitN(thu().TD1(), "\n", 2)[0]+"\n"+mau().QR()+"\n")
	want(t, l, mau().QR())
}

func TestAnOverlongLineIsDroppedAndTold(t *testing.T) {
	l, w := pipe(t)
	write(t, w, strings.Repeat("9", 3*MaxLength)+"\n0100100079\n")
	if _, err := l.Read(t.Context()); !fault.Is(err, "card.too_long") {
		t.Fatalf("got %v", err)
	}
	want(t, l, "0100100079")
}

func TestWaitingEndsWithTheContextAndTheNextScanIsStillRead(t *testing.T) {
	l, w := pipe(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := l.Read(ctx)
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	write(t, w, "0100100079\n")
	want(t, l, "0100100079")
}

func TestASerialScannerIsReadRawAndToldWhenUnplugged(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	l := open(t, slave.Name(), nil)
	if err := slave.Close(); err != nil {
		t.Fatal(err)
	}
	// In cooked mode \x04 would end the input and \r would become \n.
	write(t, master, "0100\x04100079\r")
	want(t, l, "0100\x04100079")
	if err := master.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Read(t.Context()); !fault.Is(err, "card.reader_away") || fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("got %v", err)
	}
}

func TestAFileIsFollowedFromItsEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scans.txt")
	if err := os.WriteFile(path, []byte("079185000023\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tick := make(chan time.Time)
	l := open(t, path, tick)
	w, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	read := make(chan string)
	next := func() {
		s, err := l.Read(t.Context())
		if err != nil {
			t.Error(err)
		}
		read <- s
	}
	// expect keeps looking until the scan has come.
	expect := func(want string) {
		t.Helper()
		for {
			select {
			case tick <- today:
			case got := <-read:
				if got != want {
					t.Errorf("read %q, want %q", got, want)
				}
				return
			}
		}
	}
	go next()
	tick <- today
	write(t, w, "0010900")
	tick <- today
	write(t, w, "00017\n")
	expect("001090000017")
	if err := w.Truncate(0); err != nil {
		t.Fatal(err)
	}
	go next()
	tick <- today
	write(t, w, "0100100079\n")
	expect("0100100079")
}

func TestAReaderThatIsNotThereIsTold(t *testing.T) {
	for _, path := range []string{filepath.Join(t.TempDir(), "none"), t.TempDir()} {
		if _, err := Open(path, nil); !fault.Is(err, "card.reader_away") {
			t.Errorf("got %v", err)
		}
	}
}
