package key

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/miekg/pkcs11"
)

// Launch starts a process that serves one module by ServeModule, and returns the way to speak to it. Closing ends the
// process.
type Launch func(module string) (io.ReadWriteCloser, error)

const (
	// answerTime is how long a module may take to answer what nobody has to do anything for.
	answerTime = time.Minute
	// holderTime is how long it may take where its holder enters the PIN at the reader or presses a button.
	holderTime = 5 * time.Minute
)

// errEnded is what becomes of calls to a module whose process ended.
var errEnded = errors.New("the module's process ended")

// OpenTokensApart is OpenTokens with each module in a process of its own, which Launch starts: one that crashes, hangs or
// leaks takes nothing with it. It is started when it is first needed, and again after it ended; whoever was signing then
// has to enter the PIN again, because nothing is tried twice. It is also started anew when a token is missed and nobody
// uses the module: many modules see what was plugged in again only then.
func OpenTokensApart(launch Launch, paths ...string) *Tokens {
	return openTokens(func(path string) *module {
		lib := &apart{path: path, launch: launch, sessions: map[pkcs11.SessionHandle]sitting{}}
		return &module{path: path, lib: lib, restart: lib.restart}
	}, paths)
}

// apart is a module in another process.
type apart struct {
	path   string
	launch Launch

	mu       sync.Mutex
	process  *process // nil when none runs
	sessions map[pkcs11.SessionHandle]sitting
	last     pkcs11.SessionHandle
	closed   bool
}

// sitting is a session of one process. Its handle means something else in the next process, so callers get numbers of our
// own that are never used again.
type sitting struct {
	process *process
	handle  pkcs11.SessionHandle
}

// call is one question to the module. What a function does not take is empty.
type call struct {
	ID         uint64
	Function   string
	Slot, Flag uint
	Present    bool
	Session    pkcs11.SessionHandle
	Object     pkcs11.ObjectHandle
	Most       int
	PIN        string
	Attributes []attribute
	Mechanism  mechanism
	Data       []byte
}

// attribute is a pkcs11.Attribute.
type attribute struct {
	Type  uint
	Value []byte
}

// mechanism is a pkcs11.Mechanism whose parameter holds no pointers, as those of signatures.
type mechanism struct {
	Type      uint
	Parameter []byte
}

// reply is the answer. Code is the module's own when it refused; Other is any other failure.
type reply struct {
	ID         uint64
	Code       uint
	Other      string
	Slots      []uint
	Info       pkcs11.TokenInfo
	Session    pkcs11.SessionHandle
	Objects    []pkcs11.ObjectHandle
	Attributes []attribute
	Data       []byte
}

func (r *reply) err() error {
	switch {
	case r.Code != 0:
		return pkcs11.Error(r.Code)
	case r.Other != "":
		return errors.New(r.Other)
	}
	return nil
}

// process is one life of a module.
type process struct {
	pipe io.ReadWriteCloser

	write sync.Mutex
	out   *gob.Encoder

	mu      sync.Mutex
	next    uint64
	waiting map[uint64]chan reply // nil after the end
	closing sync.Once
}

// running returns the process that runs, or starts one.
func (a *apart) running() (*process, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, errors.New("it was closed")
	}
	if a.process != nil && !a.process.ended() {
		return a.process, nil
	}
	pipe, err := a.launch(a.path)
	if err != nil {
		return nil, fmt.Errorf("start the module's process: %w", err)
	}
	p := &process{pipe: pipe, out: gob.NewEncoder(pipe), waiting: map[uint64]chan reply{}}
	go p.listen()
	a.process = p
	return p, nil
}

// listen hands the answers out until there are no more.
func (p *process) listen() {
	in := gob.NewDecoder(p.pipe)
	for {
		var r reply
		if in.Decode(&r) != nil {
			break
		}
		p.mu.Lock()
		to := p.waiting[r.ID]
		delete(p.waiting, r.ID)
		p.mu.Unlock()
		if to != nil {
			to <- r
		}
	}
	p.end()
}

// end tells everybody who waits and ends the process.
func (p *process) end() {
	p.mu.Lock()
	for _, to := range p.waiting {
		close(to)
	}
	p.waiting = nil
	p.mu.Unlock()
	p.closing.Do(func() {
		// Whether it ended well is of no use: it is over.
		_ = p.pipe.Close()
	})
}

func (p *process) ended() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting == nil
}

