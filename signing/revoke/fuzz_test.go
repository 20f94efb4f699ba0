package revoke_test

import (
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	"countersign/signing/revoke"
)

func keyPEM(t testing.TB, key any) []byte {
	t.Helper()
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must[[]byte](t)(x509.MarshalPKCS8PrivateKey(key))})
}

func FuzzOCSP(f *testing.F) {
	o := newOffice(f, noon)
	q := o.question()
	good := must[revoke.Answer](f)(o.responder.Status(f.Context(), q)).OCSP
	f.Add(good)
	f.Add(revoke.Refusal(6))
	f.Fuzz(func(t *testing.T, der []byte) {
		s, err := revoke.Answer{OCSP: der}.Check(q, noon.Add(time.Hour))
		if err == nil && string(der) != string(good) {
			t.Errorf("a response that nobody signed says %s", s.State)
		}
	})
}

func FuzzCRL(f *testing.F) {
	o := newOffice(f, noon)
	q := o.question()
	good := must[[]byte](f)(o.responder.CRL(f.Context()))
	f.Add(good)
	f.Fuzz(func(t *testing.T, der []byte) {
		s, err := revoke.Answer{CRL: der}.Check(q, noon.Add(time.Hour))
		if err == nil && string(der) != string(good) {
			t.Errorf("a list that nobody signed says %s", s.State)
		}
	})
}

func FuzzRequest(f *testing.F) {
	o := newOffice(f, noon)
	r := must[revoke.Request](f)(revoke.NewRequest(o.leaf, o.issuing.Certificate, []byte("nonce")))
	f.Add(must[[]byte](f)(r.Encode()))
	f.Fuzz(func(t *testing.T, der []byte) {
		if reply := o.responder.Reply(t.Context(), der); len(reply) == 0 {
			t.Error("no reply")
		}
	})
}
