package verify

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"strings"
	"syscall"
	"testing"
	"time"

	"countersign/signing/cms"
	"countersign/signing/pdf"
	"countersign/signing/pdf/pdftest"
)

// bigBase is a base document of about 26 KB, the size at which others were measured.
func bigBase() []byte { return pdftest.Padded(25<<10, "customer", "clerk", "seal") }

func benchmarkSign(b *testing.B, s signer, stamp func([]byte) ([]byte, error)) {
	doc := bigBase()
	looks := &pdf.Appearance{Width: 100, Height: 100, Stream: []byte(strings.Repeat("10 10 m 20 20 l S\n", 50))}
	b.ReportAllocs()
	defer perCPUSecond(b)()
	for b.Loop() {
		p, err := pdf.Prepare(doc, pdf.Request{Field: "customer", Name: "Nguyễn Văn Ế", Reason: "Xác nhận", At: noon, Appearance: looks})
		if err != nil {
			b.Fatal(err)
		}
		der, err := cms.Sign(p.Digest(), s.key, s.chain, stamp)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := p.Finish(der); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSignP256BB(b *testing.B) {
	w := newWorld(b)
	b.Run("document", func(b *testing.B) { benchmarkSign(b, w.customer, nil) })
	b.Run("raw", func(b *testing.B) { benchmarkRawSign(b, w.customer.key) })
}

func BenchmarkSignP256BT(b *testing.B) {
	w := newWorld(b)
	b.Run("document", func(b *testing.B) { benchmarkSign(b, w.customer, w.stamp) })
	b.Run("raw", func(b *testing.B) { benchmarkRawSign(b, w.customer.key) })
}

func BenchmarkSignRSA2048BB(b *testing.B) {
	w := newWorld(b)
	b.Run("document", func(b *testing.B) { benchmarkSign(b, w.rsaSeal, nil) })
	b.Run("raw", func(b *testing.B) { benchmarkRawSign(b, w.rsaSeal.key) })
}

func BenchmarkVerifyP256BB(b *testing.B) {
	w := newWorld(b)
	doc := w.sign(b, bigBase(), "customer", w.customer, nil)
	b.Run("document", func(b *testing.B) {
		policy := w.policy()
		b.ReportAllocs()
		defer perCPUSecond(b)()
		for b.Loop() {
			if r := Verify(doc, policy); r.Verdict != Passed {
				b.Fatal(r.Verdict, r.Problem, r.Detail)
			}
		}
	})
	b.Run("raw", func(b *testing.B) {
		digest := sha256.Sum256(doc)
		key := w.customer.key.(*ecdsa.PrivateKey)
		sig, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
		if err != nil {
			b.Fatal(err)
		}
		defer perCPUSecond(b)()
		for b.Loop() {
			if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], sig) {
				b.Fatal("the raw signature does not verify")
			}
		}
	})
}

func benchmarkRawSign(b *testing.B, key crypto.Signer) {
	digest := sha256.Sum256([]byte("document"))
	if k, ok := key.(*rsa.PrivateKey); ok {
		k.Precompute()
	}
	defer perCPUSecond(b)()
	for b.Loop() {
		if _, err := key.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
			b.Fatal(err)
		}
	}
}

// perCPUSecond reports how many turns a second of processor time allows; other work on the machine does not matter.
func perCPUSecond(b *testing.B) func() {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	return func() { b.ReportMetric(float64(b.N)/(used()-before).Seconds(), "op/cpu-s") }
}