// ask puts one question, once. A module that does not answer in time is ended.
func (p *process) ask(c call, patience time.Duration) (reply, error) {
	answered := make(chan reply, 1)
	p.mu.Lock()
	if p.waiting == nil {
		p.mu.Unlock()
		return reply{}, errEnded
	}
	p.next++
	c.ID = p.next
	p.waiting[c.ID] = answered
	p.mu.Unlock()
	p.write.Lock()
	err := p.out.Encode(c)
	p.write.Unlock()
	if err != nil {
		p.end()
		return reply{}, errors.Join(errEnded, err)
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case r, ok := <-answered:
		if !ok {
			return reply{}, errEnded
		}
		return r, r.err()
	case <-timer.C:
		p.end()
		return reply{}, fmt.Errorf("%w: no answer within %s", errEnded, patience)
	}
}

// ask puts a question that needs no session.
func (a *apart) ask(c call) (reply, error) {
	p, err := a.running()
	if err != nil {
		return reply{}, err
	}
	return p.ask(c, answerTime)
}

// within puts a question of a session. One of a process that ended is as over as one with a token that was pulled.
func (a *apart) within(s pkcs11.SessionHandle, c call, patience time.Duration) (reply, error) {
	a.mu.Lock()
	at, ok := a.sessions[s]
	if ok && at.process.ended() {
		delete(a.sessions, s)
		ok = false
	}
	a.mu.Unlock()
	if !ok {
		return reply{}, pkcs11.Error(pkcs11.CKR_SESSION_HANDLE_INVALID)
	}
	c.Session = at.handle
	return at.process.ask(c, patience)
}

func (a *apart) GetSlotList(present bool) ([]uint, error) {
	r, err := a.ask(call{Function: "slots", Present: present})
	return r.Slots, err
}

func (a *apart) GetTokenInfo(slot uint) (pkcs11.TokenInfo, error) {
	r, err := a.ask(call{Function: "info", Slot: slot})
	return r.Info, err
}

func (a *apart) OpenSession(slot, flags uint) (pkcs11.SessionHandle, error) {
	p, err := a.running()
	if err != nil {
		return 0, err
	}
	r, err := p.ask(call{Function: "open", Slot: slot, Flag: flags}, answerTime)
	if err != nil {
		return 0, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last++
	a.sessions[a.last] = sitting{p, r.Session}
	return a.last, nil
}

func (a *apart) CloseSession(s pkcs11.SessionHandle) error {
	_, err := a.within(s, call{Function: "close"}, answerTime)
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.sessions, s)
	return err
}

func (a *apart) Login(s pkcs11.SessionHandle, user uint, pin string) error {
	_, err := a.within(s, call{Function: "login", Flag: user, PIN: pin}, holderTime)
	return err
}

func (a *apart) Logout(s pkcs11.SessionHandle) error {
	_, err := a.within(s, call{Function: "logout"}, answerTime)
	return err
}

func (a *apart) FindObjectsInit(s pkcs11.SessionHandle, with []*pkcs11.Attribute) error {
	_, err := a.within(s, call{Function: "find", Attributes: toWire(with)}, answerTime)
	return err
}

func (a *apart) FindObjects(s pkcs11.SessionHandle, most int) ([]pkcs11.ObjectHandle, bool, error) {
	r, err := a.within(s, call{Function: "found", Most: most}, answerTime)
	return r.Objects, false, err
}

func (a *apart) FindObjectsFinal(s pkcs11.SessionHandle) error {
	_, err := a.within(s, call{Function: "found all"}, answerTime)
	return err
}

func (a *apart) GetAttributeValue(s pkcs11.SessionHandle, o pkcs11.ObjectHandle, want []*pkcs11.Attribute) ([]*pkcs11.Attribute, error) {
	r, err := a.within(s, call{Function: "read", Object: o, Attributes: toWire(want)}, answerTime)
	if err == nil && len(r.Attributes) != len(want) {
		return nil, fmt.Errorf("the module's process returned %d attributes in place of %d", len(r.Attributes), len(want))
	}
	return fromWire(r.Attributes), err
}

func (a *apart) SignInit(s pkcs11.SessionHandle, with []*pkcs11.Mechanism, o pkcs11.ObjectHandle) error {
	if len(with) != 1 {
		return fmt.Errorf("begin to sign: %d mechanisms in place of one", len(with))
	}
	m := mechanism{with[0].Mechanism, with[0].Parameter}
	_, err := a.within(s, call{Function: "begin", Object: o, Mechanism: m}, answerTime)
	return err
}

func (a *apart) Sign(s pkcs11.SessionHandle, data []byte) ([]byte, error) {
	r, err := a.within(s, call{Function: "sign", Data: data}, holderTime)
	return r.Data, err
}

// restart lets the next question meet a new process.
func (a *apart) restart() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.process != nil {
		a.process.end()
	}
}

// Finalize ends the process, which finalizes the module.
func (a *apart) Finalize() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	if a.process != nil {
		a.process.end()
	}
	return nil
}

// Destroy has nothing to do: what is to be freed is in the process that ended.
func (a *apart) Destroy() {}
