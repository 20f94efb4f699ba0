package verify

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"sync"
	"testing"
	"time"

	"countersign/internal/clock"
	"countersign/signing/ca"
	"countersign/signing/cms"
	"countersign/signing/pdf"
	"countersign/signing/pdf/pdftest"
	"countersign/signing/tsa"
)

// noon is when everything in these tests happens.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, clock.Vietnam)

// signer is a key with its chain.
type signer struct {
	key   crypto.Signer
	chain []*x509.Certificate
}

// world is a PKI with one signer of each kind.
type world struct {
	clock                              *clock.Set
	root, issuing                      *ca.Authority
	customer, clerk, seal, rsaSeal, tk signer
	tsa                                *tsa.Local
	room                               int // kept for each signature
}

func must[T any](tb testing.TB) func(T, error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func newKey(tb testing.TB) *ecdsa.PrivateKey {
	return must[*ecdsa.PrivateKey](tb)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
}

var rsaKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func newWorld(tb testing.TB) *world { return newWorldAt(tb, noon) }

// newWorldAt makes a world that begins at the given time: other programs know only the machine's own.
func newWorldAt(tb testing.TB, at time.Time) *world {
	tb.Helper()
	w := &world{clock: clock.At(at), room: 4096}
	w.root = must[*ca.Authority](tb)(ca.NewRoot(pkix.Name{CommonName: "Test root"}, w.clock, rand.Reader))
	w.issuing = must[*ca.Authority](tb)(w.root.NewIssuing(pkix.Name{CommonName: "Test issuing"}))
	chain := must[[]*x509.Certificate](tb)
	year := 365 * 24 * time.Hour
	k := newKey(tb)
	w.customer = signer{k, chain(w.issuing.IssueOneOff(k.Public(), ca.OneOff{Holder: "Nguyễn Văn Ế", HolderID: "0010****0018", TransactionID: "T-1", Life: 10 * time.Minute}))}
	k = newKey(tb)
	w.clerk = signer{k, chain(w.issuing.IssueClerk(k.Public(), ca.Clerk{Name: "Trần Thị B", StaffID: "GDV-07", Counter: "3", Life: year}))}
	k = newKey(tb)
	w.seal = signer{k, chain(w.issuing.IssueSeal(k.Public(), ca.Seal{Name: "Điện lực Ba Đình", OrganisationID: "0100100417", Life: year}))}
	k = newKey(tb)
	w.tk = signer{k, chain(w.issuing.IssueToken(k.Public(), "Lê Văn C", "0790****0001", year))}
	r := must[*rsa.PrivateKey](tb)(rsaKey())
	w.rsaSeal = signer{r, chain(w.issuing.IssueSeal(r.Public(), ca.Seal{Name: "Seal RSA", OrganisationID: "1", Life: year}))}
	k = newKey(tb)
	w.tsa = must[*tsa.Local](tb)(tsa.NewLocal(k, chain(w.issuing.IssueTimestamp(k.Public(), pkix.Name{CommonName: "Test TSA"}, year)), w.clock, rand.Reader))
	return w
}

func (w *world) stamp(sig []byte) ([]byte, error) { return w.tsa.Stamp(context.Background(), sig) }

func (w *world) policy() Policy {
	return Policy{Roots: []*x509.Certificate{w.root.Certificate}, At: noon.Add(time.Hour)}
}

// sign fills a field; stamp nil makes it B-B.
func (w *world) sign(tb testing.TB, doc []byte, field string, s signer, stamp func([]byte) ([]byte, error)) []byte {
	tb.Helper()
	p := must[*pdf.Prepared](tb)(pdf.Prepare(doc, pdf.Request{
		Field: field, Name: s.chain[0].Subject.CommonName, Reason: "Xác nhận (phiếu)", At: w.clock.Now(),
		Appearance: &pdf.Appearance{Width: 100, Height: 100, Stream: []byte("1 0 0 RG 4 w 10 10 80 80 re S")},
		Room:       w.room,
	}))
	der := must[[]byte](tb)(cms.Sign(p.Digest(), s.key, s.chain, stamp))
	return must[[]byte](tb)(p.Finish(der))
}

func base() []byte { return pdftest.Base("customer", "clerk", "seal") }
