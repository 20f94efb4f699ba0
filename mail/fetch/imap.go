package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"countersign/internal/clock"
)

// After says what is done to a mail on the server once it is kept.
type After string

// What is done to a kept mail. Nothing depends on it: the position decides what is read.
const (
	Leave After = "leave" // nothing at all, also for a mailbox that may only be read
	Flag  After = "flag"  // \Seen, and $Ticketed where the server takes keywords
	Move  After = "move"  // into another folder
)

// Keyword marks a kept mail for other programs.
const Keyword = "$Ticketed"

// The figures that hold where IMAP says nothing.
const (
	DefaultLimit = 25 << 20        // bytes of one mail (reliability: a mail above it is cut and said to be)
	DefaultPoll  = 5 * time.Minute // between looks where the server pushes nothing, and while it does
	DefaultLimbo = 2 * time.Minute // that one command may take

	headOnly    = 1 << 20 // of a mail above the limit
	atOnce      = 4 << 20 // bytes of a batch, so that a backlog of any length needs the same memory
	mailsAtOnce = 256
	window      = 2048 // UIDs whose sizes are asked for at once
	patience    = 4    // tries at one mail before it is kept as unreadable on the server
)

// IMAP reads one mailbox of one server.
type IMAP struct {
	Name   string // in the records
	Addr   string // host:port
	TLS    string // "tls", "starttls" or, on this machine only, "none"
	User   string
	Secret func(context.Context) (string, error) // password, or access token with OAuth
	OAuth  bool                                  // XOAUTH2 instead of a password
	Folder string                                // "" means INBOX
	Config *tls.Config                           // nil: the system's roots
	After  After                                 // "" means Leave
	MoveTo string

	Limit int64         // bytes of one mail; 0 means DefaultLimit
	Poll  time.Duration // 0 means DefaultPoll
	Limbo time.Duration // 0 means DefaultLimbo

	Keeper Keeper
	Clock  clock.Clock
	Wait   func(context.Context, time.Duration) error // nil: by the wall
	Report func(Health)                               // may be nil

	health Health
	tries  map[Position]int // at mails on which the connection broke, by UIDVALIDITY and UID
}

// What a server's refusal wraps, because the operator does something else about each.
var (
	ErrLogin   = errors.New("the mail server refused the user or the password")
	ErrMailbox = errors.New("the mail server does not open the folder")
	ErrInClear = errors.New("the password would travel in the clear; ask for starttls or tls")
)

// Run reads the mailbox until the context ends: all that is there, then whatever comes, as soon as the server says so. A
// lost connection is made anew, with pauses that grow to a minute.
func (m *IMAP) Run(ctx context.Context) error {
	for failures := 0; ; failures++ {
		taken := m.health.Taken
		err := m.watch(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if m.health.Taken > taken {
			failures = 0
		}
		m.report(err)
		if err := m.wait(ctx, m.pause(failures, errors.Is(err, ErrLogin))); err != nil {
			return err
		}
	}
}

// Drain reads all that is there and returns how many mails were taken.
func (m *IMAP) Drain(ctx context.Context) (int, error) {
	before := m.health.Taken
	s, err := m.open(ctx)
	if err != nil {
		m.report(err)
		return 0, err
	}
	defer s.close()
	err = m.drain(ctx, s)
	m.report(err)
	return m.health.Taken - before, err
}

// watch holds one connection: drain, wait for news, drain.
func (m *IMAP) watch(ctx context.Context) error {
	s, err := m.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	for {
		if err := m.drain(ctx, s); err != nil {
			return err
		}
		m.report(nil)
		if err := s.news(ctx, orElse(m.Poll, DefaultPoll)); err != nil {
			return err
		}
	}
}

// drain takes every mail above the position.
func (m *IMAP) drain(ctx context.Context, s *session) error {
	at, err := m.Keeper.Position(ctx, m.Name)
	if err != nil {
		return fmt.Errorf("read where mailbox %s stands: %w", m.Name, err)
	}
	if at.Validity != s.validity {
		// The folder was made anew: its UIDs say nothing about the old ones. All is read again, and the keeper knows what
		// it has.
		at = Position{Validity: s.validity}
	}
	// After a broken connection mails are brought one by one, so that a mail that breaks it is known by its number.
	most := mailsAtOnce
	if len(m.tries) > 0 {
		most = 1
	}
	uids, err := s.above(ctx, at.Last)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(uids, window) {
		sizes, err := s.sizes(ctx, part)
		if err != nil {
			return err
		}
		for _, group := range groups(sizes, m.limit(), most) {
			if err := m.take(ctx, s, &at, group); err != nil {
				return err
			}
		}
	}
	return nil
}

// take brings one group, has it kept and only then tells the server.
func (m *IMAP) take(ctx context.Context, s *session, at *Position, group []sized) error {
	first := Position{s.validity, group[0].uid}
	if m.tries == nil {
		m.tries = map[Position]int{}
	}
	m.tries[first]++
	mails, err := s.bring(ctx, group, m.limit(), m.tries[first]/patience)
	if err != nil {
		return err
	}
	m.tries = nil
	at.Last = group[len(group)-1].uid
	if len(mails) > 0 {
		if err := m.Keeper.Keep(ctx, Batch{Mailbox: m.Name, Mails: mails, Position: *at}); err != nil {
			return fmt.Errorf("keep %d mails of %s: %w", len(mails), m.Name, err)
		}
	}
	m.health.Taken += len(mails)
	return s.tell(ctx, mails, m.After, m.MoveTo)
}

func (m *IMAP) limit() int64 { return orElse(m.Limit, DefaultLimit) }

func (m *IMAP) report(err error) {
	m.health.Mailbox, m.health.Err = m.Name, err
	if err == nil {
		m.health.Good = m.Clock.Now()
	}
	if m.Report != nil {
		m.Report(m.health)
	}
}

func (m *IMAP) wait(ctx context.Context, d time.Duration) error {
	if m.Wait != nil {
		return m.Wait(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// pause is how long to wait before the next connection: doubled each time, and not the same for all mailboxes of a house.
// Where the password was refused it is long at once, because servers lock a user who tries often.
func (m *IMAP) pause(failures int, refused bool) time.Duration {
	d := min(time.Second<<min(failures, 6), time.Minute)
	if refused {
		d = 5 * time.Minute
	}
	name := fnv.New32a()
	name.Write([]byte(m.Name))
	return d/2 + d/2*time.Duration(name.Sum32()%256)/256
}

func orElse[T comparable](v, other T) T {
	var none T
	if v == none {
		return other
	}
	return v
}
