package service_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"countersign/kiosk"
	"countersign/signing/ca"
)

// pair makes the member of staff's PKCS#12 file into what a TLS client takes.
func (o *office) pair(t *testing.T, name string) (tls.Certificate, *x509.Certificate) {
	t.Helper()
	const words = "một câu dài để giữ khóa"
	chain, file, err := o.IssueStaff(t.Context(), name, nil, words)
	if err != nil {
		t.Fatal(err)
	}
	p12 := write(t, name+".p12", file)
	keyPEM, err := exec.Command("openssl", "pkcs12", "-in", p12, "-passin", "pass:"+words, "-nodes", "-nocerts").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, private := filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	if err := os.WriteFile(cert, chain, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(private, keyPEM, 0o600); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(cert, private)
	if err != nil {
		t.Fatal(err)
	}
	certs, err := ca.Certificates(chain)
	if err != nil {
		t.Fatal(err)
	}
	return pair, certs[0]
}

func TestAConnectionNeedsAStaffCertificateAndEndsWhenItIsTakenBack(t *testing.T) {
	o := newOffice(t)
	for _, name := range []string{"lan", "minh"} {
		o.user(t, name, kiosk.RoleClerk)
	}
	lan, lanCert := o.pair(t, "lan")
	minh, _ := o.pair(t, "minh")
	open := make(chan struct{}, 1)
	ended := make(chan struct{})
	server := httptest.NewUnstartedServer(o.StaffOnly(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream" {
			w.(http.Flusher).Flush()
			open <- struct{}{}
			<-r.Context().Done()
			close(ended)
			return
		}
		fmt.Fprint(w, "served")
	})))
	server.TLS = o.StaffTLS(&tls.Config{MinVersion: tls.VersionTLS13})
	server.StartTLS()
	defer server.Close()
	client := func(certs ...tls.Certificate) *http.Client {
		c := server.Client().Transport.(*http.Transport).Clone()
		c.TLSClientConfig.Certificates = certs
		return &http.Client{Transport: c, Timeout: 10 * time.Second}
	}
	get := func(c *http.Client, path string) (int, error) {
		r, err := c.Get(server.URL + path)
		if err != nil {
			return 0, err
		}
		r.Body.Close()
		return r.StatusCode, nil
	}
	if _, err := get(client(), "/"); err == nil {
		t.Error("nobody is served")
	}
	if status, err := get(client(minh), "/"); err != nil || status != http.StatusOK {
		t.Errorf("a staff certificate is refused: %d, %v", status, err)
	}
	busy := client(lan)
	go func() { _, _ = get(busy, "/stream") }()
	<-open
	if _, err := o.TakeBackCertificate(t.Context(), lanCert.SerialNumber.Text(16), "", kiosk.TakeBack{Reason: "key_compromise", Why: "mất USB"}); err != nil {
		t.Fatal(err)
	}
	<-ended // the running stream is cut
	if status, err := get(busy, "/"); err == nil && status != http.StatusForbidden {
		t.Errorf("the old connection is served: %d", status)
	}
	if _, err := get(client(lan), "/"); err == nil {
		t.Error("a new connection is served")
	}
	if status, err := get(client(minh), "/"); err != nil || status != http.StatusOK {
		t.Errorf("another's certificate is refused: %d, %v", status, err)
	}
}
