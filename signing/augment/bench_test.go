package augment

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"syscall"
	"testing"
	"time"

	"countersign/signing"
	"countersign/signing/pdf"
	"countersign/signing/pdf/pdftest"
	"countersign/signing/verify"
)

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

func rawVerify(b *testing.B, key *ecdsa.PrivateKey) {
	digest := sha256.Sum256([]byte("document"))
	sig := must[[]byte](b)(ecdsa.SignASN1(rand.Reader, key, digest[:]))
	defer perCPUSecond(b)()
	for b.Loop() {
		if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], sig) {
			b.Fatal("the raw signature does not verify")
		}
	}
}

// BenchmarkVerifyBLTA verifies a document of about 26 KB with one signature at B-LTA: ten signatures are checked.
func BenchmarkVerifyBLTA(b *testing.B) {
	w := newWorld(b, noon)
	doc := w.raised(w.sign(pdftest.Padded(25<<10, "seal"), "seal", w.seal, w.tsa), signing.BLTA)
	document := func(b *testing.B, p verify.Policy) {
		b.ReportAllocs()
		defer perCPUSecond(b)()
		for b.Loop() {
			if r := verify.Verify(doc, p); r.Verdict != verify.Passed || r.Signatures[0].Level != "B-LTA" {
				b.Fatal(r.Verdict, r.Problem, r.Detail)
			}
		}
	}
	b.Run("document", func(b *testing.B) { document(b, w.policy()) })
	b.Run("document of a known house", func(b *testing.B) {
		p := w.policy()
		p.Chains = &verify.Chains{}
		document(b, p)
	})
	b.Run("raw", func(b *testing.B) { rawVerify(b, w.seal.key.(*ecdsa.PrivateKey)) })
}

// BenchmarkVerifyRenewed verifies a document whose timestamp was renewed again and again.
func BenchmarkVerifyRenewed(b *testing.B) {
	w := newWorld(b, noon)
	doc := w.raised(w.sign(pdftest.Padded(25<<10, "seal"), "seal", w.seal, w.tsa), signing.BLTA)
	for _, revisions := range []int{5, 50} {
		for f := must[*pdf.File](b)(pdf.Parse(doc)); len(f.Revisions) < revisions; f = must[*pdf.File](b)(pdf.Parse(doc)) {
			w.newTSA("Next TSA", 2*year+w.clock.Now().Sub(noon)) // ends a little later than the last
			w.clock.Advance(time.Hour)
			a := w.augmenter()
			a.Renew = 100 * year
			doc = must[Result](b)(a.Raise(context.Background(), doc, signing.BLTA)).Document
		}
		b.Run(map[int]string{5: "5 revisions", 50: "50 revisions"}[revisions], func(b *testing.B) {
			p := w.policy()
			defer perCPUSecond(b)()
			for b.Loop() {
				if r := verify.Verify(doc, p); r.Verdict != verify.Passed {
					b.Fatal(r.Verdict, r.Problem, r.Detail)
				}
			}
		})
	}
}

// BenchmarkSignBLTA signs a document of about 26 KB and raises it to B-LTA with authorities in this process.
func BenchmarkSignBLTA(b *testing.B) {
	w := newWorld(b, noon)
	base := pdftest.Padded(25<<10, "seal")
	a := w.augmenter()
	b.Run("document", func(b *testing.B) {
		defer perCPUSecond(b)()
		for b.Loop() {
			f := must[signing.Filled](b)(signing.Fill(context.Background(), base, pdf.Request{Field: "seal", At: noon}, w.seal.key, w.seal.chain, w.tsa))
			if r, err := a.Raise(context.Background(), f.Document, signing.BLTA); err != nil || r.Short != nil {
				b.Fatal(err, r.Short)
			}
		}
	})
	b.Run("raw", func(b *testing.B) {
		digest := sha256.Sum256([]byte("document"))
		defer perCPUSecond(b)()
		for b.Loop() {
			must[[]byte](b)(ecdsa.SignASN1(rand.Reader, w.seal.key.(*ecdsa.PrivateKey), digest[:]))
		}
	})
}
