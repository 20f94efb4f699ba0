package key

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"math/big"
	"testing"

	"github.com/miekg/pkcs11"

	"countersign/internal/fault"
)

// card answers like a module whose token has one certificate and its key. It stands for what SoftHSM can't do: lock, be
// pulled at every step, lie.
type card struct {
	cryptoki
	private *ecdsa.PrivateKey
	cert    []byte
	flags   uint
	fail    map[string]error
	lie     bool
	logins  []string
	asked   uint // class of objects that are looked for
	found   bool
}

func newCard(t *testing.T) (*card, *Tokens, Ref) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	c := &card{
		private: private, cert: der, fail: map[string]error{},
		flags: pkcs11.CKF_TOKEN_INITIALIZED | pkcs11.CKF_USER_PIN_INITIALIZED,
	}
	tokens := &Tokens{held: map[Ref]bool{}, modules: []*module{{path: "card.so", lib: c}}}
	return c, tokens, Ref{Module: "card.so", Token: "77", Fingerprint: sha256.Sum256(der)}
}

func (c *card) GetSlotList(bool) ([]uint, error) { return []uint{3}, c.fail["slots"] }

func (c *card) GetTokenInfo(uint) (pkcs11.TokenInfo, error) {
	return pkcs11.TokenInfo{SerialNumber: "77", Flags: c.flags, MinPinLen: 4, MaxPinLen: 8}, c.fail["info"]
}

func (c *card) OpenSession(uint, uint) (pkcs11.SessionHandle, error) { return 1, c.fail["session"] }
func (c *card) CloseSession(pkcs11.SessionHandle) error              { return c.fail["close"] }
func (c *card) Logout(pkcs11.SessionHandle) error                    { return c.fail["logout"] }

func (c *card) Login(_ pkcs11.SessionHandle, _ uint, pin string) error {
	c.logins = append(c.logins, pin)
	return c.fail["login"]
}

func (c *card) FindObjectsInit(_ pkcs11.SessionHandle, with []*pkcs11.Attribute) error {
	c.asked, c.found = uint(with[0].Value[0]), false
	return c.fail["find"]
}

func (c *card) FindObjects(pkcs11.SessionHandle, int) ([]pkcs11.ObjectHandle, bool, error) {
	if c.found {
		return nil, false, nil
	}
	c.found = true
	return []pkcs11.ObjectHandle{pkcs11.ObjectHandle(c.asked)}, false, nil
}

func (c *card) FindObjectsFinal(pkcs11.SessionHandle) error { return nil }

func (c *card) GetAttributeValue(_ pkcs11.SessionHandle, _ pkcs11.ObjectHandle, want []*pkcs11.Attribute) ([]*pkcs11.Attribute, error) {
	if want[0].Type == pkcs11.CKA_VALUE {
		return []*pkcs11.Attribute{{Value: c.cert}, {Value: []byte{1}}}, nil
	}
	return nil, pkcs11.Error(pkcs11.CKR_ATTRIBUTE_TYPE_INVALID)
}

func (c *card) SignInit(pkcs11.SessionHandle, []*pkcs11.Mechanism, pkcs11.ObjectHandle) error {
	return c.fail["init"]
}

func (c *card) Sign(_ pkcs11.SessionHandle, digest []byte) ([]byte, error) {
	if c.fail["sign"] != nil {
		return nil, c.fail["sign"]
	}
	r, s, err := ecdsa.Sign(rand.Reader, c.private, digest)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 64)
	r.FillBytes(out[:32])
	s.FillBytes(out[32:])
	if c.lie {
		out[63] ^= 1
	}
	return out, nil
}

