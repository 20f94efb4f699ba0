package remote

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
)

// SIM has a key in a telephone's SIM sign, over a mobile signature service that speaks ETSI TS 102 204 with the client
// asking (asynchClientServer): the text is shown on the telephone and its holder enters a PIN there. It is a Provider; users
// are named by their telephone number.
type SIM struct {
	*wire
	address   string
	account   SIMAccount
	directory func(ctx context.Context, number string) ([]*x509.Certificate, error)
	clock     clock.Clock
}

// SIMAccount is this house at the mobile signature service.
type SIMAccount struct {
	ID, Password string // AP_ID, AP_PWD
	Service      string // MSSP_ID, as a DNS name
	Profile      string // the signature profile's URI that signs a SHA-256 by PKCS#1 or ECDSA
	Seconds      int    // how long the telephone asks
}

// NewSIM returns a client of the service at an address. The protocol has no question for certificates: directory returns the
// chain that is on file for a number, which the holder registered.
func NewSIM(address string, account SIMAccount, directory func(context.Context, string) ([]*x509.Certificate, error), timeout time.Duration, now clock.Clock) (*SIM, error) {
	w, err := newWire(address, timeout)
	if err != nil {
		return nil, err
	}
	if account.ID == "" || account.Profile == "" || account.Seconds < 1 || directory == nil {
		return nil, errors.New("make a client of a mobile signature service: account, profile, time or directory is missing")
	}
	return &SIM{wire: w, address: address, account: account, directory: directory, clock: now}, nil
}

// List returns the certificate on file for a number.
func (s *SIM) List(ctx context.Context, number string) ([]Credential, error) {
	chain, err := s.directory(ctx, number)
	if err != nil || len(chain) == 0 {
		return nil, err
	}
	return []Credential{{ID: number, User: number, Mode: Implicit, Bound: true, Chain: chain}}, nil
}

// The status codes of TS 102 204 §11 that mean something at the counter.
const (
	mssOK          = 100
	mssNoAccess    = 104
	mssUnknown     = 105
	mssExpired     = 208
	mssUnreachable = 209
	mssCancelled   = 401
	mssPINBlocked  = 402
	mssCardBlocked = 403
	mssNoKey       = 404
	mssNoCert      = 422
	mssRevoked     = 501
	mssSigned      = 500
	mssValid       = 502
	mssInvalid     = 503
	mssOutstanding = 504
)

// mssMessage is a SOAP envelope with any of the messages that are sent and understood here.
type mssMessage struct {
	XMLName xml.Name `xml:"http://www.w3.org/2003/05/soap-envelope Envelope"`
	Body    struct {
		Sign   *mssRequest  `xml:"http://uri.etsi.org/TS102204/v1.1.2# MSS_SignatureReq"`
		Status *mssRequest  `xml:"http://uri.etsi.org/TS102204/v1.1.2# MSS_StatusReq"`
		Signed *mssResponse `xml:"http://uri.etsi.org/TS102204/v1.1.2# MSS_SignatureResp"`
		State  *mssResponse `xml:"http://uri.etsi.org/TS102204/v1.1.2# MSS_StatusResp"`
		Fault  *struct {
			Code struct {
				Subcode struct {
					Value string `xml:"Value"`
				} `xml:"Subcode"`
			} `xml:"Code"`
		} `xml:"http://www.w3.org/2003/05/soap-envelope Fault"`
	} `xml:"Body"`
}

type mssAP struct {
	ID          string `xml:"AP_ID,attr"`
	Transaction string `xml:"AP_TransID,attr"`
	Password    string `xml:"AP_PWD,attr"`
	Instant     string `xml:"Instant,attr"`
}

type mssData struct {
	MimeType string `xml:"MimeType,attr"`
	Encoding string `xml:"Encoding,attr"`
	Text     string `xml:",chardata"`
}

type mssRequest struct {
	Major       int      `xml:"MajorVersion,attr"`
	Minor       int      `xml:"MinorVersion,attr"`
	Mode        string   `xml:"MessagingMode,attr,omitempty"`
	Seconds     int      `xml:"TimeOut,attr,omitempty"`
	Transaction string   `xml:"MSSP_TransID,attr,omitempty"`
	AP          mssAP    `xml:"AP_Info"`
	Service     string   `xml:"MSSP_Info>MSSP_ID>DNSName"`
	Number      string   `xml:"MobileUser>MSISDN,omitempty"`
	Signed      *mssData `xml:"DataToBeSigned"`
	Displayed   *mssData `xml:"DataToBeDisplayed"`
	Profile     string   `xml:"SignatureProfile>mssURI,omitempty"`
}

type mssResponse struct {
	Transaction string `xml:"MSSP_TransID,attr"`
	AP          mssAP  `xml:"AP_Info"`
	Signature   string `xml:"MSS_Signature>Base64Signature"`
	Status      struct {
		Code struct {
			Value string `xml:"Value,attr"`
		} `xml:"StatusCode"`
	} `xml:"Status"`
}

