package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

func TestTheReportNamesTheFileByItsDigest(t *testing.T) {
	w := newWorld(t)
	signed := w.sign(t, w.sign(t, base(), "customer", w.customer, nil), "seal", w.seal, w.stamp)
	broken := append([]byte{}, signed...)
	broken[len(broken)/2] ^= 1
	for name, data := range map[string][]byte{
		"nothing": nil, "no PDF": []byte("text"), "unsigned": base(), "signed": signed, "broken": broken, "cut off": signed[:len(signed)-9],
		"behind other bytes": append([]byte("junk\n"), signed...), "before other bytes": append(append([]byte{}, signed...), "\n\njunk"...),
	} {
		sum := sha256.Sum256(data)
		if got := Verify(data, w.policy()).File.SHA256; got != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: %s", name, got)
		}
	}
}
