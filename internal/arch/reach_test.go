package arch

import (
	"go/ast"
	"slices"
	"testing"
)

// reaches are names of other packages whose use is a right that few packages have.
var reaches = []struct {
	what   string
	names  map[string][]string // by import path; nil means every name
	owners []string
}{
	{
		"opens network connections",
		map[string][]string{
			"net":                            {"Dial", "DialTimeout", "DialTCP", "DialUDP", "DialUnix", "DialIP", "Dialer", "Resolver", "LookupHost", "LookupIP", "LookupMX", "LookupTXT"},
			"net/http":                       {"Client", "DefaultClient", "Get", "Head", "Post", "PostForm", "Transport", "NewRequest", "NewRequestWithContext"},
			"crypto/tls":                     {"Dial", "DialWithDialer", "Dialer", "Client"},
			"net/smtp":                       nil,
			"github.com/emersion/go-smtp":    {"Dial", "DialTLS", "DialStartTLS", "NewClient", "NewClientStartTLS"},
			"github.com/emersion/go-imap/v2": nil,
		},
		[]string{"mail/", "signing/tsa", "signing/revoke", "signing/remote/", "internal/api", "internal/backoffice", "internal/sealer", "internal/demo", "internal/bench", "cmd/"},
	},
	{
		"waits for network connections",
		map[string][]string{"net": {"Listen", "ListenTCP", "ListenUnix", "ListenPacket", "ListenUDP", "ListenConfig", "FileListener"}, "net/http": {"ListenAndServe", "ListenAndServeTLS"}},
		[]string{"internal/demo", "internal/bench", "mail/mailtest", "cmd/"},
	},
	{
		// The authority makes its own two keys once, at the founding, and hands them to signing/key. The stand-in for a
		// provider of remote signatures has a customer's key, as the provider would.
		"makes or decodes private keys",
		map[string][]string{
			"crypto/ecdsa":   {"GenerateKey", "ParseRawPrivateKey"},
			"crypto/rsa":     {"GenerateKey", "GenerateMultiPrimeKey"},
			"crypto/ed25519": {"GenerateKey", "NewKeyFromSeed"},
			"crypto/ecdh":    nil,
			"crypto/x509":    {"ParsePKCS8PrivateKey", "ParsePKCS1PrivateKey", "ParseECPrivateKey", "MarshalPKCS8PrivateKey", "MarshalPKCS1PrivateKey", "MarshalECPrivateKey"},
		},
		[]string{"signing/key", "signing/ca", "signing/remote/standin", "signing/signtest", "mail/mailtest", "internal/bench"},
	},
	{
		// signing/seal opens the seals' keys by name, once the intent is written; the one-off key of a customer is
		// made and destroyed inside signing's Ceremony; internal/service opens those of authority, stamps and journal.
		"uses the store of private keys",
		map[string][]string{module + "signing/key": nil},
		[]string{"signing", "signing/seal", "signing/signtest", "internal/service", "internal/sealer", "internal/bench"},
	},
	{
		"signs",
		map[string][]string{module + "signing/cms": {"Sign", "SignContent"}},
		[]string{"signing", "signing/tsa", "signing/signtest", "internal/bench"},
	},
	{
		// Rules and records are told what time it is; terminals, stand-ins and the deadlines of
		// connections go by the wall.
		"reads the machine's clock",
		map[string][]string{"time": {"Now", "Since", "Until"}},
		[]string{"internal/clock", "internal/tui/", "internal/api", "internal/backoffice", "internal/demo", "internal/bench", "mail/outbox", "mail/mailtest", "cmd/"},
	},
	{
		// Programs end in main only, after everything was closed.
		"ends the process",
		map[string][]string{"os": {"Exit"}, "log": {"Fatal", "Fatalf", "Fatalln"}},
		[]string{"cmd/", "internal/bench"},
	},
}

func TestFewPackagesReachOutside(t *testing.T) {
	for _, s := range sources(t).all {
		if s.test {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			pkg, name := s.selector(n)
			if pkg == "" {
				return true
			}
			for _, rule := range reaches {
				names, watched := rule.names[pkg]
				if watched && (names == nil || slices.Contains(names, name)) && !under(s.dir, rule.owners...) {
					t.Errorf("%s: %s.%s: only %v %s", s.path, pkg, name, rule.owners, rule.what)
				}
			}
			return true
		})
	}
}

// TestTestsDoNotSleep: a test waits for what it waits for, not for a while.
func TestTestsDoNotSleep(t *testing.T) {
	all := sources(t)
	for _, s := range all.all {
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if pkg, name := s.selector(n); pkg == "time" && name == "Sleep" {
				t.Errorf("%s sleeps", all.files.Position(n.Pos()))
			}
			return true
		})
	}
}
