package api

import (
	"context"
	"encoding/base64"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"countersign/internal/fault"
	"countersign/kiosk"
)

// ToSign is what the customer's own key is to sign.
type ToSign struct {
	Digest string `json:"digest" doc:"SHA-256, hexadecimal"`
}

type prepareOwn struct {
	Authed
	Body struct {
		Order string   `json:"order" doc:"the order that the screen shows; another one is refused"`
		Chain []string `json:"chain" doc:"DER in base64: the customer's certificate, then those of its issuers"`
	}
}

type finishOwn struct {
	Authed
	Body struct {
		Order     string `json:"order"`
		Signature string `json:"signature" doc:"base64: ECDSA in ASN.1, or RSA by PKCS#1 v1.5, over the digest"`
	}
}

// ownRoutes are the two halves of a signature by the customer's own token. The token, its PIN and its key stay with the
// customer's screen.
func (s *Server) ownRoutes(api huma.API) {
	customer(s, api, http.MethodPost, "/v1/display/own/prepare", "prepare-own", "Prepare the order for the key of a certificate on the customer's token", func(ctx context.Context, a kiosk.Actor, in prepareOwn) (ToSign, error) {
		if in.Body.Order == "" || in.Body.Order != a.Order {
			return ToSign{}, fault.New(fault.Conflict, "order.gone", nil)
		}
		chain := make([][]byte, len(in.Body.Chain))
		for i, text := range in.Body.Chain {
			der, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				return ToSign{}, fault.Wrap(err, fault.Invalid, "own.chain", nil)
			}
			chain[i] = der
		}
		digest, err := s.Hall.PrepareOwn(ctx, a, in.Body.Order, chain)
		return ToSign{kiosk.DigestText(digest)}, err
	})
	customer(s, api, http.MethodPost, "/v1/display/own/finish", "finish-own", "Hand in what the customer's token made", func(ctx context.Context, a kiosk.Actor, in finishOwn) (Done, error) {
		if in.Body.Order == "" || in.Body.Order != a.Order {
			return Done{}, fault.New(fault.Conflict, "order.gone", nil)
		}
		signature, err := base64.StdEncoding.DecodeString(in.Body.Signature)
		if err != nil {
			return Done{}, fault.Wrap(err, fault.Conflict, "sign.mismatch", nil)
		}
		_, err = s.Hall.FinishOwn(ctx, a, in.Body.Order, signature)
		return Done{true}, err
	})
}