// Begin lets the telephone ask its holder.
func (s *SIM) Begin(ctx context.Context, c Credential, ask Ask) (Pending, error) {
	if len(c.Chain) == 0 {
		return nil, fault.New(fault.Forbidden, "remote.certificate", nil)
	}
	if ask.Document == "" {
		return nil, errors.New("sign with a SIM: the document has no code")
	}
	p := &pendingSIM{client: s, own: rand.Text(), chain: c.Chain, ask: ask}
	request := s.request(p.own)
	request.Mode, request.Seconds, request.Number = "asynchClientServer", s.account.Seconds, c.User
	request.Signed = &mssData{"application/x-sha256", "base64", base64.StdEncoding.EncodeToString(ask.Digest[:])}
	request.Displayed = &mssData{"text/plain", "UTF-8", strings.TrimSpace(ask.Document + " " + ask.Text)}
	request.Profile = s.account.Profile
	var m mssMessage
	m.Body.Sign = request
	answer, err := s.ask(ctx, m)
	if err != nil {
		return nil, err
	}
	r := answer.Body.Signed
	if r == nil || r.Transaction == "" || r.AP.Transaction != p.own {
		return nil, nonsense(errors.New("the mobile signature service answers about another request"))
	}
	if code := r.code(); code != mssOK {
		return nil, refusedSIM(code)
	}
	p.id = r.Transaction
	return p, nil
}

func (s *SIM) request(own string) *mssRequest {
	return &mssRequest{Major: 1, Minor: 1, Service: s.account.Service, AP: mssAP{
		ID: s.account.ID, Transaction: own, Password: s.account.Password, Instant: s.clock.Now().UTC().Format(time.RFC3339),
	}}
}

func (r *mssResponse) code() int {
	n, err := strconv.Atoi(r.Status.Code.Value)
	if err != nil {
		return 0
	}
	return n
}

// pendingSIM waits for the telephone.
type pendingSIM struct {
	client  *SIM
	id, own string
	chain   []*x509.Certificate
	ask     Ask
	over    bool
}

func (p *pendingSIM) ID() string { return p.id }

func (p *pendingSIM) Poll(ctx context.Context) ([]byte, error) {
	if p.over {
		return nil, fault.New(fault.Conflict, "remote.cancelled", nil)
	}
	var m mssMessage
	m.Body.Status = p.client.request(p.own)
	m.Body.Status.Transaction = p.id
	answer, err := p.client.ask(ctx, m)
	if err != nil {
		return nil, err
	}
	r := answer.Body.State
	if r == nil {
		return nil, nonsense(errors.New("the mobile signature service answers something else than was asked"))
	}
	switch code := r.code(); code {
	case mssOutstanding:
		return nil, nil
	case mssSigned, mssValid:
		// What the service thinks of it is its own matter.
		return verified(p.chain, p.ask.Digest, strings.TrimSpace(r.Signature))
	default:
		return nil, refusedSIM(code)
	}
}

// Cancel has no word in the protocol; the telephone stops asking when its time is over, and the answer is not fetched.
func (p *pendingSIM) Cancel(context.Context) error {
	p.over = true
	return nil
}

// ask puts one question, once.
func (s *SIM) ask(ctx context.Context, m mssMessage) (*mssMessage, error) {
	body, err := xml.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("ask the mobile signature service: %w", err)
	}
	status, data, err := s.postTo(ctx, s.address, "application/soap+xml; charset=utf-8", "", append([]byte(xml.Header), body...))
	if err != nil {
		return nil, err
	}
	var answer mssMessage
	if err := xml.Unmarshal(data, &answer); err != nil {
		if status >= 500 {
			return nil, fault.Wrap(fmt.Errorf("the mobile signature service answers %d", status), fault.Unavailable, "remote.away", nil)
		}
		return nil, nonsense(errors.New("the mobile signature service's answer is no SOAP"))
	}
	if f := answer.Body.Fault; f != nil {
		// The subcode is a qualified name that ends in the number: mss:_208.
		_, number, _ := strings.Cut(f.Code.Subcode.Value, "_")
		code, err := strconv.Atoi(number)
		if err != nil {
			code = 0
		}
		return nil, refusedSIM(code)
	}
	if status != http.StatusOK {
		return nil, nonsense(fmt.Errorf("the mobile signature service answers %d", status))
	}
	return &answer, nil
}

func refusedSIM(code int) error {
	err := fmt.Errorf("the mobile signature service says %d", code)
	switch code {
	case mssCancelled:
		return fault.Wrap(err, fault.Conflict, "remote.cancelled", nil)
	case mssExpired:
		return fault.Wrap(err, fault.Conflict, "remote.late", nil)
	case mssUnreachable:
		return fault.Wrap(err, fault.Unavailable, "remote.phone", nil)
	case mssPINBlocked, mssCardBlocked:
		return fault.Wrap(err, fault.Forbidden, "remote.blocked", nil)
	case mssNoAccess:
		return fault.Wrap(err, fault.Unavailable, "remote.account", nil)
	case mssUnknown, mssNoKey, mssNoCert, mssRevoked:
		return fault.Wrap(err, fault.Forbidden, "remote.certificate", nil)
	case mssInvalid:
		return fault.Wrap(err, fault.Internal, "remote.signature", nil)
	}
	return fault.Wrap(err, fault.Conflict, "remote.refused", fault.Args{"status": strconv.Itoa(code)})
}
