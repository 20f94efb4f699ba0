package smime

import (
	"crypto/sha1"
	"encoding/hex"
	"strings"
	"testing"

	"countersign/mail"
	"countersign/mail/cms"
	"countersign/mail/message"
)

func sha1Hex(b []byte) string {
	sum := sha1.Sum(b)
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

func FuzzInspect(f *testing.F) {
	f.Add([]byte("From: a@b.example\nContent-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=x\n\n--x\n\nhi\n--x\nContent-Type: application/pkcs7-signature\nContent-Transfer-Encoding: base64\n\nMIIB\n--x--\n"))
	f.Add([]byte("From: a@b.example\nContent-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\nMIIB\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := message.Parse(raw, message.Limits{})
		if s := Inspect(m, Policy{At: now}); s.Trusted || s.Status == mail.SMIMEValid && s.Signer == "" && s.MatchesFrom {
			t.Fatalf("%+v", s)
		}
	})
}

func FuzzCMS(f *testing.F) {
	f.Add([]byte{0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02, 0xa0, 0x80, 0x30, 0x80, 0x02, 0x01, 0x01, 0x31, 0x00, 0x30, 0x00, 0x31, 0x00, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := cms.Parse(b); err == nil {
			for _, g := range s.Signers {
				if g.Verify(s.Content, s.ContentType) == nil {
					t.Fatal("a signature was made by chance")
				}
			}
		}
		_, _ = cms.Open(b, 1<<20)
	})
}
