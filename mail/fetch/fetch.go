// Package fetch brings mail in, byte for byte: from IMAP mailboxes, from Maildir and spool directories, and over SMTP or
// LMTP.
//
// Invariants: a server, a sender or a directory is told that a mail was taken only after Keeper.Keep returned, so a crash
// at any point brings a mail twice and never not at all; the keeper knows a mail it has. Where reading stands in a mailbox
// (UIDVALIDITY and UID) is kept by the keeper together with the mails, never by flags, by date or by sequence numbers: an
// outage of any length, another program's flags and a mailbox made anew lose nothing. Every mailbox has a reader of its
// own, and one that fails holds up no other. Start reading at IMAP.Run.
package fetch

import (
	"context"
	"net/netip"
	"time"
)

// Mail is one mail as it arrived.
type Mail struct {
	UID     uint32    // in an IMAP mailbox; 0 elsewhere
	Arrived time.Time // when the mailbox, the directory or our listener got it
	Raw     []byte
	Size    int64 // of the whole mail; more than len(Raw) when the mail is above the limit and was cut
	Path    *Path // how it came, when it was handed to us over SMTP or LMTP
}

// Cut reports whether only the beginning was brought because the whole is above the limit.
func (m *Mail) Cut() bool { return m.Size > int64(len(m.Raw)) }

// Path is what the server that handed a mail over said and where it spoke from: what SPF is judged by.
type Path struct {
	Client netip.Addr
	Hello  string
	From   string   // envelope sender, "" for a bounce
	To     []string // recipients whom we accepted
}

// Position is where reading stands in an IMAP mailbox: every mail up to UID Last was kept, as long as the mailbox is the
// one that Validity names (RFC 9051, 2.3.1.1). Zero stands before the first mail.
type Position struct {
	Validity uint32
	Last     uint32
}

// Batch is what a reader hands over at once.
type Batch struct {
	Mailbox  string // the name in the configuration
	Mails    []Mail
	Position Position // where reading stands once the mails are kept; only for IMAP
}

// Keeper is who keeps mail.
type Keeper interface {
	// Position returns where reading of the mailbox stands.
	Position(ctx context.Context, mailbox string) (Position, error)
	// Keep makes the mails and the position durable, all or nothing, before it returns. A mail that is there already
	// counts as kept: after a crash, and when a mailbox was made anew, the same mails come again.
	Keep(ctx context.Context, b Batch) error
}

// Health is what became of the last look into a mailbox.
type Health struct {
	Mailbox string
	Good    time.Time // when all that was there was last kept; zero: never since the start
	Err     error     // why the last look failed, nil when it did not
	Taken   int       // mails since the start
}

// Stale reports whether the last good look is older than the patience, counted from the start where there was none.
func (h Health) Stale(now, started time.Time, patience time.Duration) bool {
	last := h.Good
	if last.IsZero() {
		last = started
	}
	return now.Sub(last) > patience
}
