package service

import (
	"crypto"
	"strings"

	"countersign/internal/fault"
	"countersign/signing"
	"countersign/signing/key"
)

// witnesses opens the counters' witness keys, and makes a counter's the first time that somebody writes there by hand.
type witnesses struct{ keys *key.Store }

// Signer opens a witness key.
func (w witnesses) Signer(name string) (crypto.Signer, error) {
	signer, err := w.keys.Signer(name)
	if fault.KindOf(err) != fault.NotFound || !strings.HasPrefix(name, signing.WitnessKey) {
		return signer, err
	}
	if signer, err = w.keys.Create(name, key.P256); fault.Is(err, "key.exists") {
		return w.keys.Signer(name) // another order at the same counter was first
	}
	return signer, err
}
