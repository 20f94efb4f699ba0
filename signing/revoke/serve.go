package revoke

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"path"
)

// Responder answers for an authority.
type Responder interface {
	// Reply answers an OCSP request in DER.
	Reply(ctx context.Context, query []byte) []byte
	// CRL signs the authority's list as it is now.
	CRL(ctx context.Context) ([]byte, error)
}

// Serve answers OCSP requests by POST and GET (RFC 6960 appendix A), and GET of a path that ends in .crl with the
// authority's list.
func Serve(r Responder) http.Handler { return served{r} }

type served struct{ Responder }

func (s served) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var query []byte
	var err error
	switch {
	case r.Method == http.MethodGet && path.Ext(r.URL.Path) == ".crl":
		s.list(w, r)
		return
	case r.Method == http.MethodPost:
		query, err = io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	case r.Method == http.MethodGet:
		var text string
		if text, err = url.PathUnescape(path.Base(r.URL.EscapedPath())); err == nil {
			query, err = base64.StdEncoding.DecodeString(text)
		}
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
	w.Write(s.Reply(r.Context(), query))
}

func (s served) list(w http.ResponseWriter, r *http.Request) {
	list, err := s.CRL(r.Context())
	if err != nil {
		http.Error(w, "the list can't be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/pkix-crl")
	w.Write(list)
}