func TestEachAnswerOfATokenIsItsOwnFault(t *testing.T) {
	for _, c := range []struct {
		at, want string
		answer   uint
		flags    uint
		logins   int
	}{
		{"login", "key.pin", pkcs11.CKR_PIN_INCORRECT, 0, 1},
		{"login", "key.pin", pkcs11.CKR_PIN_INCORRECT, pkcs11.CKF_USER_PIN_COUNT_LOW, 1},
		{"login", "key.pin_last", pkcs11.CKR_PIN_INCORRECT, pkcs11.CKF_USER_PIN_FINAL_TRY, 1},
		{"login", "key.locked", pkcs11.CKR_PIN_LOCKED, 0, 1},
		{"login", "key.pin_unset", pkcs11.CKR_PIN_EXPIRED, 0, 1},
		{"login", "key.cancelled", pkcs11.CKR_FUNCTION_CANCELED, 0, 1},
		{"login", "key.token_gone", pkcs11.CKR_DEVICE_REMOVED, 0, 1},
		{"login", "key.module", pkcs11.CKR_GENERAL_ERROR, 0, 1},
		{"", "key.locked", 0, pkcs11.CKF_USER_PIN_LOCKED, 0},
		{"slots", "key.module", pkcs11.CKR_GENERAL_ERROR, 0, 0},
		{"info", "key.token_gone", pkcs11.CKR_GENERAL_ERROR, 0, 0},
		{"info", "key.token_gone", pkcs11.CKR_TOKEN_NOT_PRESENT, 0, 0},
		{"session", "key.token_gone", pkcs11.CKR_TOKEN_NOT_RECOGNIZED, 0, 0},
		{"session", "key.module", pkcs11.CKR_HOST_MEMORY, 0, 0},
		{"find", "key.token_gone", pkcs11.CKR_SESSION_HANDLE_INVALID, 0, 0},
		{"find", "key.module", pkcs11.CKR_DEVICE_ERROR, 0, 0},
	} {
		card, tokens, ref := newCard(t)
		card.flags |= c.flags
		if c.at != "" {
			card.fail[c.at] = pkcs11.Error(c.answer)
		}
		_, err := tokens.Signer(ref, []byte("246810"))
		if !fault.Is(err, c.want) || len(card.logins) != c.logins {
			t.Errorf("0x%x at %q: %v after %d logins, want %s after %d", c.answer, c.at, err, len(card.logins), c.want, c.logins)
		}
		if !tokens.hold(Ref{Module: ref.Module, Token: ref.Token}) {
			t.Errorf("0x%x at %q: the token stays held", c.answer, c.at)
		}
	}
}

func TestATokenThatWasPulledWhileSigningReleasesNothing(t *testing.T) {
	digest := sha256.Sum256([]byte("x"))
	for _, at := range []string{"init", "sign"} {
		card, tokens, ref := newCard(t)
		k, err := tokens.Signer(ref, []byte("246810"))
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []string{at, "logout", "close"} {
			card.fail[step] = pkcs11.Error(pkcs11.CKR_DEVICE_REMOVED)
		}
		if sig, err := k.Sign(nil, digest[:], crypto.SHA256); !fault.Is(err, "key.token_gone") || sig != nil {
			t.Errorf("at %s: %x, %v", at, sig, err)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
		if len(card.logins) != 1 {
			t.Errorf("at %s: the PIN was sent %d times", at, len(card.logins))
		}
	}
}

func TestALyingTokenReleasesNothing(t *testing.T) {
	card, tokens, ref := newCard(t)
	k, err := tokens.Signer(ref, []byte("246810"))
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("x"))
	if _, err := k.Sign(nil, digest[:], crypto.SHA256); err != nil {
		t.Errorf("before it lies: %v", err)
	}
	card.lie = true
	if sig, err := k.Sign(nil, digest[:], crypto.SHA256); !fault.Is(err, "key.signature") || sig != nil {
		t.Errorf("released %x, %v", sig, err)
	}
	if err := tokens.Close(); err == nil {
		t.Error("the modules were let go under an open signer")
	}
	card.fail["logout"] = errors.New("stuck")
	if err := k.Close(); err == nil {
		t.Error("a login that stays open was not told of")
	}
}
