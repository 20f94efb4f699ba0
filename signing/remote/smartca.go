package remote

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"countersign/internal/clock"
	"countersign/internal/fault"
)

// SmartCA speaks to VNPT SmartCA 769 ("TÀI LIỆU TÍCH HỢP VNPT SMARTCA"): the customer confirms in the app, or, with an
// account of the integrated kind (SmartCA TH), gives password and one-time code here. It is a Provider; users are named by
// the number of their citizen's card, passport or tax code.
//
// The document names the message of a request that waits and the status codes of errors, but not the words for a customer
// who declines or lets it run out: those are taken from the message by what it contains.
type SmartCA struct {
	*wire
	id, password string
	integrated   bool
	clock        clock.Clock
}

// NewSmartCA returns a client whose API begins at base ("https://…/sca/sp769/"), for this house's account (sp_id and
// sp_password). integrated is for accounts of the integrated kind.
func NewSmartCA(base, id, password string, integrated bool, timeout time.Duration, now clock.Clock) (*SmartCA, error) {
	w, err := newWire(base, timeout)
	if err != nil {
		return nil, err
	}
	if id == "" || password == "" {
		return nil, errors.New("make a client of SmartCA: the account's name or password is missing")
	}
	return &SmartCA{wire: w, id: id, password: password, integrated: integrated, clock: now}, nil
}

// smartCAQuestion is everything that the API's questions hold.
type smartCAQuestion struct {
	ID          string        `json:"sp_id"`
	Password    string        `json:"sp_password"`
	User        string        `json:"user_id,omitempty"`
	UserSecret  string        `json:"password,omitempty"`
	OTP         string        `json:"otp,omitempty"`
	SAD         string        `json:"sad,omitempty"`
	Serial      string        `json:"serial_number,omitempty"`
	Transaction string        `json:"transaction_id,omitempty"`
	Text        string        `json:"transaction_desc,omitempty"`
	Files       []smartCAFile `json:"sign_files,omitempty"`
	Time        string        `json:"time_stamp,omitempty"`
}

type smartCAFile struct {
	Data     string `json:"data_to_be_signed"`
	Document string `json:"doc_id"`
	FileType string `json:"file_type"`
	SignType string `json:"sign_type"`
}

// smartCAAnswer is what the data of the API's answers hold.
type smartCAAnswer struct {
	Transaction  string `json:"transaction_id"`
	Code         string `json:"tran_code"`
	SAD          string `json:"sad"`
	Certificates []struct {
		Status string `json:"cert_status"`
		Serial string `json:"serial_number"`
		Data   string `json:"cert_data"`
		Chain  struct {
			Issuer string `json:"ca_cert"`
			Root   string `json:"root_cert"`
		} `json:"chain_data"`
	} `json:"user_certificates"`
	Signatures []struct {
		Document string `json:"doc_id"`
		Value    string `json:"signature_value"`
	} `json:"signatures"`
}

// List reads a person's certificates; those that are revoked, expired or suspended are left out.
func (s *SmartCA) List(ctx context.Context, user string) ([]Credential, error) {
	var a smartCAAnswer
	if _, err := s.ask(ctx, "v1/credentials/get_certificate", smartCAQuestion{User: user, Transaction: rand.Text()}, &a); err != nil {
		return nil, err
	}
	var out []Credential
	for _, c := range a.Certificates {
		if c.Data == "" || contains(c.Status, "revok", "expir", "suspend", "inactive", "thu hồi", "hết hạn", "tạm dừng") {
			continue
		}
		credential := Credential{ID: c.Serial, User: user, Mode: Implicit, Bound: true}
		if s.integrated {
			credential.Mode, credential.PIN, credential.OTP = Explicit, true, true
		}
		for _, text := range []string{c.Data, c.Chain.Issuer, c.Chain.Root} {
			if text == "" {
				continue
			}
			cert, err := certificate(text)
			if err != nil {
				return nil, err
			}
			credential.Chain = append(credential.Chain, cert)
		}
		if _, ok := credential.Chain[0].PublicKey.(*rsa.PublicKey); ok {
			credential.Algorithms = []string{oidRSASHA256}
		} else {
			credential.Algorithms = []string{oidECDSASHA256}
		}
		out = append(out, credential)
	}
	return out, nil
}

// Begin sends the digest to the app; or, for an integrated account, has it signed with password and code. The app shows
// Ask.Document, as our screen does.
func (s *SmartCA) Begin(ctx context.Context, c Credential, ask Ask) (Pending, error) {
	switch {
	case len(c.Chain) == 0:
		return nil, fault.New(fault.Forbidden, "remote.certificate", nil)
	case ask.Document == "":
		return nil, errors.New("sign with SmartCA: the document has no code")
	case c.Mode == Explicit && (ask.PIN == "" || ask.OTP == ""):
		return nil, fault.New(fault.Invalid, "remote.consent", nil)
	}
	p := &pendingSmartCA{client: s, transaction: rand.Text(), chain: c.Chain, ask: ask}
	q := smartCAQuestion{
		User: c.User, Serial: c.ID, Transaction: p.transaction, Text: ask.Text, Time: s.clock.Now().UTC().Format("20060102150405Z"),
		Files: []smartCAFile{{hex.EncodeToString(ask.Digest[:]), ask.Document, "pdf", "hash"}},
	}
	if c.Mode == Explicit {
		return s.integratedSign(ctx, p, q)
	}
	var a smartCAAnswer
	if _, err := s.ask(ctx, "v1/signatures/sign", q, &a); err != nil {
		return nil, err
	}
	if a.Transaction != p.transaction {
		return nil, nonsense(fmt.Errorf("the answer is about transaction %.40q", a.Transaction))
	}
	// The status of a request is asked by our number in some installations and by theirs in others.
	p.code = a.Code
	return p, nil
}

