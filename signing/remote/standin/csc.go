package standin

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

const (
	credential = "khoa-mo-phong"
	ecdsaOID   = "1.2.840.10045.4.3.2"
)

// cscQuestion is everything that the API's questions hold.
type cscQuestion struct {
	UserID        string   `json:"userID"`
	CredentialID  string   `json:"credentialID"`
	PIN           string   `json:"PIN"`
	OTP           string   `json:"OTP"`
	SAD           string   `json:"SAD"`
	Hash          []string `json:"hash"`
	SignAlgo      string   `json:"signAlgo"`
	OperationMode string   `json:"operationMode"`
	ResponseID    string   `json:"responseID"`
	Documents     []struct {
		ID   string `json:"document_id"`
		Name string `json:"document_name"`
	} `json:"documents"`
}

// token gives out the house's token, or turns the code that a browser brought back into an authorization.
func (p *Phone) token(w http.ResponseWriter, r *http.Request, body []byte) {
	id, secret, ok := r.BasicAuth()
	if !ok || id != Account || secret != Password {
		say(w, http.StatusUnauthorized, object{"error": "invalid_client", "error_description": Label})
		return
	}
	form, err := url.ParseQuery(string(body))
	token := rand.Text()
	switch {
	case err == nil && form.Get("grant_type") == "client_credentials":
		p.tokens[token] = true
		say(w, http.StatusOK, object{"access_token": token, "token_type": "Bearer", "expires_in": 3600})
	case err == nil && form.Get("grant_type") == "authorization_code":
		bound, ok := p.codes[form.Get("code")]
		delete(p.codes, form.Get("code"))
		if !ok {
			say(w, http.StatusBadRequest, object{"error": "invalid_grant", "error_description": Label})
			return
		}
		p.grants[token] = bound
		say(w, http.StatusOK, object{"access_token": token, "token_type": "SAD", "expires_in": 300})
	default:
		say(w, http.StatusBadRequest, object{"error": "unsupported_grant_type", "error_description": Label})
	}
}

// authorize plays the customer's browser: they log in, agree, and are sent back with a code for this one digest.
func (p *Phone) authorize(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	digest, bad := base64.RawURLEncoding.DecodeString(q.Get("hashes"))
	if err != nil || bad != nil || q.Get("client_id") != Account || q.Get("scope") != "credential" || q.Get("credentialID") != credential || len(digest) != sha256.Size {
		http.Error(w, Label, http.StatusBadRequest)
		return
	}
	answer := url.Values{"state": {q.Get("state")}}
	if p.always == Refuse {
		answer.Set("error", "access_denied")
	} else {
		code := rand.Text()
		p.codes[code] = base64.StdEncoding.EncodeToString(digest)
		answer.Set("code", code)
	}
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// Expire ends all tokens that were given out.
func (p *Phone) Expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.tokens)
}

func (p *Phone) csc(w http.ResponseWriter, r *http.Request, method string, body []byte) {
	refuse := func(status int, code string) {
		say(w, status, object{"error": code, "error_description": Label})
	}
	bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if bearer != Bearer && !p.tokens[bearer] {
		refuse(http.StatusUnauthorized, "invalid_token")
		return
	}
	var q cscQuestion
	if json.Unmarshal(body, &q) != nil {
		refuse(http.StatusBadRequest, "invalid_request")
		return
	}
	switch method {
	case "credentials/list":
		ids := []string{}
		if q.UserID == p.User {
			ids = append(ids, credential)
		}
		say(w, http.StatusOK, object{"credentialIDs": ids})
	case "credentials/info":
		certs := []string{}
		for _, c := range p.chain {
			certs = append(certs, base64.StdEncoding.EncodeToString(c.Raw))
		}
		mode := "implicit"
		if p.Browser {
			mode = "oauth2code"
		}
		say(w, http.StatusOK, object{
			"description": Label, "key": object{"status": "enabled", "algo": []string{ecdsaOID}},
			"cert": object{"status": "valid", "certificates": certs}, "authMode": mode, "SCAL": "2",
		})
	case "signatures/signHash":
		p.cscSign(w, q, refuse)
	case "signatures/signPolling":
		p.cscPoll(w, q, refuse)
	default:
		refuse(http.StatusNotFound, "invalid_request")
	}
}

func (p *Phone) cscSign(w http.ResponseWriter, q cscQuestion, refuse func(int, string)) {
	if len(q.Hash) != 1 || len(q.Documents) != 1 || q.CredentialID != credential || q.SignAlgo != ecdsaOID || (q.OperationMode == "A") == p.Browser {
		refuse(http.StatusBadRequest, "invalid_request")
		return
	}
	digest, err := base64.StdEncoding.DecodeString(q.Hash[0])
	if err != nil || len(digest) != sha256.Size {
		refuse(http.StatusBadRequest, "invalid_request")
		return
	}
	if p.Browser && p.grants[q.SAD] != q.Hash[0] {
		refuse(http.StatusBadRequest, "invalid_request")
		return
	}
	asked := p.ask(rand.Text(), q.Documents[0].ID, q.Documents[0].Name, digest)
	if p.Browser {
		delete(p.grants, q.SAD)
		asked.pressed = Approve
		say(w, http.StatusOK, object{"signatures": []string{p.sign(asked)}})
		return
	}
	say(w, http.StatusOK, object{"responseID": asked.id})
}

func (p *Phone) cscPoll(w http.ResponseWriter, q cscQuestion, refuse func(int, string)) {
	r := p.find(q.ResponseID)
	switch {
	case r == nil:
		refuse(http.StatusBadRequest, "invalid_request")
	case r.pressed == Refuse:
		refuse(http.StatusBadRequest, "access_denied")
	case r.pressed == Approve:
		say(w, http.StatusOK, object{"signatures": []string{p.sign(r)}, "documents": []object{{"document_id": r.document}}})
	case p.late(r):
		refuse(http.StatusBadRequest, "expired_request")
	default:
		say(w, http.StatusAccepted, object{})
	}
}
