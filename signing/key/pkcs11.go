package key

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/miekg/pkcs11"

	"countersign/internal/fault"
)

const (
	// mostObjects is how many certificates of one token are read; a real card has under ten.
	mostObjects = 256
	// longestChain is how many issuers are followed on a token.
	longestChain = 6
)

// cryptoki is what is asked of a PKCS#11 module; *pkcs11.Ctx is one.
type cryptoki interface {
	GetSlotList(tokenPresent bool) ([]uint, error)
	GetTokenInfo(slot uint) (pkcs11.TokenInfo, error)
	OpenSession(slot uint, flags uint) (pkcs11.SessionHandle, error)
	CloseSession(pkcs11.SessionHandle) error
	Login(s pkcs11.SessionHandle, user uint, pin string) error
	Logout(pkcs11.SessionHandle) error
	FindObjectsInit(pkcs11.SessionHandle, []*pkcs11.Attribute) error
	FindObjects(s pkcs11.SessionHandle, most int) ([]pkcs11.ObjectHandle, bool, error)
	FindObjectsFinal(pkcs11.SessionHandle) error
	GetAttributeValue(pkcs11.SessionHandle, pkcs11.ObjectHandle, []*pkcs11.Attribute) ([]*pkcs11.Attribute, error)
	SignInit(pkcs11.SessionHandle, []*pkcs11.Mechanism, pkcs11.ObjectHandle) error
	Sign(pkcs11.SessionHandle, []byte) ([]byte, error)
	Finalize() error
	Destroy()
}

// Tokens are the cards, sticks and boxes that the configured PKCS#11 modules reach. A process keeps one Tokens, because a
// module and the logins to its tokens belong to the whole process. Its methods may be called from several goroutines.
type Tokens struct {
	modules []*module

	mu   sync.Mutex
	held map[Ref]bool // tokens, by module and serial, whose login a TokenSigner holds
}

// module is one loaded library, or the reason why it was not loaded.
type module struct {
	path    string
	lib     cryptoki
	foreign bool // somebody else in this process initialized it, and has to finalize it
	err     error
	restart func() // begins anew with it; nil in this process, where others may use it too

	use sync.RWMutex // held for reading by whoever speaks to it without holding a token
}

// Ref names a certificate on a token across sittings: between preparing a signature and finishing it, for one.
type Ref struct {
	Module      string
	Token       string // the token's serial number
	Fingerprint [32]byte
}

// PIN is what a token tells of its PIN. No token tells how many tries are left, only these steps.
type PIN string

// The states of a PIN.
const (
	PINReady  PIN = "ready"
	PINLow    PIN = "low"    // a wrong PIN was entered since the last right one
	PINLast   PIN = "last"   // one more wrong PIN locks the token
	PINLocked PIN = "locked" // only the token's issuer can unlock it
	PINUnset  PIN = "unset"  // none was ever set
)

// Token is a token that is there now.
type Token struct {
	Module, Label, Serial, Maker string

	PIN          PIN
	Pad          bool // the PIN is entered on the reader, not here
	Certificates []Held
	Unread       int // certificates that can't be parsed
}

// Held is a certificate on a token, by its holder. That its private key is there too shows only once the PIN is given.
type Held struct {
	Ref            Ref
	Holder, Issuer string // common names, or the whole name where there is none
	Serial         string // hexadecimal
	Begins, Ends   time.Time
	Chain          []*x509.Certificate // the certificate, then those of its issuers that are on the token
}

// OpenTokens loads the modules into this process. One that can't be loaded takes nothing from the others: List tells of it
// each time. One that crashes takes the process with it: see OpenTokensApart.
func OpenTokens(paths ...string) *Tokens { return openTokens(load, paths) }

func openTokens(load func(path string) *module, paths []string) *Tokens {
	t := &Tokens{held: map[Ref]bool{}}
	seen := map[string]bool{}
	for _, path := range paths {
		// The same library under two names would show each of its tokens twice.
		target, err := filepath.EvalSymlinks(path)
		if err != nil {
			t.modules = append(t.modules, &module{path: path, err: err})
			continue
		}
		if !seen[target] {
			seen[target] = true
			t.modules = append(t.modules, load(path))
		}
	}
	return t
}

func load(path string) *module {
	lib := pkcs11.New(path)
	if lib == nil {
		return &module{path: path, err: errors.New("the file is no PKCS#11 module of this machine's kind")}
	}
	err := lib.Initialize()
	if errors.Is(err, pkcs11.Error(pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED)) {
		return &module{path: path, lib: lib, foreign: true}
	}
	if err != nil {
		lib.Destroy()
		return &module{path: path, err: fmt.Errorf("initialize: %w", err)}
	}
	return &module{path: path, lib: lib}
}

// anew begins anew with a module that does not see what is plugged in: many notice a token that was pulled and put back
// only then. It ends every session, so it is not done while somebody uses the module.
func (t *Tokens) anew(m *module) bool {
	if m.restart == nil || !m.use.TryLock() {
		return false
	}
	defer m.use.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	for token := range t.held {
		if token.Module == m.path {
			return false
		}
	}
	m.restart()
	return true
}

