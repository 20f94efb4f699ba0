package demo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"countersign/internal/api"
)

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// attached is the digest of the order.json in a file.
func attached(t *testing.T, file []byte) string {
	t.Helper()
	dir := t.TempDir()
	path, out := filepath.Join(dir, "order.pdf"), filepath.Join(dir, "order.json")
	write(t, path, file)
	program(t, "pdfdetach", "-savefile", "order.json", "-o", out, path)
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// raw sends one request with a token and returns what came over the wire.
func (o *office) raw(t *testing.T, token, method, path, body string) (int, string) {
	t.Helper()
	return o.send(t, token, method, path, "application/json", strings.NewReader(body))
}

func (o *office) send(t *testing.T, token, method, path, contentType string, body io.Reader) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := o.Client()
	defer c.HTTP.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := c.HTTP.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") && resp.StatusCode == http.StatusOK {
		return resp.StatusCode, "" // it never ends
	}
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

// openSession signs in and returns the token.
func (o *office) openSession(t *testing.T, user, counter string) string {
	t.Helper()
	in := asJSON(t, map[string]string{"unit": Unit, "counter": counter, "user": user, "password": Password})
	status, body := o.raw(t, "", http.MethodPost, "/v1/session", in)
	var s api.Session
	if err := json.Unmarshal([]byte(body), &s); err != nil || status != http.StatusOK {
		t.Fatalf("sign in as %s: %d %s", user, status, body)
	}
	return s.Token
}
