package service

import (
	"errors"

	"countersign/signing/key"
)

// Tokens lists the tokens that PKCS#11 modules reach now. What could be read is returned beside the error for the rest.
func Tokens(modules []string) ([]key.Token, error) {
	tokens := key.OpenTokens(modules...)
	list, err := tokens.List()
	return list, errors.Join(err, tokens.Close())
}
