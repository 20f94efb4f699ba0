package standin

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
)

// mssQuestion is what the stand-in reads of a mobile signature service's questions.
type mssQuestion struct {
	Body struct {
		Sign   *mssAsk `xml:"MSS_SignatureReq"`
		Status *mssAsk `xml:"MSS_StatusReq"`
	} `xml:"Body"`
}

type mssAsk struct {
	Transaction string `xml:"MSSP_TransID,attr"`
	AP          struct {
		ID          string `xml:"AP_ID,attr"`
		Password    string `xml:"AP_PWD,attr"`
		Transaction string `xml:"AP_TransID,attr"`
	} `xml:"AP_Info"`
	Number    string `xml:"MobileUser>MSISDN"`
	Signed    string `xml:"DataToBeSigned"`
	Displayed string `xml:"DataToBeDisplayed"`
}

// mss plays a mobile signature service (ETSI TS 102 204).
func (p *Phone) mss(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "application/soap+xml; charset=utf-8")
	var q mssQuestion
	if xml.Unmarshal(body, &q) != nil || q.Body.Sign == nil && q.Body.Status == nil {
		mssFault(w, 101)
		return
	}
	kind, ask := "MSS_SignatureResp", q.Body.Sign
	if ask == nil {
		kind, ask = "MSS_StatusResp", q.Body.Status
	}
	if ask.AP.ID != Account || ask.AP.Password != Password {
		mssFault(w, 104)
		return
	}
	if kind == "MSS_StatusResp" {
		p.mssStatus(w, ask)
		return
	}
	digest, err := base64.StdEncoding.DecodeString(strings.TrimSpace(ask.Signed))
	if err != nil || len(digest) != sha256.Size {
		mssFault(w, 101)
		return
	}
	if ask.Number != p.User {
		mssFault(w, 105)
		return
	}
	document, text, _ := strings.Cut(ask.Displayed, " ")
	r := p.ask(rand.Text(), document, text, digest)
	mssSay(w, kind, r.id, ask.AP.Transaction, 100, "")
}

func (p *Phone) mssStatus(w http.ResponseWriter, ask *mssAsk) {
	r := p.find(ask.Transaction)
	code, signature := 504, ""
	switch {
	case r == nil:
		mssFault(w, 101)
		return
	case r.pressed == Approve:
		code, signature = 502, p.sign(r)
	case r.pressed == Refuse:
		mssFault(w, 401)
		return
	case p.late(r):
		mssFault(w, 208)
		return
	}
	mssSay(w, "MSS_StatusResp", r.id, ask.AP.Transaction, code, signature)
}

const mssEnvelope = `<?xml version="1.0" encoding="UTF-8"?>
<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:mss="http://uri.etsi.org/TS102204/v1.1.2#"><e:Body>%s</e:Body></e:Envelope>`

func mssSay(w http.ResponseWriter, kind, id, own string, code int, signature string) {
	if signature != "" {
		signature = "<mss:MSS_Signature><mss:Base64Signature>" + signature + "</mss:Base64Signature></mss:MSS_Signature>"
	}
	var quoted strings.Builder
	// A builder takes everything.
	_ = xml.EscapeText(&quoted, []byte(own))
	body := fmt.Sprintf(`<mss:%[1]s MajorVersion="1" MinorVersion="1" MSSP_TransID="%[2]s"><mss:AP_Info AP_ID="%[3]s" AP_TransID="%[4]s"/>%[5]s<mss:Status>`+
		`<mss:StatusCode Value="%[6]d"/><mss:StatusMessage>%[7]s</mss:StatusMessage></mss:Status></mss:%[1]s>`, kind, id, Account, quoted.String(), signature, code, Label)
	fmt.Fprintf(w, mssEnvelope, body)
}

func mssFault(w http.ResponseWriter, code int) {
	w.WriteHeader(http.StatusInternalServerError)
	body := fmt.Sprintf(`<e:Fault><e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>mss:_%d</e:Value></e:Subcode></e:Code>`+
		`<e:Reason><e:Text xml:lang="vi">%s</e:Text></e:Reason></e:Fault>`, code, Label)
	fmt.Fprintf(w, mssEnvelope, body)
}
