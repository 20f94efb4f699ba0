package kiosk

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"unicode"

	"golang.org/x/crypto/argon2"

	"countersign/internal/fault"
)

// PasswordCost is what one guess costs an attacker who has the database (argon2id, RFC 9106).
type PasswordCost struct {
	MemoryKiB uint32
	Passes    uint32
	Threads   uint8
}

// StaffCost is the cost for staff: 64 MiB, three passes.
var StaffCost = PasswordCost{MemoryKiB: 64 * 1024, Passes: 3, Threads: 1}

const (
	saltBytes = 16
	hashBytes = 32
	minLength = 8
)

// CheckPassword refuses a password that lacks a class of characters or is too short, naming what is missing
// (mission row T-F17: letters in both cases, digits, special characters, eight characters or more).
func CheckPassword(p string) error {
	var upper, lower, digit, special bool
	for _, r := range p {
		switch {
		case unicode.IsUpper(r):
			upper = true
		case unicode.IsLower(r):
			lower = true
		case unicode.IsDigit(r):
			digit = true
		default:
			special = true
		}
	}
	var missing []string
	for _, class := range []struct {
		there bool
		word  string
	}{{upper, "password.upper"}, {lower, "password.lower"}, {digit, "password.digit"}, {special, "password.special"}, {len([]rune(p)) >= minLength, "password.length"}} {
		if !class.there {
			missing = append(missing, class.word)
		}
	}
	if missing == nil {
		return nil
	}
	return fault.New(fault.Invalid, "password.lacks", fault.Args{"missing": "@" + strings.Join(missing, ",")})
}

// CheckUnlockCode refuses anything but six digits that are neither one digit repeated nor a straight row.
func CheckUnlockCode(c string) error {
	if len(c) != 6 || strings.Trim(c, "0123456789") != "" {
		return fault.New(fault.Invalid, "unlock.form", nil)
	}
	if strings.Count(c, c[:1]) == 6 || strings.Contains("0123456789", c) || strings.Contains("9876543210", c) {
		return fault.New(fault.Invalid, "unlock.weak", nil)
	}
	return nil
}

// Hash returns the argon2id hash of a secret in PHC string form.
func (c PasswordCost) Hash(secret string, rand io.Reader) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(rand, salt); err != nil {
		return "", fmt.Errorf("draw a salt: %w", err)
	}
	sum := argon2.IDKey([]byte(secret), salt, c.Passes, c.MemoryKiB, c.Threads, hashBytes)
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.MemoryKiB, c.Passes, c.Threads,
		enc.EncodeToString(salt), enc.EncodeToString(sum)), nil
}

// Matches reports whether secret has the given hash. It takes as long for a hash that can't be read.
func (c PasswordCost) Matches(hash, secret string) bool {
	var version int
	cost := c
	parts := strings.Split(hash, "$")
	salt, want := make([]byte, saltBytes), make([]byte, hashBytes)
	readable := false
	if len(parts) == 6 && parts[1] == "argon2id" {
		_, err1 := fmt.Sscanf(parts[2], "v=%d", &version)
		_, err2 := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &cost.MemoryKiB, &cost.Passes, &cost.Threads)
		s, err3 := base64.RawStdEncoding.DecodeString(parts[4])
		w, err4 := base64.RawStdEncoding.DecodeString(parts[5])
		if err1 == nil && err2 == nil && err3 == nil && err4 == nil && version == argon2.Version && len(w) == hashBytes {
			salt, want, readable = s, w, true
		}
	}
	sum := argon2.IDKey([]byte(secret), salt, cost.Passes, cost.MemoryKiB, cost.Threads, hashBytes)
	return subtle.ConstantTimeCompare(sum, want) == 1 && readable
}
