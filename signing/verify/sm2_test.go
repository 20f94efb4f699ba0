package verify

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"countersign/signing/pdf"
	"countersign/signing/pdf/pdftest"
)

// TestAnSM2SignatureIsCalledUnsupportedAndNotBroken: SM2 with SM3 as GM/T 0009 has it. The key, the certificate and the
// signature are openssl's, which has no CMS for them; the message around is put together here.
func TestAnSM2SignatureIsCalledUnsupportedAndNotBroken(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), "openssl", args...).CombinedOutput(); err != nil {
			t.Fatalf("openssl %q: %v\n%s", args, err, out)
		}
	}
	read := func(name string) []byte { return must[[]byte](t)(os.ReadFile(at(name))) }
	p := must[*pdf.Prepared](t)(pdf.Prepare(pdftest.Base("seal"), pdf.Request{Field: "seal", At: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}))
	run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2", "-out", at("key"))
	run("req", "-new", "-x509", "-key", at("key"), "-sm3", "-subj", "/CN=SM2", "-days", "365", "-out", at("cert"))
	if err := os.WriteFile(at("signed"), p.Signed(), 0o600); err != nil {
		t.Fatal(err)
	}
	run("dgst", "-sm3", "-sign", at("key"), "-sigopt", "distid:1234567812345678", "-out", at("sig"), at("signed"))
	block, _ := pem.Decode(read("cert"))
	var cert struct {
		TBS struct {
			Version           int `asn1:"explicit,tag:0"`
			Serial            asn1.RawValue
			Algorithm, Issuer asn1.RawValue
			Validity, Subject asn1.RawValue
			Key               asn1.RawValue
			Extensions        asn1.RawValue `asn1:"optional,tag:3"`
		}
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	must[[]byte](t)(asn1.Unmarshal(block.Bytes, &cert))
	sm := func(last int) pkix.AlgorithmIdentifier {
		return pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 156, 10197, 1, last}}
	}
	raw := func(der []byte) asn1.RawValue { return asn1.RawValue{FullBytes: der} }
	explicit := func(der []byte) asn1.RawValue {
		return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: der}
	}
	encode := func(v any) []byte { return must[[]byte](t)(asn1.Marshal(v)) }
	type id struct{ Issuer, Serial asn1.RawValue }
	type signer struct {
		Version   int
		ID        id
		Digest    pkix.AlgorithmIdentifier
		Algorithm pkix.AlgorithmIdentifier
		Signature []byte
	}
	data := struct{ Type asn1.ObjectIdentifier }{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}}
	message := encode(struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}, explicit(encode(struct {
		Version      int
		Digests      []pkix.AlgorithmIdentifier `asn1:"set"`
		Data         any
		Certificates asn1.RawValue
		Signers      []signer `asn1:"set"`
	}{1, []pkix.AlgorithmIdentifier{sm(401)}, data, explicit(block.Bytes), []signer{{1, id{raw(cert.TBS.Issuer.FullBytes), raw(cert.TBS.Serial.FullBytes)}, sm(401), sm(501), read("sig")}}}))})
	if err := os.WriteFile(at("cms"), message, 0o600); err != nil {
		t.Fatal(err)
	}
	run("cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", at("cms"))
	document := must[[]byte](t)(p.Finish(message))
	if r := Verify(document, Policy{At: time.Now()}); r.Verdict != Indeterminate || r.Sub != "CRYPTO_CONSTRAINTS_FAILURE" {
		t.Errorf("verdict %s %s", r.Verdict, r.Sub)
	}
}
