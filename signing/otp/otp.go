// Package otp confirms an act by a one-time code: a code sent for one transaction, or one from an authenticator app.
//
// A sent code is derived from the transaction itself: HOTP (RFC 4226) over a key that HKDF makes of the server's secret, a
// nonce, the digests of document and content, the amount, the order and the purpose. Change one bit of any and the code
// is another. A code from an app (TOTP, RFC 6238) knows nothing of the document: it proves possession of the enrolled
// device, and the binding is in the challenge row alone. Bound tells the two apart, and the evidence must say so.
//
// Invariants: no code and no secret is ever part of a Challenge; five wrong tries kill it; it is used once; a clock set
// back revives none. A Challenge is pure data: the store writes it back with a conditional update on Rev, so that of
// parallel answers exactly one wins, and for an app also the enrolment's last step (see Challenge.LastStep).
// Start reading at Issue and Challenge.Check.
package otp

import (
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"countersign/internal/clock"
	"countersign/internal/fault"
)

// Limits of a challenge.
const (
	Digits  = 6
	Tries   = 5
	MaxLife = 5 * time.Minute  // Circular 50/2024/TT-NHNN allows a sent code no more
	Period  = 30 * time.Second // of an app's code, RFC 6238

	secretMin = 32 // bytes of the server's secret
	nonceLen  = 16 // bytes
	// backward is how far the clock may step back (time servers correct by this much) before a challenge counts as expired.
	backward = 30 * time.Second
)

// Channel is how the customer comes by the code.
type Channel string

// The channels.
const (
	Mail Channel = "mail"
	SMS  Channel = "sms"
	App  Channel = "app"
)

// State is where a challenge stands; only Open ones take answers.
type State string

// The states of a challenge.
const (
	Open    State = "open"
	Used    State = "used"
	Dead    State = "dead"    // five wrong tries
	Expired State = "expired" // its time ran out
	Void    State = "void"    // replaced by a newer one, or the document changed
)

// Terms are what a challenge is about; the code is good for exactly them.
type Terms struct {
	ID       string        // of the challenge
	Account  string        // whose tries are counted: the customer
	Order    string        // the order to be signed
	Purpose  string        // in words, as the customer reads it
	Channel  Channel       //
	Address  string        // masked; see Mask
	Document [32]byte      // SHA-256 of the exact bytes to be signed
	Content  [32]byte      // SHA-256 of the content that the customer read
	Amount   int64         // đồng
	Life     time.Duration // at most MaxLife; 0 means MaxLife
	LastStep int64         // App only: the enrolment's last accepted step
	Drift    int           // App only: steps that the device's clock may be off, each way
}

// Challenge is one question to the customer, as it is stored. It holds nothing secret.
type Challenge struct {
	Terms
	Nonce   [nonceLen]byte
	Issued  time.Time
	Expires time.Time
	Left    int // tries left
	State   State
	Ended   time.Time // when it left Open
	Rev     int64     // the store's guard; Check adds one whenever it changes the challenge
}

// Issue makes a challenge. For a sent code it returns the code to be sent, once; for an app the code is "". The secret is
// the server's (32 bytes or more) and is not used for an app.
func Issue(t Terms, secret []byte, rand io.Reader, now time.Time) (Challenge, string, error) {
	if t.Life == 0 {
		t.Life = MaxLife
	}
	switch {
	case t.ID == "" || t.Account == "" || t.Order == "" || t.Purpose == "":
		return Challenge{}, "", errors.New("issue a challenge: id, account, order and purpose are all needed")
	case t.Channel != Mail && t.Channel != SMS && t.Channel != App:
		return Challenge{}, "", fmt.Errorf("issue challenge %s: channel %q is unknown", t.ID, t.Channel)
	case t.Life < 0 || t.Life > MaxLife:
		return Challenge{}, "", fmt.Errorf("issue challenge %s: a life of %s is over %s", t.ID, t.Life, MaxLife)
	case t.Document == [32]byte{} || t.Content == [32]byte{}:
		return Challenge{}, "", fmt.Errorf("issue challenge %s: a digest is missing", t.ID)
	case t.Drift < 0 || t.Drift > 10:
		return Challenge{}, "", fmt.Errorf("issue challenge %s: a drift of %d steps is out of bounds", t.ID, t.Drift)
	}
	c := Challenge{Terms: t, Issued: now, Expires: now.Add(t.Life), Left: Tries, State: Open, Rev: 1}
	if _, err := io.ReadFull(rand, c.Nonce[:]); err != nil {
		return Challenge{}, "", fmt.Errorf("issue challenge %s: draw a nonce: %w", t.ID, err)
	}
	if t.Channel == App {
		return c, "", nil
	}
	code, err := c.sentCode(secret)
	if err != nil {
		return Challenge{}, "", err
	}
	return c, code, nil
}

// Bound reports whether the code itself was derived from the document. If not, it proves possession of the device only.
func (c *Challenge) Bound() bool { return c.Channel != App }