// integratedSign gets the authorization with password and code and uses it.
func (s *SmartCA) integratedSign(ctx context.Context, p *pendingSmartCA, q smartCAQuestion) (Pending, error) {
	q.UserSecret, q.OTP = p.ask.PIN, p.ask.OTP
	var grant smartCAAnswer
	if _, err := s.ask(ctx, "v2/signatures/sign", q, &grant); err != nil {
		return nil, err
	}
	if grant.SAD == "" || grant.Transaction != p.transaction {
		return nil, nonsense(errors.New("v2/signatures/sign: there is no SAD for this transaction"))
	}
	var made smartCAAnswer
	if _, err := s.ask(ctx, "v2/signatures/confirm", smartCAQuestion{
		User: q.User, UserSecret: q.UserSecret, Transaction: p.transaction, SAD: grant.SAD,
	}, &made); err != nil {
		return nil, err
	}
	sig, err := p.release(made)
	if err == nil && sig == nil {
		err = nonsense(errors.New("v2/signatures/confirm: there is no signature"))
	}
	return &done{p.transaction, sig}, err
}

// pendingSmartCA waits for the app.
type pendingSmartCA struct {
	client      *SmartCA
	transaction string
	code        string
	chain       []*x509.Certificate
	ask         Ask
	over        bool
}

func (p *pendingSmartCA) ID() string { return p.transaction }

func (p *pendingSmartCA) Poll(ctx context.Context) ([]byte, error) {
	if p.over {
		return nil, fault.New(fault.Conflict, "remote.cancelled", nil)
	}
	id := p.transaction
	if p.code != "" {
		id = p.code
	}
	var a smartCAAnswer
	message, err := p.client.ask(ctx, "v1/signatures/sign/"+url.PathEscape(id)+"/status", smartCAQuestion{}, &a)
	if err != nil {
		return nil, err
	}
	if err := declined(message); err != nil {
		return nil, err
	}
	return p.release(a)
}

// Cancel has no word in the API; the answer is not fetched any more.
func (p *pendingSmartCA) Cancel(context.Context) error {
	p.over = true
	return nil
}

// release verifies what came back; nil when nothing has.
func (p *pendingSmartCA) release(a smartCAAnswer) ([]byte, error) {
	if len(a.Signatures) == 0 {
		return nil, nil
	}
	if len(a.Signatures) != 1 || a.Signatures[0].Document != p.ask.Document {
		return nil, nonsense(fmt.Errorf("%d signatures, the first about document %.40q", len(a.Signatures), a.Signatures[0].Document))
	}
	if a.Signatures[0].Value == "" {
		return nil, nil
	}
	return verified(p.chain, p.ask.Digest, a.Signatures[0].Value)
}

// ask posts one question, once, with the house's account in it, and returns the answer's message.
func (s *SmartCA) ask(ctx context.Context, path string, q smartCAQuestion, into *smartCAAnswer) (string, error) {
	q.ID, q.Password = s.id, s.password
	body, err := json.Marshal(q)
	if err != nil {
		return "", fmt.Errorf("ask SmartCA: %w", err)
	}
	status, data, err := s.post(ctx, path, "application/json", "", body)
	if err != nil {
		return "", err
	}
	var a struct {
		Status  int             `json:"status_code"`
		Message string          `json:"message"`
		Data    json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(data, &a); err != nil && status == http.StatusOK {
		return "", nonsense(errors.New("SmartCA's answer is no JSON"))
	}
	// The body has the status too, and may refuse where HTTP does not.
	if status == http.StatusOK && a.Status != 0 {
		status = a.Status
	}
	if status != http.StatusOK {
		return "", refusedSmartCA(status, a.Message)
	}
	if len(a.Data) > 0 && string(a.Data) != "null" {
		if err := json.Unmarshal(a.Data, into); err != nil {
			return "", nonsense(errors.New("SmartCA's answer has data of another kind"))
		}
	}
	return a.Message, nil
}

// refusedSmartCA reads a status; the message is read for its kind only and never passed on, as it may tell of whom it is.
func refusedSmartCA(status int, message string) error {
	err := fmt.Errorf("SmartCA answers %d", status)
	switch {
	case contains(message, "otp"):
		return fault.Wrap(err, fault.Forbidden, "remote.otp", nil)
	case status == http.StatusUnauthorized:
		return fault.Wrap(err, fault.Unavailable, "remote.account", nil)
	case contains(message, "password", "mật khẩu"):
		return fault.Wrap(err, fault.Forbidden, "remote.pin", nil)
	case status == http.StatusForbidden:
		return fault.Wrap(err, fault.Forbidden, "remote.certificate", nil)
	case status >= 500:
		return fault.Wrap(err, fault.Unavailable, "remote.away", nil)
	}
	if said := declined(message); said != nil {
		return said
	}
	return fault.Wrap(err, fault.Conflict, "remote.refused", fault.Args{"status": strconv.Itoa(status)})
}

// declined tells from a message that the customer said no, or too little time was left.
func declined(message string) error {
	switch {
	case contains(message, "reject", "denied", "declin", "cancel", "từ chối", "hủy"):
		return fault.New(fault.Conflict, "remote.cancelled", nil)
	case contains(message, "expire", "timeout", "time_out", "hết hạn", "quá hạn"):
		return fault.New(fault.Conflict, "remote.late", nil)
	}
	return nil
}

func contains(text string, any ...string) bool {
	text = strings.ToLower(text)
	for _, word := range any {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}
