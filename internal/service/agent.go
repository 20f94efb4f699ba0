package service

import (
	"crypto"
	"crypto/rand"
	"errors"

	"countersign/kiosk/display"
	"countersign/signing/key"
)

// TokenAgent reaches the tokens at a customer's screen. It keeps the modules open as long as the screen lives.
type TokenAgent struct{ tokens *key.Tokens }

// OpenTokenAgent opens PKCS#11 modules for a customer's screen, each in a process of its own (see OpenTokens).
func OpenTokenAgent(modules []string, inside bool) (*TokenAgent, error) {
	tokens, err := OpenTokens(modules, inside)
	if err != nil {
		return nil, err
	}
	return &TokenAgent{tokens}, nil
}

// Certificates lists what is plugged in now.
func (a *TokenAgent) Certificates() ([]display.Certificate, error) {
	list, err := a.tokens.List()
	var out []display.Certificate
	for _, t := range list {
		for _, held := range t.Certificates {
			c := display.Certificate{Ref: held.Ref, Token: t.Label, Holder: held.Holder, Issuer: held.Issuer, Serial: held.Serial, Ends: held.Ends, PIN: string(t.PIN), Pad: t.Pad}
			for _, cert := range held.Chain {
				c.Chain = append(c.Chain, cert.Raw)
			}
			out = append(out, c)
		}
	}
	return out, err
}

// Sign opens the key with the PIN, lets it sign once and closes it again.
func (a *TokenAgent) Sign(ref any, pin []byte, digest [32]byte) ([]byte, error) {
	r, ok := ref.(key.Ref)
	if !ok {
		return nil, errors.New("sign with a token: the certificate is not one of this agent's")
	}
	k, err := a.tokens.Signer(r, pin)
	if err != nil {
		return nil, err
	}
	signature, err := k.Sign(rand.Reader, digest[:], crypto.SHA256)
	return signature, errors.Join(err, k.Close())
}

// Close lets the modules go.
func (a *TokenAgent) Close() error { return a.tokens.Close() }
