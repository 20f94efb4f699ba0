package standin

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
)

// smartCAQuestion is everything that the API's questions hold.
type smartCAQuestion struct {
	ID          string `json:"sp_id"`
	Password    string `json:"sp_password"`
	User        string `json:"user_id"`
	UserSecret  string `json:"password"`
	OTP         string `json:"otp"`
	SAD         string `json:"sad"`
	Serial      string `json:"serial_number"`
	Transaction string `json:"transaction_id"`
	Text        string `json:"transaction_desc"`
	Files       []struct {
		Data     string `json:"data_to_be_signed"`
		Document string `json:"doc_id"`
		SignType string `json:"sign_type"`
	} `json:"sign_files"`
}

func (p *Phone) smartCA(w http.ResponseWriter, path string, body []byte) {
	answer := func(status int, message string, data any) {
		say(w, status, object{"status_code": status, "message": message, "data": data})
	}
	var q smartCAQuestion
	if json.Unmarshal(body, &q) != nil {
		answer(http.StatusBadRequest, "BAD_REQUEST", nil)
		return
	}
	if q.ID != Account || q.Password != Password {
		answer(http.StatusUnauthorized, "SP_CREDENTIAL_INVALID", nil)
		return
	}
	id, status := strings.CutSuffix(strings.TrimPrefix(path, "v1/signatures/sign/"), "/status")
	switch {
	case path == "v1/credentials/get_certificate":
		p.certificates(q, answer)
	case path == "v1/signatures/sign" || path == "v2/signatures/sign":
		p.smartCASign(q, path[:2] == "v2", answer)
	case path == "v2/signatures/confirm":
		r := p.sads[q.SAD]
		if r == nil || r.id != q.Transaction || q.UserSecret != PIN {
			answer(http.StatusBadRequest, "BAD_REQUEST", nil)
			return
		}
		delete(p.sads, q.SAD)
		answer(http.StatusOK, "Success", p.signatures(r))
	case strings.HasPrefix(path, "v1/signatures/sign/") && status:
		p.smartCAStatus(id, answer)
	default:
		answer(http.StatusNotFound, "BAD_REQUEST", nil)
	}
}

func (p *Phone) certificates(q smartCAQuestion, answer func(int, string, any)) {
	found := []object{}
	if q.User == p.User {
		chain := object{}
		if len(p.chain) > 1 {
			chain["ca_cert"] = base64.StdEncoding.EncodeToString(p.chain[1].Raw)
		}
		found = append(found, object{
			"service_type": "SMARTCA", "service_name": Label, "cert_status": "ACTIVE", "serial_number": p.chain[0].SerialNumber.Text(16),
			"cert_data": base64.StdEncoding.EncodeToString(p.chain[0].Raw), "chain_data": chain, "transaction_id": q.Transaction,
		})
	}
	answer(http.StatusOK, "Success", object{"user_certificates": found})
}

func (p *Phone) smartCASign(q smartCAQuestion, integrated bool, answer func(int, string, any)) {
	if q.User != p.User || q.Serial != p.chain[0].SerialNumber.Text(16) {
		answer(http.StatusForbidden, "CREDENTIAL_STATUS_INVALID", nil)
		return
	}
	if integrated && q.OTP != OTP {
		answer(http.StatusBadRequest, "OTP_INVALID", nil)
		return
	}
	if integrated && q.UserSecret != PIN {
		answer(http.StatusBadRequest, "USER_PASSWORD_INVALID", nil)
		return
	}
	if len(q.Files) != 1 || q.Files[0].SignType != "hash" || q.Transaction == "" || p.find(q.Transaction) != nil {
		answer(http.StatusBadRequest, "BAD_REQUEST", nil)
		return
	}
	digest, err := hex.DecodeString(q.Files[0].Data)
	if err != nil || len(digest) != sha256.Size {
		answer(http.StatusBadRequest, "BAD_REQUEST", nil)
		return
	}
	r := p.ask(q.Transaction, q.Files[0].Document, q.Text, digest)
	data := object{"transaction_id": r.id, "tran_code": "mo-phong-" + r.id}
	if integrated {
		r.pressed = Approve
		sad := rand.Text()
		p.sads[sad] = r
		data["sad"], data["expired_in"] = sad, 299
	}
	answer(http.StatusOK, "sig_wait_for_user_confirm", data)
}

func (p *Phone) smartCAStatus(id string, answer func(int, string, any)) {
	r := p.find(strings.TrimPrefix(id, "mo-phong-"))
	switch {
	case r == nil:
		answer(http.StatusBadRequest, "BAD_REQUEST", nil)
	case r.pressed == Approve:
		answer(http.StatusOK, "SUCCESS", p.signatures(r))
	case r.pressed == Refuse:
		answer(http.StatusOK, "sig_user_rejected", object{"transaction_id": r.id})
	case p.late(r):
		answer(http.StatusOK, "sig_transaction_expired", object{"transaction_id": r.id})
	default:
		answer(http.StatusOK, "sig_wait_for_user_confirm", object{"transaction_id": r.id})
	}
}

func (p *Phone) signatures(r *request) object {
	return object{"transaction_id": r.id, "signatures": []object{{"doc_id": r.document, "signature_value": p.sign(r), "timestamp_signature": nil}}}
}