// Close lets the modules go. Every TokenSigner has to be closed before.
func (t *Tokens) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.held) > 0 {
		return fmt.Errorf("close the PKCS#11 modules: %d tokens are in use", len(t.held))
	}
	var errs []error
	for _, m := range t.modules {
		if m.lib == nil {
			continue
		}
		if !m.foreign {
			if err := m.lib.Finalize(); err != nil {
				errs = append(errs, fmt.Errorf("finalize PKCS#11 module %s: %w", m.path, err))
			}
		}
		m.lib.Destroy()
		m.lib, m.err = nil, errors.New("it was closed")
	}
	return errors.Join(errs...)
}

// List reads every token that is there, without a PIN. What can't be read is in the error, and the rest is returned
// nevertheless; its faults are key.module and key.token_gone.
func (t *Tokens) List() ([]Token, error) {
	out := []Token{}
	var errs []error
	for _, m := range t.modules {
		tokens, err := m.list()
		if err != nil && t.anew(m) {
			tokens, err = m.list()
		}
		out, errs = append(out, tokens...), append(errs, err)
	}
	return out, errors.Join(errs...)
}

// list reads the module's tokens.
func (m *module) list() ([]Token, error) {
	m.use.RLock()
	defer m.use.RUnlock()
	slots, err := m.slots()
	errs := []error{err}
	var out []Token
	for _, s := range slots {
		token, err := m.read(s)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, token)
	}
	return out, errors.Join(errs...)
}

// slot is a slot with an initialized token in it.
type slot struct {
	id   uint
	info pkcs11.TokenInfo
}

// slots returns the tokens that are there; one that can't be read is in the error and hides no other. Without a list there
// is no slice at all.
func (m *module) slots() ([]slot, error) {
	if m.lib == nil {
		return nil, m.fault(m.err, "")
	}
	ids, err := m.lib.GetSlotList(true)
	if err != nil {
		return nil, m.fault(fmt.Errorf("list the slots: %w", err), "")
	}
	out := []slot{}
	var errs []error
	for _, id := range ids {
		info, err := m.lib.GetTokenInfo(id)
		switch {
		case gone(err):
		case err != nil:
			errs = append(errs, m.fault(fmt.Errorf("ask slot %d for its token: %w", id, err), ""))
		case info.Flags&pkcs11.CKF_TOKEN_INITIALIZED != 0:
			info.Label, info.SerialNumber, info.ManufacturerID = shown(info.Label), shown(info.SerialNumber), shown(info.ManufacturerID)
			out = append(out, slot{id, info})
		}
	}
	return out, errors.Join(errs...)
}

// shown makes a foreign text fit for a terminal: what can't be seen becomes a sign that can.
func shown(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// read lists one token.
func (m *module) read(s slot) (Token, error) {
	token := Token{
		Module: m.path, Label: s.info.Label, Serial: s.info.SerialNumber, Maker: s.info.ManufacturerID,
		PIN: pinState(s.info.Flags), Pad: s.info.Flags&pkcs11.CKF_PROTECTED_AUTHENTICATION_PATH != 0,
	}
	session, err := m.lib.OpenSession(s.id, pkcs11.CKF_SERIAL_SESSION)
	if err != nil {
		return Token{}, m.fault(fmt.Errorf("open a session: %w", err), token.Serial)
	}
	found, unread, err := m.certificates(session)
	err = errors.Join(err, m.lib.CloseSession(session))
	if err != nil {
		return Token{}, m.fault(err, token.Serial)
	}
	token.Unread = unread
	for _, c := range found {
		// Issuers' certificates are there to complete chains; nobody signs a paper as an authority.
		if c.cert.IsCA {
			continue
		}
		token.Certificates = append(token.Certificates, Held{
			Ref:    Ref{Module: m.path, Token: token.Serial, Fingerprint: sha256.Sum256(c.cert.Raw)},
			Holder: name(c.cert.Subject.CommonName, c.cert.Subject.String()),
			Issuer: name(c.cert.Issuer.CommonName, c.cert.Issuer.String()),
			Serial: c.cert.SerialNumber.Text(16), Begins: c.cert.NotBefore, Ends: c.cert.NotAfter,
			Chain: chain(c.cert, found),
		})
	}
	return token, nil
}

// onToken is a certificate object with the id that its key bears too.
type onToken struct {
	cert *x509.Certificate
	id   []byte
}

func (m *module) certificates(session pkcs11.SessionHandle) (found []onToken, unread int, err error) {
	handles, err := m.find(session, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE),
		pkcs11.NewAttribute(pkcs11.CKA_CERTIFICATE_TYPE, pkcs11.CKC_X_509),
	})
	if err != nil {
		return nil, 0, fmt.Errorf("find the certificates: %w", err)
	}
	for _, h := range handles {
		attributes, err := m.lib.GetAttributeValue(session, h, []*pkcs11.Attribute{
			pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil), pkcs11.NewAttribute(pkcs11.CKA_ID, nil),
		})
		if err != nil {
			return nil, 0, fmt.Errorf("read a certificate: %w", err)
		}
		cert, err := x509.ParseCertificate(attributes[0].Value)
		if err != nil {
			unread++
			continue
		}
		found = append(found, onToken{cert, attributes[1].Value})
	}
	return found, unread, nil
}

