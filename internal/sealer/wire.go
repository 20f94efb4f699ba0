// Package sealer runs the seal service as a process of its own, and speaks to it.
//
// The process (Office) owns its register of seals, grants, people and rules, its book and its keys, in a data directory
// and under a vault key that the counters' service can't open. What the service may do is what Handler offers: ask which
// seals a clerk may use, ask for a sealed document (Release), and tell afterwards what became of it (Confirm, Discard).
// Client is that service's end and a seal.Service like the one in-process.
//
// Invariants: no policy is decided on the client's word; a document that left stands in the book and is held until the
// client says that it is stored; after a crash on either side the client settles what is open before it asks for more.
// One sealer serves one installation. Start reading at Client.Apply and Handler.
package sealer

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"countersign/internal/fault"
	"countersign/signing"
	"countersign/signing/seal"
)

// maxMessage bounds a request and an answer: a document of 32 MiB in base64, and some.
const maxMessage = 48 << 20

// wireSeal is a seal with its certificates.
type wireSeal struct {
	seal.Seal
	Chain [][]byte `json:"chain"`
}

func toWire(s seal.Seal) wireSeal {
	w := wireSeal{Seal: s}
	for _, c := range s.Chain {
		w.Chain = append(w.Chain, c.Raw)
	}
	return w
}

func (w wireSeal) seal() (seal.Seal, error) {
	s := w.Seal
	s.Chain = nil
	for _, der := range w.Chain {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return s, fmt.Errorf("read a certificate of seal %s: %w", s.ID, err)
		}
		s.Chain = append(s.Chain, c)
	}
	return s, nil
}

// wireUse is a use with its digests.
type wireUse struct {
	seal.Use
	Document digest `json:"document"`
	Result   digest `json:"result"`
}

func usesToWire(uses []seal.Use) []wireUse {
	out := []wireUse{}
	for _, u := range uses {
		out = append(out, wireUse{u, u.Document, u.Result})
	}
	return out
}

func usesFromWire(uses []wireUse) []seal.Use {
	var out []seal.Use
	for _, w := range uses {
		u := w.Use
		u.Document, u.Result = w.Document, w.Result
		out = append(out, u)
	}
	return out
}

// digest is a SHA-256 as hexadecimal text.
type digest [32]byte

// MarshalText writes the digest.
func (d digest) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(d[:])), nil }

// UnmarshalText reads it.
func (d *digest) UnmarshalText(text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err != nil || len(raw) != len(d) {
		return errors.New("a digest has 64 hexadecimal digits")
	}
	*d = digest(raw)
	return nil
}

// The questions and answers.
type (
	askGrants struct {
		Seal    string `json:"seal"`
		Service string `json:"service"`
	}
	askRelease struct {
		Order    string         `json:"order"`
		Service  string         `json:"service"`
		Clerk    seal.Clerk     `json:"clerk"`
		Document []byte         `json:"document"`
		Base     digest         `json:"base"`
		Signed   digest         `json:"signed"`
		Evidence digest         `json:"evidence"`
		Seals    []string       `json:"seals"`
		Reason   string         `json:"reason"`
		Location string         `json:"location"`
		Asked    *seal.Approval `json:"asked,omitempty"`
		Second   *seal.Approval `json:"second,omitempty"`
	}
	released struct {
		Document []byte        `json:"document"`
		Level    signing.Level `json:"level"`
		Untimed  bool          `json:"untimed"`
		Uses     []wireUse     `json:"uses"`
	}
	askConfirm struct {
		Order  string `json:"order"`
		Digest digest `json:"digest"`
	}
	askDiscard struct {
		Order  string `json:"order"`
		Reason string `json:"reason"`
	}
	askUses struct {
		From time.Time `json:"from"`
		To   time.Time `json:"to"`
	}
	nothing struct{}
)

// failure is a fault on the wire.
type failure struct {
	Kind fault.Kind `json:"kind"`
	Code string     `json:"code"`
	Args fault.Args `json:"args,omitempty"`
}

// statusOf tells each kind of failure apart for whoever watches the connection; the client reads the body.
func statusOf(kind fault.Kind) int {
	switch kind {
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.Forbidden, fault.Unauthenticated:
		return http.StatusForbidden
	case fault.Conflict:
		return http.StatusConflict
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Invalid, fault.TooMany:
		return http.StatusUnprocessableEntity
	}
	return http.StatusInternalServerError
}

// told turns a failure into what leaves: our own faults say no more than that they are ours.
func told(err error) failure {
	var f *fault.Error
	if errors.As(err, &f) {
		return failure{f.Kind, f.Code, f.Args}
	}
	return failure{Kind: fault.Internal, Code: "internal"}
}

// failed reads a failure. What is none is a sealer that can't be spoken to.
func failed(body []byte, status int) error {
	var f failure
	if err := json.Unmarshal(body, &f); err != nil || f.Code == "" {
		return away(fmt.Errorf("the seal service answered with status %d", status))
	}
	return fault.New(f.Kind, f.Code, f.Args)
}

func away(err error) error { return fault.Wrap(err, fault.Unavailable, "seal.away", nil) }
