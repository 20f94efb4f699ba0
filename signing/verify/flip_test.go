package verify

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// flips verifies doc with each given bit flipped, on all processors, and reports each flip that is not FAILED.
func flips(t *testing.T, doc []byte, p Policy, bits []int) {
	t.Helper()
	work := make(chan []int)
	var wait sync.WaitGroup
	var mu sync.Mutex
	missed := 0
	for range 2 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			copied := slices.Clone(doc)
			for part := range work {
				for _, bit := range part {
					copied[bit/8] ^= 1 << (bit % 8)
					if r := Verify(copied, p); r.Verdict != Failed {
						mu.Lock()
						if missed++; missed <= 20 {
							t.Errorf("bit %d of byte %d (%q): %s %s %s", bit%8, bit/8, doc[max(0, bit/8-20):bit/8+1], r.Verdict, r.Sub, r.Problem)
						}
						mu.Unlock()
					}
					copied[bit/8] ^= 1 << (bit % 8)
				}
			}
		}()
	}
	for part := range slices.Chunk(bits, 500) {
		work <- part
	}
	close(work)
	wait.Wait()
	t.Logf("%d flips, %d not FAILED", len(bits), missed)
}

func TestEveryFlippedBitOfASignedDocumentFails(t *testing.T) {
	w := newWorld(t)
	w.room = 2048
	doc := w.sign(t, base(), "customer", w.customer, nil)
	if r := Verify(doc, w.policy()); r.Verdict != Passed {
		t.Fatalf("the document itself is %s", r.Verdict)
	}
	bits := make([]int, 8*len(doc))
	for i := range bits {
		bits[i] = i
	}
	flips(t, doc, w.policy(), bits)
}

func TestFlippedBitsOfTimestampedAndSealedDocumentsFail(t *testing.T) {
	w := newWorld(t)
	one := w.sign(t, base(), "customer", w.customer, w.stamp)
	three := w.sign(t, w.sign(t, one, "clerk", w.clerk, w.stamp), "seal", w.rsaSeal, w.stamp)
	random := rand.New(rand.NewPCG(1, 2))
	for name, doc := range map[string][]byte{"one B-T": one, "three B-T, RSA seal": three} {
		t.Run(name, func(t *testing.T) {
			bits := make([]int, 6000)
			for i := range bits {
				bits[i] = random.IntN(8 * len(doc))
			}
			flips(t, doc, w.policy(), bits)
		})
	}
}