// Check takes an answer. document is the digest of the bytes that will be signed now; secret is the server's, or the
// enrolment's for an app. Every outcome but otp.form changes the challenge, and the caller stores it in the same transaction
// that acts on the answer: where Rev is still the one that was read, and for an app where the enrolment's last step
// is below LastStep. Faults: otp.wrong (with left), otp.dead, otp.expired, otp.used, otp.void, otp.changed, otp.replayed (an
// app's code a second time; it costs a try), otp.form (not six digits; costs nothing).
func (c *Challenge) Check(code string, document [32]byte, secret []byte, now time.Time) error {
	if err := c.standing(now); err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(document[:], c.Document[:]) != 1 {
		c.end(Void, now)
		return fault.New(fault.Conflict, "otp.changed", nil)
	}
	code = strings.ReplaceAll(code, " ", "")
	if len(code) != Digits || strings.Trim(code, "0123456789") != "" {
		return fault.New(fault.Invalid, "otp.form", fault.Args{"digits": strconv.Itoa(Digits)})
	}
	if c.Channel == App {
		return c.checkApp(code, secret, now)
	}
	want, err := c.sentCode(secret)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(code), []byte(want)) != 1 {
		return c.miss(now, "otp.wrong")
	}
	c.end(Used, now)
	return nil
}

// hour is a time of day as people at the counter read it.
func hour(t time.Time) string { return t.In(clock.Vietnam).Format("15:04") }

// Replace ends an open challenge because a newer one was asked for.
func (c *Challenge) Replace(now time.Time) {
	if c.State == Open {
		c.end(Void, now)
	}
}

// standing refuses a challenge that takes no more answers, and notices that its time ran out.
func (c *Challenge) standing(now time.Time) error {
	switch c.State {
	case Used:
		return fault.New(fault.Conflict, "otp.used", nil)
	case Dead:
		return fault.New(fault.TooMany, "otp.dead", fault.Args{"at": hour(NextAt(*c))})
	case Expired:
		return fault.New(fault.Invalid, "otp.expired", nil)
	case Void:
		return fault.New(fault.Conflict, "otp.void", nil)
	case Open:
	default:
		return fmt.Errorf("challenge %s is in no known state: %q", c.ID, c.State)
	}
	if !now.Before(c.Expires) || now.Before(c.Issued.Add(-backward)) {
		c.end(Expired, now)
		return fault.New(fault.Invalid, "otp.expired", nil)
	}
	return nil
}

// miss counts a wrong try.
func (c *Challenge) miss(now time.Time, code string) error {
	c.Left--
	if c.Left <= 0 {
		c.end(Dead, now)
		return fault.New(fault.TooMany, "otp.dead", fault.Args{"at": hour(NextAt(*c))})
	}
	c.Rev++
	return fault.New(fault.Invalid, code, fault.Args{"left": strconv.Itoa(c.Left)})
}

func (c *Challenge) end(s State, now time.Time) {
	c.State, c.Ended = s, now
	c.Rev++
}

// sentCode derives the code from everything that the challenge is about.
func (c *Challenge) sentCode(secret []byte) (string, error) {
	if len(secret) < secretMin {
		return "", fmt.Errorf("derive the code of challenge %s: the secret has %d bytes, not %d", c.ID, len(secret), secretMin)
	}
	var info []byte
	put := func(part []byte) {
		info = binary.BigEndian.AppendUint32(info, uint32(len(part)))
		info = append(info, part...)
	}
	put([]byte("countersign one-time code 1"))
	put([]byte(c.ID))
	put([]byte(c.Account))
	put([]byte(c.Order))
	put([]byte(c.Purpose))
	put(c.Document[:])
	put(c.Content[:])
	info = binary.BigEndian.AppendUint64(info, uint64(c.Amount))
	key, err := hkdf.Key(sha256.New, secret, c.Nonce[:], string(info), sha256.Size)
	if err != nil {
		return "", fmt.Errorf("derive the code of challenge %s: %w", c.ID, err)
	}
	defer clear(key)
	code, err := hotpCode(key, 0)
	if err != nil {
		return "", fmt.Errorf("derive the code of challenge %s: %w", c.ID, err)
	}
	return code, nil
}

// hotpCode is RFC 4226 with SHA-1 and six digits, the form that every authenticator app knows.
func hotpCode(key []byte, counter uint64) (string, error) {
	return hotp.GenerateCodeCustom(base32.StdEncoding.EncodeToString(key), counter,
		hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
}

// Short is the first 64 bits of a digest as both screens and the message show them: "3F9A 71C2 8E04 D5B6".
func Short(digest [32]byte) string {
	h := strings.ToUpper(hex.EncodeToString(digest[:8]))
	return h[:4] + " " + h[4:8] + " " + h[8:12] + " " + h[12:]
}

// Mask hides most of an address: "t***@mau.example", "09*****018". What is no address at all becomes "***".
func Mask(address string) string {
	if name, host, ok := strings.Cut(address, "@"); ok && name != "" && host != "" {
		first := []rune(name)[0]
		return string(first) + "***@" + host
	}
	if len(address) >= 9 && strings.Trim(address, "+0123456789") == "" {
		return address[:2] + strings.Repeat("*", len(address)-5) + address[len(address)-3:]
	}
	return "***"
}
