package helpdesk

import (
	"context"
	"strings"
	"unicode/utf8"

	"countersign/internal/fault"
)

// Hit is one message that a search found.
type Hit struct {
	Ticket  *Ticket  `json:"ticket"`
	Message *Message `json:"message"`
	Snippet string   `json:"snippet"` // around the first word
}

// Find searches tickets: by serial at once, else by the words of messages, subjects, senders and attachments' names, with
// or without diacritics, newest first. Every word must be there as a whole.
func (tm *Team) Find(ctx context.Context, a Actor, query string, limit int) (hits []Hit, err error) {
	if err := a.May(RightSee); err != nil {
		return nil, err
	}
	words := Terms(query)
	err = tm.Store.View(ctx, func(tx Tx) error {
		if s, err := ParseSerial(query); err == nil {
			t, err := tm.load(tx, a, tm.Numbering.Format(s))
			if err == nil {
				hits = append(hits, Hit{Ticket: t})
			} else if fault.KindOf(err) != fault.NotFound {
				return err
			}
			return nil
		}
		if strings.Contains(query, "@") {
			list, err := tx.TicketsOf(query, limit)
			for _, t := range list {
				if a.Sees(t) {
					hits = append(hits, Hit{Ticket: t})
				}
			}
			if err != nil || len(hits) > 0 {
				return err
			}
		}
		return tx.FindWords(words, func(key string) (bool, error) {
			h, ok, err := tm.hit(tx, a, key, words)
			if ok {
				hits = append(hits, h)
			}
			return len(hits) < limit, err
		})
	})
	return hits, err
}

// hit opens a message that was found and looks whether it really has the words.
func (tm *Team) hit(tx Tx, a Actor, key string, words []string) (Hit, bool, error) {
	m, err := tx.Message(key)
	if err != nil {
		return Hit{}, false, err
	}
	texts := []string{m.Subject, m.From.Name, m.From.Address, m.Text}
	for _, f := range m.Files {
		texts = append(texts, f.Name)
	}
	if !Contains(Terms(texts...), words) {
		return Hit{}, false, nil
	}
	t, err := tm.load(tx, a, m.Ticket)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			err = nil
		}
		return Hit{}, false, err
	}
	return Hit{Ticket: t, Message: m, Snippet: snippet(m.Text, words)}, true, nil
}

// snippetLen is about how many bytes a snippet has.
const snippetLen = 120

// snippet cuts a line out of a text around the first of the words.
func snippet(text string, words []string) string {
	at := 0
	for _, w := range Words(text) {
		if len(words) > 0 && w.Text == words[0] {
			at = w.From
			break
		}
	}
	from, to := max(0, at-snippetLen/3), min(len(text), at+snippetLen)
	for from > 0 && !utf8.RuneStart(text[from]) {
		from--
	}
	for to < len(text) && !utf8.RuneStart(text[to]) {
		to++
	}
	return strings.Join(strings.Fields(text[from:to]), " ")
}