// find returns the objects that have all the attributes, at most mostObjects.
func (m *module) find(session pkcs11.SessionHandle, with []*pkcs11.Attribute) ([]pkcs11.ObjectHandle, error) {
	if err := m.lib.FindObjectsInit(session, with); err != nil {
		return nil, err
	}
	var out []pkcs11.ObjectHandle
	for len(out) < mostObjects {
		// A module may hand them out one by one.
		some, _, err := m.lib.FindObjects(session, mostObjects-len(out))
		if err != nil {
			return nil, errors.Join(err, m.lib.FindObjectsFinal(session))
		}
		if len(some) == 0 {
			break
		}
		out = append(out, some...)
	}
	return out, m.lib.FindObjectsFinal(session)
}

// chain follows a certificate's issuers through the token, by signature. Self-issued roots end it.
func chain(leaf *x509.Certificate, found []onToken) []*x509.Certificate {
	out := []*x509.Certificate{leaf}
	for len(out) < longestChain {
		last := out[len(out)-1]
		i := slices.IndexFunc(found, func(c onToken) bool {
			return !slices.ContainsFunc(out, c.cert.Equal) && last.CheckSignatureFrom(c.cert) == nil
		})
		if i < 0 {
			break
		}
		out = append(out, found[i].cert)
	}
	return out
}

func name(common, whole string) string {
	if common != "" {
		return shown(common)
	}
	return shown(whole)
}

func pinState(flags uint) PIN {
	switch {
	case flags&pkcs11.CKF_USER_PIN_LOCKED != 0:
		return PINLocked
	case flags&pkcs11.CKF_USER_PIN_INITIALIZED == 0:
		return PINUnset
	case flags&pkcs11.CKF_USER_PIN_FINAL_TRY != 0:
		return PINLast
	case flags&pkcs11.CKF_USER_PIN_COUNT_LOW != 0:
		return PINLow
	}
	return PINReady
}

// gone reports whether an answer means that the token, or the sitting with it, is over: pulled, or pulled and put back.
func gone(err error) bool {
	var code pkcs11.Error
	if !errors.As(err, &code) {
		return false
	}
	switch uint(code) {
	case pkcs11.CKR_DEVICE_REMOVED, pkcs11.CKR_TOKEN_NOT_PRESENT, pkcs11.CKR_TOKEN_NOT_RECOGNIZED, pkcs11.CKR_SLOT_ID_INVALID,
		pkcs11.CKR_SESSION_HANDLE_INVALID, pkcs11.CKR_SESSION_CLOSED, pkcs11.CKR_USER_NOT_LOGGED_IN,
		pkcs11.CKR_KEY_HANDLE_INVALID, pkcs11.CKR_OBJECT_HANDLE_INVALID:
		return true
	}
	return false
}

// fault says what an answer of the module means to the person at the counter. Arguments never hold a token's label, which
// is often its holder's name.
func (m *module) fault(err error, token string) error {
	if gone(err) {
		return fault.Wrap(err, fault.Unavailable, "key.token_gone", nil)
	}
	if errors.Is(err, errEnded) {
		return fault.Wrap(err, fault.Unavailable, "key.module_crashed", fault.Args{"module": filepath.Base(m.path)})
	}
	args := fault.Args{"token": token}
	var code pkcs11.Error
	errors.As(err, &code)
	switch uint(code) {
	case pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_INVALID:
		return fault.Wrap(err, fault.Forbidden, "key.pin", args)
	case pkcs11.CKR_PIN_LOCKED:
		return fault.Wrap(err, fault.TooMany, "key.locked", args)
	case pkcs11.CKR_PIN_EXPIRED, pkcs11.CKR_USER_PIN_NOT_INITIALIZED:
		return fault.Wrap(err, fault.Forbidden, "key.pin_unset", args)
	case pkcs11.CKR_FUNCTION_CANCELED:
		return fault.Wrap(err, fault.Conflict, "key.cancelled", nil)
	}
	return fault.Wrap(err, fault.Unavailable, "key.module", fault.Args{"module": filepath.Base(m.path)})
}

// pinForm refuses what can't be the PIN, so that it costs no try.
func pinForm(pin []byte, info pkcs11.TokenInfo) error {
	if n := uint(len(pin)); n >= max(info.MinPinLen, 1) && n <= info.MaxPinLen {
		return nil
	}
	return fault.New(fault.Invalid, "key.pin_form", fault.Args{
		"min": strconv.FormatUint(uint64(info.MinPinLen), 10), "max": strconv.FormatUint(uint64(info.MaxPinLen), 10),
	})
}
