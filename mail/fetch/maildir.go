package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"countersign/internal/clock"
)

// Dir reads a directory into which another program delivers: a Maildir (its folder new), or a spool of one file a mail.
// Kept mails of a Maildir go to its folder cur, as a mail program would move them; those of a spool are removed only where
// Remove says so, and else moved into the spool's folder kept.
type Dir struct {
	Name   string // in the records
	Path   string
	Remove bool // a spool's mails are removed once kept
	Limit  int64
	Poll   time.Duration // 0 means ten seconds

	Keeper Keeper
	Clock  clock.Clock
	Wait   func(context.Context, time.Duration) error
	Report func(Health)

	health Health
}

// DefaultDirPoll is the time between looks into a directory.
const DefaultDirPoll = 10 * time.Second

// Run reads the directory until the context ends.
func (d *Dir) Run(ctx context.Context) error {
	wait := d.Wait
	if wait == nil {
		wait = (&IMAP{}).wait
	}
	for {
		_, err := d.Drain(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		d.report(err)
		if err := wait(ctx, orElse(d.Poll, DefaultDirPoll)); err != nil {
			return err
		}
	}
}

func (d *Dir) report(err error) {
	d.health.Mailbox, d.health.Err = d.Name, err
	if err == nil {
		d.health.Good = d.Clock.Now()
	}
	if d.Report != nil {
		d.Report(d.health)
	}
}

// Drain takes what lies there and returns how many mails that were. A file that can't be read is named in the error and
// holds up no other.
func (d *Dir) Drain(ctx context.Context) (int, error) {
	from, to := d.Path, filepath.Join(d.Path, "kept")
	if info, err := os.Stat(filepath.Join(d.Path, "new")); err == nil && info.IsDir() {
		from, to = filepath.Join(d.Path, "new"), filepath.Join(d.Path, "cur")
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return 0, fmt.Errorf("look into mailbox %s: %w", d.Name, err)
	}
	before := d.health.Taken
	var unread []error
	var batch pile
	for _, e := range entries {
		// Who writes a spool writes under another name first: a dot in front, or .tmp behind.
		if !e.Type().IsRegular() || strings.HasPrefix(e.Name(), ".") || strings.HasSuffix(e.Name(), ".tmp") {
			continue
		}
		mail, err := d.read(filepath.Join(from, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			unread = append(unread, err)
			continue
		}
		batch.add(e.Name(), mail)
		if batch.full() {
			if err := d.take(ctx, &batch, from, to); err != nil {
				return d.health.Taken - before, errors.Join(append(unread, err)...)
			}
		}
	}
	err = d.take(ctx, &batch, from, to)
	return d.health.Taken - before, errors.Join(append(unread, err)...)
}

// pile is a batch with the names of its files.
type pile struct {
	mails []Mail
	names []string
	bytes int64
}

func (p *pile) add(name string, m Mail) {
	p.mails, p.names, p.bytes = append(p.mails, m), append(p.names, name), p.bytes+int64(len(m.Raw))
}

func (p *pile) full() bool { return p.bytes >= atOnce || len(p.mails) >= mailsAtOnce }

// read reads one file, up to the limit.
func (d *Dir) read(path string) (Mail, error) {
	f, err := os.Open(path)
	if err != nil {
		return Mail{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Mail{}, err
	}
	most := info.Size()
	if most > orElse(d.Limit, DefaultLimit) {
		most = headOnly
	}
	raw := make([]byte, most)
	n, err := io.ReadFull(f, raw)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return Mail{}, fmt.Errorf("read %s: %w", path, err)
	}
	return Mail{Arrived: info.ModTime(), Raw: raw[:n], Size: info.Size()}, nil
}

// take has the pile kept and only then clears its files away.
func (d *Dir) take(ctx context.Context, p *pile, from, to string) error {
	if len(p.mails) == 0 {
		return nil
	}
	if err := d.Keeper.Keep(ctx, Batch{Mailbox: d.Name, Mails: p.mails}); err != nil {
		return fmt.Errorf("keep %d mails of %s: %w", len(p.mails), d.Name, err)
	}
	d.health.Taken += len(p.mails)
	for _, name := range p.names {
		if err := d.clear(from, to, name); err != nil {
			return fmt.Errorf("clear a kept mail of %s away: %w", d.Name, err)
		}
	}
	*p = pile{}
	return nil
}

func (d *Dir) clear(from, to, name string) error {
	old := filepath.Join(from, name)
	if filepath.Base(to) == "cur" {
		// The part after the colon is the Maildir's flags: S for seen.
		return os.Rename(old, filepath.Join(to, name+":2,S"))
	}
	if d.Remove {
		return os.Remove(old)
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	return os.Rename(old, filepath.Join(to, name))
}
