package helpdesk

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
)

// Secrets makes what only a customer's own mail can hold: check codes, reply addresses and Message-IDs. Two keys live at
// a time, the newest first; a key is replaced once a year.
type Secrets struct {
	Keys    []SecretKey
	Address string // the official mailbox: hotrocntt@vst.gov.vn
	Host    string // right side of our Message-IDs
	Rand    io.Reader
}

// SecretKey is one of the keys; its letter stands first in every code made with it.
type SecretKey struct {
	ID    byte // one of codeLetters
	Bytes []byte
}

// codeLetters are those of base32 (RFC 4648 §6), which has neither 0 nor 1.
const codeLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

// KeyLetter names the key of a year.
func KeyLetter(year int) byte { return codeLetters[year%len(codeLetters)] }

var codeBase = base32.NewEncoding(codeLetters).WithPadding(base32.NoPadding)

// codeLen is the letters of a code: one for the key and 75 bits.
const codeLen = 16

// mac is a keyed hash over length-prefixed parts, so that no two uses meet.
func (k SecretKey) mac(use string, parts ...string) []byte {
	h := hmac.New(sha256.New, k.Bytes)
	var n [4]byte
	for _, p := range append([]string{use}, parts...) {
		binary.BigEndian.PutUint32(n[:], uint32(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	return h.Sum(nil)
}

func (k SecretKey) code(use string, parts ...string) string {
	return string(k.ID) + codeBase.EncodeToString(k.mac(use, parts...))[:codeLen-1]
}

// Spaced writes a code in groups of four, as mails show it: "7KQ2-M9XA-...".
func Spaced(code string) string {
	var b strings.Builder
	for i, r := range code {
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// bare takes spaces, dashes and small letters out of a code that a person has typed.
func bare(code string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, code))
}

// TicketCode is the ticket's check code, which the customer has from the receipt and of which an agent on the phone reads
// the first three letters after the key's own.
func (s *Secrets) TicketCode(serial string) string { return s.Keys[0].code("ticket", serial) }

// MailCode is the check code of one mail: over its ticket, its Message-ID, the SHA-256 of its text and its receiver.
func (s *Secrets) MailCode(serial, mailID, textSHA256, to string) string {
	return s.Keys[0].code("mail", serial, mailID, textSHA256, FoldAddress(to))
}

// CheckTicketCode compares in constant time under every live key; it does the same work for every input.
func (s *Secrets) CheckTicketCode(serial, code string) bool {
	return s.check(code, "ticket", serial)
}

// CheckMailCode is CheckTicketCode for the code of one mail.
func (s *Secrets) CheckMailCode(serial, mailID, textSHA256, to, code string) bool {
	return s.check(code, "mail", serial, mailID, textSHA256, FoldAddress(to))
}

func (s *Secrets) check(code, use string, parts ...string) bool {
	given, ok := []byte(bare(code)), false
	for _, k := range s.Keys {
		if hmac.Equal(given, []byte(k.code(use, parts...))) {
			ok = true
		}
	}
	return ok
}

// ReplyAddress is the address to which an answer on a ticket goes: hotrocntt+sd261121-000001.CODE@vst.gov.vn. Who has it
// was written to by us.
func (s *Secrets) ReplyAddress(serial string) string {
	user, host, _ := strings.Cut(s.Address, "@")
	return user + "+" + strings.ToLower(serial+"."+s.Keys[0].code("reply", serial)) + "@" + host
}

// ReplyTicket returns the ticket of a reply address that we made, false for every other address.
func (s *Secrets) ReplyTicket(address string) (serial string, ok bool) {
	user, host, _ := strings.Cut(FoldAddress(address), "@")
	ours, ourHost, _ := strings.Cut(FoldAddress(s.Address), "@")
	tag, found := strings.CutPrefix(user, ours+"+")
	if !found || host != ourHost {
		return "", false
	}
	name, code, found := strings.Cut(tag, ".")
	if !found {
		return "", false
	}
	name = strings.ToUpper(name)
	return name, s.check(code, "reply", name)
}

// NewMailID draws a Message-ID with 128 random bits, without brackets.
func (s *Secrets) NewMailID() (string, error) {
	b := make([]byte, 16)
	if _, err := io.ReadFull(s.Rand, b); err != nil {
		return "", fmt.Errorf("draw a Message-ID: %w", err)
	}
	return hex.EncodeToString(b) + "@" + s.Host, nil
}
