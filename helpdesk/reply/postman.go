package reply

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"countersign/helpdesk"
	"countersign/internal/clock"
	"countersign/internal/fault"
	"countersign/internal/job"
	"countersign/signing/journal"
)

// Server takes mails on their way; *outbox.Server is one.
type Server interface {
	Send(ctx context.Context, from, to string, raw []byte) error
}

// Postman builds and sends what was queued.
type Postman struct {
	Store   helpdesk.Store
	Writer  *Writer
	Server  Server
	Refused error // what a final refusal of the server wraps: outbox.ErrRefused
	Clock   clock.Clock
	Log     *slog.Logger
	Changed func(ticket string) // after a commit; may be nil, must not block
}

// Handle carries one mail out; the payload of its job is the key of the Outgoing. It may be told twice: what was built is
// sent as it was built, and what was sent is not sent again. Between the server's taking a mail and our note of it a crash
// sends it once more, with the same Message-ID, so that a receiver's mailbox knows it.
func (p *Postman) Handle(ctx context.Context, j job.Job) job.Outcome {
	o, raw, err := p.ready(ctx, string(j.Payload))
	switch {
	case fault.Is(err, "reply.lint"):
		return p.end(ctx, o, helpdesk.Stopped, err)
	case err != nil:
		return job.Again(err)
	case raw == nil:
		return job.Taken("")
	}
	if hexSHA256(raw) != o.SHA256 {
		return job.Refused(fmt.Errorf("mail %s: its stored bytes are not those that were signed", o.Key))
	}
	err = p.Server.Send(ctx, p.Writer.From(o), o.To.Address, raw)
	switch {
	case err == nil:
		return p.end(ctx, o, helpdesk.Sent, nil)
	case errors.Is(err, p.Refused):
		return p.end(ctx, o, helpdesk.Refused, err)
	}
	if note := p.note(ctx, o.Key, func(o *helpdesk.Outgoing) { o.Tries, o.Answer = o.Tries+1, words(err) }); note != nil {
		p.Log.Error("a failed try at a mail can't be noted", "mail", o.Key, "err", note)
	}
	return job.Again(err)
}

// ready returns a mail with its bytes; no bytes when there is nothing to do any more.
func (p *Postman) ready(ctx context.Context, key string) (o *helpdesk.Outgoing, raw []byte, err error) {
	var author *helpdesk.Agent
	first := true
	err = p.Store.View(ctx, func(tx helpdesk.Tx) error {
		if o, err = tx.Outgoing(key); err != nil {
			return err
		}
		if o.State == helpdesk.Built {
			raw, err = tx.Bytes(key)
			return err
		}
		if o.State != helpdesk.Queued {
			return nil
		}
		if o.Author != "" {
			if author, err = helpdesk.Get[helpdesk.Agent](tx, o.Author); err != nil {
				return err
			}
		}
		earlier, err := tx.OutgoingsOf(o.Ticket)
		for _, e := range earlier {
			first = first && (e.Key == o.Key || e.State == helpdesk.Queued || e.State == helpdesk.Stopped)
		}
		return err
	})
	if err != nil || o.State != helpdesk.Queued {
		return o, raw, err
	}
	raw, text, err := p.Writer.Write(o, author, first)
	if err != nil {
		return o, nil, err
	}
	return p.keep(ctx, o, raw, text)
}

// keep stores the bytes, once, with the journal entry that they are about to leave and the code by which their receiver can
// ask whether they are ours. Where somebody else was faster, theirs count.
func (p *Postman) keep(ctx context.Context, o *helpdesk.Outgoing, raw []byte, text Text) (*helpdesk.Outgoing, []byte, error) {
	err := p.Store.Update(ctx, func(tx helpdesk.Tx) error {
		now, err := tx.Outgoing(o.Key)
		if err != nil {
			return err
		}
		if now.State != helpdesk.Queued {
			o, raw = now, nil
			if now.State == helpdesk.Built {
				raw, err = tx.Bytes(o.Key)
			}
			return err
		}
		now.State, now.SHA256 = helpdesk.Built, hexSHA256(raw)
		who, role := "system", "system"
		if now.Author != "" {
			who, role = now.Author, "agent"
		}
		_, err = tx.Append(journal.Entry{At: p.Clock.Now(), Actor: who, Role: role, Place: "outbox", Act: "mail.leaves", Subject: now.Ticket,
			Facts: map[string]string{"mail": now.Key, "mail_id": now.MailID, "sha256": now.SHA256, "form": string(now.Form)}})
		if err != nil {
			return err
		}
		if err := tx.PutBytes(now.Key, raw); err != nil {
			return err
		}
		if err := helpdesk.Issue(tx, now, text.Code, TextSHA256(text.Body), p.Clock.Now()); err != nil {
			return err
		}
		o = now
		return tx.PutOutgoing(now)
	})
	return o, raw, err
}

// end notes what became of a mail for good.
func (p *Postman) end(ctx context.Context, o *helpdesk.Outgoing, state helpdesk.OutState, why error) job.Outcome {
	err := p.note(ctx, o.Key, func(o *helpdesk.Outgoing) {
		o.State, o.Tries, o.Answer = state, o.Tries+1, words(why)
		if state == helpdesk.Sent {
			o.SentAt = p.Clock.Now()
		}
	})
	if err != nil {
		return job.Again(err)
	}
	if p.Changed != nil {
		p.Changed(o.Ticket)
	}
	if why != nil {
		return job.Refused(why)
	}
	return job.Taken("")
}

// note changes the record of a mail that is still on its way.
func (p *Postman) note(ctx context.Context, key string, change func(*helpdesk.Outgoing)) error {
	return p.Store.Update(ctx, func(tx helpdesk.Tx) error {
		o, err := tx.Outgoing(key)
		if err != nil || o.State != helpdesk.Built && o.State != helpdesk.Queued {
			return err
		}
		change(o)
		return tx.PutOutgoing(o)
	})
}

// answerMax is how much of a server's own words is kept.
const answerMax = 160

// words is what a server said, without addresses, short enough for a line.
func words(err error) string {
	if err == nil {
		return ""
	}
	list := strings.Fields(err.Error())
	for i, w := range list {
		if strings.Contains(w, "@") {
			list[i] = "***"
		}
	}
	text := strings.Join(list, " ")
	if len(text) > answerMax {
		text = strings.ToValidUTF8(text[:answerMax], "")
	}
	return text
}

func hexSHA256(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
