package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"countersign/kiosk"
)

type enrol struct {
	Authed
	Key  string `path:"key"`
	Body struct {
		Request          []byte `json:"request,omitempty" doc:"The token's PKCS#10 request, PEM or DER; without it the house makes the key"`
		Passphrase       string `json:"passphrase,omitempty" maxLength:"200" doc:"Of the PKCS#12 file, chosen by the customer"`
		Compared         bool   `json:"compared" doc:"The clerk compared the person's face with the card"`
		Approver         string `json:"approver,omitempty" doc:"Somebody else who agrees, after a loss"`
		ApproverPassword string `json:"approver_password,omitempty"`
	}
}

type certificateTest struct {
	Authed
	SHA256 string `path:"sha256"`
	Body   struct {
		Signature []byte `json:"signature"`
	}
}

type certificatesOf struct {
	Authed
	Customer string `query:"customer" doc:"Customer code; all of the unit without it"`
	Limit    int    `query:"limit" default:"200" maximum:"5000"`
}

type lossReport struct {
	Authed
	Customer string `path:"customer"`
	Body     struct {
		Why string `json:"why" maxLength:"500"`
	}
}

// CertificateRow is a certificate of the register as a clerk sees it.
type CertificateRow struct {
	SHA256   string                 `json:"sha256"`
	Serial   string                 `json:"serial"`
	Issuer   string                 `json:"issuer"`
	Class    string                 `json:"class"`
	Customer string                 `json:"customer"`
	Until    string                 `json:"until"`
	State    kiosk.CertificateState `json:"state"`
}

// Refused tells how many certificates are refused from now on.
type Refused struct {
	Certificates int `json:"certificates"`
}

func (s *Server) certificateRoutes(api huma.API) {
	clerk(s, api, http.MethodPost, "/v1/visits/{key}/certificate", "enrol", "Issue a certificate to the customer of a visit", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, in enrol) (kiosk.EnrolledView, error) {
		return s.Hall.Enrol(ctx, a, kiosk.EnrolRequest{Visit: in.Key, Request: in.Body.Request, Passphrase: in.Body.Passphrase, Compared: in.Body.Compared,
			Approver: in.Body.Approver, ApproverPassword: in.Body.ApproverPassword})
	})
	clerk(s, api, http.MethodPost, "/v1/certificates/{sha256}/test", "test-certificate", "Take the test signature that makes a certificate usable", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, in certificateTest) (kiosk.EnrolledView, error) {
		return s.Hall.TestCertificate(ctx, a, in.SHA256, in.Body.Signature)
	})
	clerk(s, api, http.MethodPost, "/v1/customers/{customer}/loss", "report-loss", "Refuse all certificates of a customer who reported a loss", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, in lossReport) (Refused, error) {
		n, err := s.Hall.ReportLoss(ctx, a, in.Customer, in.Body.Why)
		return Refused{n}, err
	})
	clerk(s, api, http.MethodGet, "/v1/certificates", "certificates", "The unit's lines of the register of certificates", kiosk.RightServe, func(ctx context.Context, a kiosk.Actor, in certificatesOf) ([]CertificateRow, error) {
		all, err := s.Hall.Certificates(ctx, a, kiosk.CertificateQuery{Customer: in.Customer, Limit: in.Limit})
		out := []CertificateRow{}
		for _, c := range all {
			out = append(out, CertificateRow{c.SHA256, c.Serial, c.Issuer, string(c.Class), c.Customer, c.Until.Format("2006-01-02"), c.State})
		}
		return out, err
	})
}

// Enrol asks for a certificate for the customer of a visit.
func (c *Clerk) Enrol(ctx context.Context, r kiosk.EnrolRequest) (kiosk.EnrolledView, error) {
	in := map[string]any{"request": r.Request, "passphrase": r.Passphrase, "compared": r.Compared, "approver": r.Approver, "approver_password": r.ApproverPassword}
	if len(r.Request) == 0 {
		delete(in, "request")
	}
	return call[kiosk.EnrolledView](ctx, c.Client, http.MethodPost, "/v1/visits/"+url.PathEscape(r.Visit)+"/certificate", in)
}

// TestCertificate hands in the test signature.
func (c *Clerk) TestCertificate(ctx context.Context, sha256 string, signature []byte) (kiosk.EnrolledView, error) {
	return call[kiosk.EnrolledView](ctx, c.Client, http.MethodPost, "/v1/certificates/"+url.PathEscape(sha256)+"/test", map[string]any{"signature": signature})
}

// ReportLoss refuses all certificates of a customer.
func (c *Clerk) ReportLoss(ctx context.Context, customer, why string) (int, error) {
	out, err := call[Refused](ctx, c.Client, http.MethodPost, "/v1/customers/"+url.PathEscape(customer)+"/loss", map[string]string{"why": why})
	return out.Certificates, err
}

// Certificates lists the unit's lines of the register, of one customer or all.
func (c *Clerk) Certificates(ctx context.Context, customer string) ([]CertificateRow, error) {
	return call[[]CertificateRow](ctx, c.Client, http.MethodGet, "/v1/certificates?customer="+url.QueryEscape(customer), nil)
}
