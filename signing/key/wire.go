package key

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/miekg/pkcs11"
)

// ServeModule loads a module and answers the questions that a Tokens in another process puts, until there are no more. It
// is the whole work of that process.
func ServeModule(path string, pipe io.ReadWriter) error {
	m := load(path)
	in, out := gob.NewDecoder(pipe), gob.NewEncoder(pipe)
	var write sync.Mutex
	var busy sync.WaitGroup
	var failed error
	for {
		var c call
		err := in.Decode(&c)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				failed = fmt.Errorf("read a question about module %s: %w", path, err)
			}
			break
		}
		// One holder at a reader's pad must not keep the others waiting.
		busy.Go(func() {
			r := reply{ID: c.ID}
			var code pkcs11.Error
			switch err := m.answer(&c, &r); {
			case errors.As(err, &code):
				r.Code = uint(code)
			case err != nil:
				r.Other = err.Error()
			}
			write.Lock()
			defer write.Unlock()
			// Whoever asked has gone, which the next question, that never comes, tells too.
			_ = out.Encode(r)
		})
	}
	busy.Wait()
	if m.lib != nil {
		failed = errors.Join(failed, m.lib.Finalize())
		m.lib.Destroy()
	}
	return failed
}

// answer lets the module do what the question says.
func (m *module) answer(c *call, r *reply) (err error) {
	if m.lib == nil {
		return m.err
	}
	switch c.Function {
	case "slots":
		r.Slots, err = m.lib.GetSlotList(c.Present)
	case "info":
		r.Info, err = m.lib.GetTokenInfo(c.Slot)
	case "open":
		r.Session, err = m.lib.OpenSession(c.Slot, c.Flag)
	case "close":
		err = m.lib.CloseSession(c.Session)
	case "login":
		err = m.lib.Login(c.Session, c.Flag, c.PIN)
	case "logout":
		err = m.lib.Logout(c.Session)
	case "find":
		err = m.lib.FindObjectsInit(c.Session, fromWire(c.Attributes))
	case "found":
		r.Objects, _, err = m.lib.FindObjects(c.Session, c.Most)
	case "found all":
		err = m.lib.FindObjectsFinal(c.Session)
	case "read":
		var got []*pkcs11.Attribute
		got, err = m.lib.GetAttributeValue(c.Session, c.Object, fromWire(c.Attributes))
		r.Attributes = toWire(got)
	case "begin":
		err = m.lib.SignInit(c.Session, []*pkcs11.Mechanism{pkcs11.NewMechanism(c.Mechanism.Type, c.Mechanism.Parameter)}, c.Object)
	case "sign":
		r.Data, err = m.lib.Sign(c.Session, c.Data)
	default:
		err = fmt.Errorf("no function %.20q", c.Function)
	}
	return err
}

func toWire(in []*pkcs11.Attribute) []attribute {
	var out []attribute
	for _, a := range in {
		out = append(out, attribute{a.Type, a.Value})
	}
	return out
}

func fromWire(in []attribute) []*pkcs11.Attribute {
	var out []*pkcs11.Attribute
	for _, a := range in {
		out = append(out, &pkcs11.Attribute{Type: a.Type, Value: a.Value})
	}
	return out
}
