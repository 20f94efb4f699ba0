package verify

import (
	"crypto/sha256"
	"crypto/x509"
	"sync"
)

// maxChains bounds how many chains are remembered; most signers' certificates come once.
const maxChains = 1024

// Chains remembers the chains that led to a root, so that who verifies many documents of one house builds the chains of
// its seals and authorities once. Only signatures on certificates are remembered, nothing about time or revocation.
// Several goroutines may use it at once. It serves one list of roots; with another it remembers nothing.
type Chains struct {
	mu    sync.Mutex
	roots [32]byte
	kept  map[chainKey][]*x509.Certificate
}

// chainKey names the chain of a certificate.
type chainKey struct {
	signer string
	usage  x509.ExtKeyUsage
}

// serving returns the receiver when it serves these roots, else a fresh one for them.
func (c *Chains) serving(roots []*x509.Certificate) *Chains {
	h := sha256.New()
	for _, r := range roots {
		h.Write(r.Raw)
	}
	var sum [32]byte
	h.Sum(sum[:0])
	if c == nil {
		return &Chains{roots: sum}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil {
		c.roots = sum
	}
	if c.roots != sum {
		return &Chains{roots: sum}
	}
	return c
}

func (c *Chains) get(key chainKey) []*x509.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept[key]
}

func (c *Chains) put(key chainKey, chain []*x509.Certificate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil || len(c.kept) >= maxChains {
		c.kept = make(map[chainKey][]*x509.Certificate)
	}
	c.kept[key] = chain
}
