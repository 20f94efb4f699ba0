package remote_test

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// label stands in everything that the stand-in says of itself.
const label = "MÔ PHỎNG: nhà cung cấp ký số từ xa để thử, không có thật"

// tricky is a provider that speaks the API over a socket and can be made to misbehave. It keeps its own rules: bearer, PIN,
// code, an authorization for one digest and one use, a confirmation in the app.
type tricky struct {
	t       *testing.T
	private crypto.Signer
	chain   []*x509.Certificate
	mode    string
	algo    []string

	mu       sync.Mutex
	calls    []string
	sads     map[string]string // digest by authorization
	waiting  *request          // for the app
	answer   string            // what the customer pressed in the app: "", "yes", "no"
	tweak    func(method string, w http.ResponseWriter) bool
	release  func(sig []byte) []byte
	document string // told in the answer in place of the true one
	polled   chan struct{}
}

// request is everything that the API's questions hold.
type request struct {
	UserID        string   `json:"userID"`
	PageToken     string   `json:"pageToken"`
	CredentialID  string   `json:"credentialID"`
	PIN           string   `json:"PIN"`
	OTP           string   `json:"OTP"`
	SAD           string   `json:"SAD"`
	Hash          []string `json:"hash"`
	HashAlgo      string   `json:"hashAlgo"`
	SignAlgo      string   `json:"signAlgo"`
	NumSignatures int      `json:"numSignatures"`
	OperationMode string   `json:"operationMode"`
	ResponseID    string   `json:"responseID"`
	Documents     []struct {
		ID   string `json:"document_id"`
		Name string `json:"document_name"`
	} `json:"documents"`
}

type object map[string]any

func (s *tricky) serve() string {
	s.sads, s.polled = map[string]string{}, make(chan struct{}, 1000)
	server := httptest.NewServer(s)
	s.t.Cleanup(server.Close)
	return server.URL + "/csc/v1/"
}

func (s *tricky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	method := strings.TrimPrefix(r.URL.Path, "/csc/v1/")
	s.calls = append(s.calls, method)
	w.Header().Set("Content-Type", "application/json")
	if r.Method != http.MethodPost || r.Header.Get("Authorization") != "Bearer thử" {
		s.refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	if s.tweak != nil && s.tweak(method, w) {
		return
	}
	var q request
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		s.refuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	switch method {
	case "credentials/list":
		s.list(w, q)
	case "credentials/info":
		s.info(w, q)
	case "credentials/sendOTP":
		w.WriteHeader(http.StatusNoContent)
	case "credentials/authorize":
		s.authorize(w, q)
	case "signatures/signHash":
		s.sign(w, q)
	case "signatures/signPolling":
		s.poll(w, q)
	default:
		s.refuse(w, http.StatusNotFound, "invalid_request")
	}
}

func (s *tricky) say(w http.ResponseWriter, status int, o object) {
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(o); err != nil {
		s.t.Error(err)
	}
}

func (s *tricky) refuse(w http.ResponseWriter, status int, code string) {
	s.say(w, status, object{"error": code, "error_description": label})
}

func (s *tricky) list(w http.ResponseWriter, q request) {
	if q.UserID != "CCCD_001190000001" {
		s.say(w, 200, object{"credentialIDs": []string{}})
		return
	}
	if q.PageToken == "" {
		s.say(w, 200, object{"credentialIDs": []string{"khoa-1"}, "nextPageToken": "trang-2"})
		return
	}
	s.say(w, 200, object{"credentialIDs": []string{"khoa-2"}})
}

func (s *tricky) info(w http.ResponseWriter, q request) {
	status := "enabled"
	if q.CredentialID != "khoa-1" {
		status = "disabled"
	}
	certs := []string{}
	for _, c := range s.chain {
		certs = append(certs, base64.StdEncoding.EncodeToString(c.Raw))
	}
	s.say(w, 200, object{
		"description": label, "key": object{"status": status, "algo": s.algo},
		"cert":     object{"status": "valid", "certificates": certs},
		"authMode": s.mode, "SCAL": "2", "PIN": object{"presence": "true"}, "OTP": object{"presence": "true", "type": "online"},
	})
}

func (s *tricky) authorize(w http.ResponseWriter, q request) {
	switch {
	case q.PIN != "246810":
		s.refuse(w, http.StatusBadRequest, "invalid_pin")
	case q.OTP != "135791":
		s.refuse(w, http.StatusBadRequest, "invalid_otp")
	case len(q.Hash) != 1 || q.NumSignatures != 1 || s.mode != "explicit":
		s.refuse(w, http.StatusBadRequest, "invalid_request")
	default:
		sad := rand.Text()
		s.sads[sad] = q.Hash[0]
		s.say(w, 200, object{"SAD": sad, "expiresIn": 300})
	}
}

func (s *tricky) sign(w http.ResponseWriter, q request) {
	if len(q.Hash) != 1 || !slices.Contains(s.algo, q.SignAlgo) || len(q.Documents) != 1 {
		s.refuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	if q.OperationMode == "A" && s.mode == "implicit" {
		s.waiting = &q
		s.say(w, 200, object{"responseID": "cho-1"})
		return
	}
	if bound, ok := s.sads[q.SAD]; !ok || bound != q.Hash[0] {
		s.refuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	delete(s.sads, q.SAD)
	s.made(w, q)
}

func (s *tricky) poll(w http.ResponseWriter, q request) {
	s.polled <- struct{}{}
	switch {
	case s.waiting == nil || q.ResponseID != "cho-1":
		s.refuse(w, http.StatusBadRequest, "invalid_request")
	case s.answer == "no":
		s.refuse(w, http.StatusBadRequest, "access_denied")
	case s.answer == "yes":
		s.made(w, *s.waiting)
	default:
		s.say(w, http.StatusAccepted, object{})
	}
}

func (s *tricky) made(w http.ResponseWriter, q request) {
	digest, err := base64.StdEncoding.DecodeString(q.Hash[0])
	if err != nil || len(digest) != sha256.Size {
		s.refuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	sig, err := s.private.Sign(rand.Reader, digest, crypto.SHA256)
	if err != nil {
		s.t.Error(err)
	}
	if s.release != nil {
		sig = s.release(sig)
	}
	id := q.Documents[0].ID
	if s.document != "" {
		id = s.document
	}
	s.say(w, 200, object{"signatures": []string{base64.StdEncoding.EncodeToString(sig)}, "documents": []object{{"document_id": id}}})
}

// press is what the customer does in the app, once somebody has looked for it.
func (s *tricky) press(answer string) {
	<-s.polled
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *tricky) count(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, c := range s.calls {
		if c == method {
			n++
		}
	}
	return n
}
