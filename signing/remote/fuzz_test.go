package remote

import (
	"bytes"
	"context"
	"crypto/x509"
	"io"
	"net/http"
	"testing"
	"time"

	"countersign/internal/clock"
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

// FuzzSmartCA: whatever SmartCA says, nothing but a signature of the credential's key is released.
func FuzzSmartCA(f *testing.F) {
	f.Add(200, []byte(`{"status_code":200,"message":"SUCCESS","data":{"transaction_id":"t","signatures":[{"doc_id":"d","signature_value":"AAAA"}]}}`))
	f.Add(200, []byte(`{"status_code":200,"message":"Success","data":{"user_certificates":[{"cert_data":"MAA=","serial_number":"1"}]}}`))
	f.Add(200, []byte(`{"status_code":403,"message":"CREDENTIAL_STATUS_INVALID","data":null}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		s, err := NewSmartCA("https://provider.example/sca/", "a", "b", false, time.Minute, clock.System{})
		if err != nil {
			t.Fatal(err)
		}
		s.http.Transport = canned{status, body}
		list, err := s.List(context.Background(), "u")
		for _, c := range list {
			if err != nil || len(c.Chain) == 0 {
				t.Errorf("a credential without a certificate: %+v, %v", c, err)
			}
		}
		p := &pendingSmartCA{client: s, transaction: "t", chain: []*x509.Certificate{{}}, ask: Ask{Document: "d"}}
		if sig, _ := p.Poll(context.Background()); sig != nil {
			t.Errorf("released %x", sig)
		}
	})
}

// FuzzSIM: whatever a mobile signature service says, nothing but a signature of the credential's key is released.
func FuzzSIM(f *testing.F) {
	f.Add(200, []byte(`<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:m="http://uri.etsi.org/TS102204/v1.1.2#"><e:Body><m:MSS_StatusResp MSSP_TransID="1">`+
		`<m:MSS_Signature><m:Base64Signature>AAAA</m:Base64Signature></m:MSS_Signature><m:Status><m:StatusCode Value="502"/></m:Status></m:MSS_StatusResp></e:Body></e:Envelope>`))
	f.Add(500, []byte(`<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><e:Fault><e:Code><e:Subcode><e:Value>mss:_208</e:Value></e:Subcode></e:Code></e:Fault></e:Body></e:Envelope>`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		directory := func(context.Context, string) ([]*x509.Certificate, error) { return nil, nil }
		s, err := NewSIM("https://provider.example/mss", SIMAccount{ID: "a", Profile: "p", Seconds: 1}, directory, time.Minute, clock.System{})
		if err != nil {
			t.Fatal(err)
		}
		s.http.Transport = canned{status, body}
		p := &pendingSIM{client: s, id: "1", own: "1", chain: []*x509.Certificate{{}}, ask: Ask{Document: "d"}}
		if sig, _ := p.Poll(context.Background()); sig != nil {
			t.Errorf("released %x", sig)
		}
	})
}
