package remote

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"time"
)

// canned answers every question with the same bytes.
type canned struct {
	status int
	body   []byte
}

func (c canned) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: c.status, Body: io.NopCloser(bytes.NewReader(c.body)), Header: http.Header{}}, nil
}

// FuzzAnswer: whatever a provider says, a credential has a certificate or there is an error.
func FuzzAnswer(f *testing.F) {
	f.Add(200, []byte(`{"key":{"status":"enabled","algo":["1.2.840.10045.4.3.2"]},"cert":{"certificates":["MAA="]},"authMode":"explicit"}`))
	f.Add(200, []byte(`{"credentialIDs":["a"],"nextPageToken":"b"}`))
	f.Add(400, []byte(`{"error":"invalid_pin"}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		c, err := New("https://provider.example/csc/v1/", "x", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		c.http.Transport = canned{status, body}
		if got, err := c.Credential(context.Background(), "a"); err == nil && len(got.Chain) == 0 {
			t.Errorf("a credential without a certificate: %+v", got)
		}
		if ids, err := c.Credentials(context.Background(), "u"); err == nil && len(ids) > maxAll {
			t.Errorf("%d credentials", len(ids))
		}
	})
}
