package otp

import (
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"io"
	"strings"
	"time"

	"countersign/internal/fault"
)

const (
	// appSecretLen is 80 bits, 16 base32 characters: what RFC 4226's first apps used, and short enough for the QR code.
	appSecretLen = 10
	// uriMax is what a version 4 QR code holds at level L in bytes, so that it fits 24 rows of a terminal with its quiet zone.
	uriMax = 78
	issuer = "CS"
)

var base32Plain = base32.StdEncoding.WithPadding(base32.NoPadding)

// Enrol draws the secret of a new authenticator app. It is kept sealed, never in the clear.
func Enrol(rand io.Reader) ([]byte, error) {
	secret := make([]byte, appSecretLen)
	if _, err := io.ReadFull(rand, secret); err != nil {
		return nil, fmt.Errorf("draw the secret of an authenticator app: %w", err)
	}
	return secret, nil
}

// URI is the text of the enrolment QR code, at most 78 bytes. SHA-1, six digits and 30 seconds are every app's defaults
// and are left out. The account is shown in the app: letters, digits, dot, dash, underline, at most 36 of them.
func URI(account string, secret []byte) (string, error) {
	if len(secret) != appSecretLen {
		return "", fmt.Errorf("enrol an authenticator app: the secret has %d bytes, not %d", len(secret), appSecretLen)
	}
	for _, r := range account {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r)) {
			return "", fmt.Errorf("enrol an authenticator app: %q can't stand in the account's name", r)
		}
	}
	uri := "otpauth://totp/" + issuer + ":" + account + "?secret=" + base32Plain.EncodeToString(secret)
	if account == "" || len(uri) > uriMax {
		return "", fmt.Errorf("enrol an authenticator app: the code's text would have %d bytes, at most %d fit", len(uri), uriMax)
	}
	return uri, nil
}

// Confirm checks the first code of a newly enrolled app and returns its step, which becomes the enrolment's last step.
func Confirm(code string, secret []byte, drift int, now time.Time) (int64, error) {
	step, err := match(code, secret, drift, now)
	if err != nil {
		return 0, err
	}
	if step == 0 {
		return 0, fault.New(fault.Invalid, "otp.enrol", nil)
	}
	return step, nil
}

// checkApp is Check for an authenticator app: the code's step must be later than any that was accepted before.
func (c *Challenge) checkApp(code string, secret []byte, now time.Time) error {
	step, err := match(code, secret, c.Drift, now)
	if err != nil {
		return fmt.Errorf("check challenge %s: %w", c.ID, err)
	}
	if step == 0 {
		return c.miss(now, "otp.wrong")
	}
	if step <= c.LastStep {
		return c.miss(now, "otp.replayed")
	}
	c.LastStep = step
	c.end(Used, now)
	return nil
}

// match returns the step (RFC 6238 section 4.2) whose code this is, 0 when there is none. All candidates are computed whatever the outcome; the
// latest step wins, should two have the same code.
func match(code string, secret []byte, drift int, now time.Time) (int64, error) {
	if len(secret) < appSecretLen {
		return 0, fmt.Errorf("the app's secret has %d bytes, not %d", len(secret), appSecretLen)
	}
	middle := now.Unix() / int64(Period/time.Second)
	found := int64(0)
	for d := -drift; d <= drift; d++ {
		step := middle + int64(d)
		if step <= 0 {
			continue
		}
		want, err := hotpCode(secret, uint64(step))
		if err != nil {
			return 0, fmt.Errorf("derive the app's code: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(code), []byte(want)) == 1 {
			found = step
		}
	}
	return found, nil
}
