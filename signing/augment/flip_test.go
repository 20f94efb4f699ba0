package augment

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"

	"countersign/signing"
	"countersign/signing/pdf/pdftest"
	"countersign/signing/verify"
)

// flips verifies doc with each given bit flipped and reports each flip that passes, or that is not FAILED outside the
// bytes that others may have written in good faith.
func flips(t *testing.T, doc []byte, p verify.Policy, bits []int, note int) {
	t.Helper()
	work := make(chan []int)
	var wait sync.WaitGroup
	var mu sync.Mutex
	missed, soft := 0, 0
	for range 2 {
		wait.Go(func() {
			copied := slices.Clone(doc)
			for part := range work {
				for _, bit := range part {
					copied[bit/8] ^= 1 << (bit % 8)
					r := verify.Verify(copied, p)
					copied[bit/8] ^= 1 << (bit % 8)
					if r.Verdict == verify.Failed {
						continue
					}
					mu.Lock()
					// A flip in the note that we wrote the validation data makes that somebody else's, which nothing covers.
					if inNote := bit/8 >= note && bit/8 < note+32; note >= 0 && inNote && r.Verdict == verify.Indeterminate {
						soft++
					} else if missed++; missed <= 20 {
						t.Errorf("bit %d of byte %d (%q): %s %s %s", bit%8, bit/8, doc[max(0, bit/8-20):bit/8+1], r.Verdict, r.Sub, r.Problem)
					}
					mu.Unlock()
				}
			}
		})
	}
	for part := range slices.Chunk(bits, 200) {
		work <- part
	}
	close(work)
	wait.Wait()
	t.Logf("%d bytes, %d flips, %d missed, %d only INDETERMINATE", len(doc), len(bits), missed, soft)
}

// TestEveryFlippedBitIsFound flips every bit when TEST_FAULTS is set, which takes minutes; else a sample, the last revision more
// densely, where no signature covers everything.
func TestEveryFlippedBitIsFound(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, to := range []signing.Level{signing.BB, signing.BT, signing.BLT, signing.BLTA} {
		for _, count := range []int{1, 2, 4} {
			t.Run(fmt.Sprintf("%s with %d signatures", to, count), func(t *testing.T) {
				w := newWorld(t, noon)
				before, note := w.signed(count, w.tsa), -1
				if to == signing.BB {
					before = w.signed(count, nil)
				}
				doc := before
				switch to {
				case signing.BLT:
					doc = w.raised(doc, signing.BLT)
					note = noteIn(doc)
				case signing.BLTA:
					before = w.raised(doc, signing.BLT)
					doc = w.raised(before, signing.BLTA)
				}
				p := w.policy()
				if r := verify.Verify(doc, p); r.Verdict != verify.Passed {
					t.Fatalf("the document itself is %s", r.Verdict)
				}
				var bits []int
				if os.Getenv("TEST_FAULTS") != "" {
					for i := range 8 * len(doc) {
						bits = append(bits, i)
					}
				} else {
					last := len(before)
					switch to {
					case signing.BB, signing.BT:
						last = len(pdftest.Base("customer", "clerk", "seal", "seal2"))
					case signing.BLT:
						last = note
					}
					for range 500 {
						bits = append(bits, random.IntN(8*len(doc)), 8*last+random.IntN(8*(len(doc)-last)))
					}
				}
				flips(t, doc, p, bits, note)
			})
		}
	}
}
