package revoke

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
)

// Responder answers for an authority.
type Responder interface {
	// Reply answers an OCSP request in DER.
	Reply(ctx context.Context, query []byte) []byte
	// CRL signs the authority's list as it is now.
	CRL(ctx context.Context) ([]byte, error)
}

// ListType is the media type of a revocation list (RFC 5280 §4.2.1.13).
const ListType = "application/pkix-crl"

// Serve answers OCSP requests by POST and GET (RFC 6960 appendix A), and GET of a path that ends in .crl with the
// authority's list. A GET's path ends in /ocsp/ and the request in base64, or only in the request.
func Serve(r Responder) http.Handler { return served{r} }

type served struct{ Responder }

// maxQuery bounds a request: one about one certificate has a few hundred bytes.
const maxQuery = 8 << 10

func (s served) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var query []byte
	var err error
	switch {
	case r.Method == http.MethodGet && path.Ext(r.URL.Path) == ".crl":
		s.list(w, r)
		return
	case r.Method == http.MethodPost:
		query, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxQuery))
	case r.Method == http.MethodGet:
		query, err = inPath(r.URL.EscapedPath())
	default:
		http.Error(w, "post an application/ocsp-request", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/ocsp-response")
	if err != nil {
		const malformedRequest = 1
		w.Write(Refusal(malformedRequest))
		return
	}
	answer := s.Reply(r.Context(), query)
	if r.Method == http.MethodGet {
		setAnswerHeaders(w.Header(), answer)
	}
	w.Write(answer)
}

// inPath reads the request out of a GET's path. Some clients leave the slashes of base64 as they are.
func inPath(escaped string) ([]byte, error) {
	text := path.Base(escaped)
	if _, after, ok := strings.Cut(escaped, "/ocsp/"); ok {
		text = after
	}
	if len(text) > 2*maxQuery {
		return nil, malformed("the request is too long")
	}
	text, err := url.PathUnescape(text)
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(text)
}

// setAnswerHeaders lets proxies keep an answer for as long as it is good (RFC 5019 §6.2), unless it has a nonce: then it
// answers one question only.
func setAnswerHeaders(h http.Header, answer []byte) {
	r, err := ParseOCSP(answer)
	if err != nil || r.Nonce != nil || len(r.singles) != 1 {
		h.Set("Cache-Control", "no-store")
		return
	}
	cache(h, answer, r.singles[0].this, r.singles[0].next, r.Produced)
}

// SetListHeaders lets proxies keep a list until the next one is due.
func SetListHeaders(h http.Header, der []byte, now time.Time) {
	l, err := ParseCRL(der)
	if err != nil {
		h.Set("Cache-Control", "no-store")
		return
	}
	cache(h, der, l.list.ThisUpdate, l.list.NextUpdate, now)
}

func cache(h http.Header, body []byte, this, next, now time.Time) {
	digest := sha256.Sum256(body)
	h.Set("ETag", `"`+hex.EncodeToString(digest[:])+`"`)
	h.Set("Last-Modified", this.UTC().Format(http.TimeFormat))
	if next.IsZero() {
		return
	}
	h.Set("Expires", next.UTC().Format(http.TimeFormat))
	h.Set("Cache-Control", "max-age="+strconv.Itoa(max(0, int(next.Sub(now)/time.Second)))+", public, no-transform, must-revalidate")
}

func (s served) list(w http.ResponseWriter, r *http.Request) {
	list, err := s.CRL(r.Context())
	if err != nil {
		http.Error(w, "the list can't be made", http.StatusInternalServerError)
		return
	}
	if l, err := ParseCRL(list); err == nil {
		SetListHeaders(w.Header(), list, l.list.ThisUpdate)
	}
	w.Header().Set("Content-Type", ListType)
	w.Write(list)
}
