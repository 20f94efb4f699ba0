// Package config is what an operator may choose: one TOML file, over it environment variables, over these flags.
//
// Every key is a field of Config; its tags hold its name, its default and what docs/config.md says of it, so that there
// is one place to look and to change. The zero value works: a server on this machine alone, without mail, timestamps,
// back office and printing. An unknown key is refused by its name. Secrets are never values here, only names of files
// that hold them, and so a Config can be printed. Relative paths in the file start at its folder. Start reading at
// Config and Load.
package config

import (
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"countersign/internal/fault"
)

// Config is the whole configuration. The tags are explained in fields.go.
type Config struct {
	Data struct {
		Dir string `koanf:"dir" default:"data" is:"path" doc:"The data directory: database, sealed keys, certificates. One server at a time uses it."`
	} `koanf:"data" doc:"Where the records lie."`
	Key struct {
		File           string `koanf:"file" default:"countersign.key" is:"path" doc:"The key file that opens the records. Keep it outside the data directory and back it up elsewhere: without it nothing can be read again."`
		PassphraseFile string `koanf:"passphrase_file" is:"path" doc:"File with the passphrase of the key file, in one line; no other user may read it."`
	} `koanf:"key" doc:"What opens the records."`
	Server struct {
		Listen       string `koanf:"listen" default:"127.0.0.1:8780" doc:"Address and port of the service. On an address that other machines reach, TLS is required."`
		TLSCert      string `koanf:"tls_cert" is:"path" doc:"Certificate chain in PEM, the server's first."`
		TLSKey       string `koanf:"tls_key" is:"path" doc:"Private key of the certificate in PEM; no other user may read it."`
		Certificates string `koanf:"staff_certificates" default:"off" one:"off required" doc:"Whether terminals must show a staff certificate at the TLS handshake: one of a list in trust.staff, not revoked, not reported lost. The terminals name theirs with --cert and --cert-key."`
	} `koanf:"server" doc:"How the terminals reach the service."`
	Units  []Unit `koanf:"units" doc:"The units that this service serves: one [[units]] table each. Only the file can set them."`
	Tokens struct {
		Modules []string `koanf:"modules" doc:"PKCS#11 modules of the tokens that may be plugged in, as absolute paths: /usr/lib/softhsm/libsofthsm2.so. Each maker has its own; admin token list shows what they reach."`
		Process string   `koanf:"process" default:"apart" one:"apart inside" doc:"Where a module runs. Apart: in a process of its own, so that one that crashes takes nothing with it. Inside: in the service, for a module that bears no other process."`
	} `koanf:"tokens" doc:"Keys on tokens, cards and boxes, reached by PKCS#11."`
	Remotes  []Remote `koanf:"remotes" doc:"The providers with whom customers or staff have keys: one [[remotes]] table each. Only the file can set them."`
	Services struct {
		Dir string `koanf:"dir" is:"path" doc:"Folder with the organisation's own services and newer tables such as data/holidays.yaml; see services.md. Empty: the built-in ones only."`
	} `koanf:"services" doc:"The services that the counters offer."`
	Fonts struct {
		CJK string `koanf:"cjk" is:"path" doc:"TrueType file with Chinese characters, for services in Chinese. Debian's package fonts-droid-fallback has one."`
	} `koanf:"fonts" doc:"Fonts of the documents."`
	Mail struct {
		Addr         string `koanf:"addr" doc:"Host and port of the SMTP server that takes our mail. Empty: no codes and no receipts by mail."`
		TLS          string `koanf:"tls" default:"starttls" one:"starttls tls none" doc:"How the connection is protected; none is for a server on this machine."`
		User         string `koanf:"user" doc:"Name at the SMTP server; empty when it asks for none."`
		PasswordFile string `koanf:"password_file" is:"path" doc:"File with the password at the SMTP server; no other user may read it."`
		From         string `koanf:"from" doc:"Our address in every mail, such as quay@dienluc.example."`
	} `koanf:"mail" doc:"Codes and receipts by mail."`
	Helpdesk  Helpdesk  `koanf:"helpdesk" doc:"Support mail: tickets, and the mails that answer them. They leave through the SMTP server of [mail]."`
	Mailboxes []Mailbox `koanf:"mailboxes" doc:"Where support mail is fetched: one [[mailboxes]] table each. Only the file can set them."`
	TSA       struct {
		URLs           []string `koanf:"urls" doc:"Timestamp authorities (RFC 3161), tried in this order. Empty: signatures carry no timestamp (PAdES B-B)."`
		TimeoutSeconds int      `koanf:"timeout_seconds" default:"5" min:"1" max:"30" doc:"How long each of them may take. After the last one the signature goes without a timestamp, and gets it later."`
		Roots          []string `koanf:"roots" is:"path" doc:"PEM files, or folders of them, with the authorities that the timestamps' certificates lead to, unless a list of [trust] has them."`
	} `koanf:"tsa" doc:"Timestamps in signatures."`
	CA struct {
		PublicURL string `koanf:"public_url" doc:"Web address under which others find the status of the house's certificates, such as http://pki.dienluc.example; it is written into certificates from then on. Empty: none is, and only this service can raise files to B-LT."`
		Listen    string `koanf:"listen" doc:"Address and port where the status is served by itself, in clear as is usual for it, such as 0.0.0.0:8781. Empty: only beside the service, under /pki/."`
	} `koanf:"ca" doc:"The house's certificate authority: OCSP responder and revocation lists."`
	Trust struct {
		Public        []string `koanf:"public" is:"path" doc:"PEM files, or folders of them, with licensed public authorities: the national root and those below it."`
		Government    []string `koanf:"government" is:"path" doc:"The same for the state's own service (chuyên dùng công vụ)."`
		Banks         []string `koanf:"banks" is:"path" doc:"The same for banks."`
		Licences      string   `koanf:"licences" is:"path" doc:"JSON file that says which public authority was licensed when: a list of {sha256, name, paper, from, until}. Empty: none is asked for."`
		Staff         []string `koanf:"staff" doc:"Which lists are good for the staff's certificates: own, government, public. Empty: own."`
		WithoutStatus string   `koanf:"without_status" default:"refuse" one:"refuse accept" doc:"What to do with a certificate whose status can't be had: refuse it, or accept it and record that nobody said anything."`
	} `koanf:"trust" doc:"Whose certificates are believed, by who answers for them."`
	Confirm struct {
		CustomerCertificates []string `koanf:"customer_certificates" doc:"With which certificates customers may confirm: own (issued at the counter), public, banks, government, terminal (the counter's, for everybody; a lower rank). Empty: own, public, banks."`
	} `koanf:"confirm" doc:"How customers confirm."`
	BackOffice struct {
		URL       string `koanf:"url" doc:"Where finished orders are handed over. Empty: they wait in the outbox."`
		TokenFile string `koanf:"token_file" is:"path" doc:"File with our token at the back office; no other user may read it."`
	} `koanf:"back_office" doc:"The system behind the counter."`
	Print struct {
		Command []string `koanf:"command" doc:"Command that gets the receipt as PDF on its standard input, such as lp."`
		Dir     string   `koanf:"dir" is:"path" doc:"Folder into which receipts are written instead, when there is no command."`
	} `koanf:"print" doc:"Receipts on paper."`
	Counter struct {
		IdleMinutes int `koanf:"idle_minutes" default:"15" min:"1" max:"60" doc:"After so many minutes without a key on either side the service locks a counter, whatever its terminal does. The terminal itself locks after 3 minutes; its flag --idle changes that."`
	} `koanf:"counter" doc:"The terminals at the counters."`
	OTP struct {
		LifeSeconds int `koanf:"life_seconds" default:"300" min:"60" max:"300" doc:"How long a code that we sent is good."`
		AppDrift    int `koanf:"app_drift" default:"1" min:"0" max:"2" doc:"How many steps of 30 seconds the clock of a customer's authenticator app may be off, each way."`
	} `koanf:"otp" doc:"One-time codes."`
	Seals struct {
		Address string `koanf:"address" doc:"Where the seal service listens when it is a process of its own: unix:/run/countersign/seals.sock, or host:port with TLS. Empty: the service seals itself. With an address every member of staff who asks for seals signs with a key of their own; see operating.md."`
		TLSCert string `koanf:"tls_cert" is:"path" doc:"Our certificate for the connection over the network, from admin link counter."`
		TLSKey  string `koanf:"tls_key" is:"path" doc:"Its private key."`
		TLSRoot string `koanf:"tls_root" is:"path" doc:"The house's root certificate (ca/root.pem in the data directory)."`
	} `koanf:"seals" doc:"The way to a seal service in a process of its own."`
	Sealer struct {
		Dir            string   `koanf:"dir" default:"sealer" is:"path" doc:"The sealer's own data directory: seals, rights, people, the book of use, sealed keys."`
		KeyFile        string   `koanf:"key_file" default:"sealer.key" is:"path" doc:"The key file that opens them. Keep it outside that directory, and away from the counters' service."`
		PassphraseFile string   `koanf:"passphrase_file" is:"path" doc:"File with the passphrase of that key file."`
		Listen         string   `koanf:"listen" default:"unix:seals.sock" doc:"unix:PATH for a Unix socket (a relative path starts at the working directory), or host:port with TLS."`
		Users          []string `koanf:"users" doc:"Numbers of the system users whose processes may speak on the Unix socket, beside the sealer's own user."`
		TLSCert        string   `koanf:"tls_cert" is:"path" doc:"The sealer's certificate for the connection over the network, from admin link sealer."`
		TLSKey         string   `koanf:"tls_key" is:"path" doc:"Its private key."`
		Root           string   `koanf:"root" default:"root.pem" is:"path" doc:"Root certificates that the sealer believes: those of customers, staff, seals and of the connection. Copy it from the counters' ca/root.pem once, by hand."`
		Modules        []string `koanf:"modules" doc:"PKCS#11 modules through which seals' keys on tokens are reached."`
		PINFile        string   `koanf:"pin_file" is:"path" doc:"File with the PIN of the tokens. Empty: the sealer asks for it when it starts."`
	} `koanf:"sealer" doc:"The seal service as a process of its own: countersign sealer. The counters' service reads nothing of it."`
	Screen struct {
		Theme string `koanf:"theme" var:"COUNTERSIGN_THEME" default:"dark" one:"dark light contrast" doc:"Colours of the terminals on this machine, which read the variable."`
		Lang  string `koanf:"lang" var:"COUNTERSIGN_LANG" default:"vi" one:"vi en zh-Hant" doc:"Language of the terminals on this machine, which read the variable; a customer's screen follows the customer."`
	} `koanf:"screen" doc:"How the terminals look."`
}

// Unit is a branch of the organisation.
type Unit struct {
	Code       string   `koanf:"code" doc:"Short code, part of every order number: PA0505."`
	Name       string   `koanf:"name" doc:"Name on documents: Điện lực Mẫu Thử."`
	Parent     string   `koanf:"parent" doc:"The organisation above it, on the line above its name."`
	Place      string   `koanf:"place" doc:"Place in the date line of documents."`
	Hotline    string   `koanf:"hotline" doc:"Telephone number that customers are told."`
	BackOffice string   `koanf:"back_office" doc:"What the clerks call the system behind the counter: CMIS."`
	Counters   []string `koanf:"counters" doc:"Numbers of its counters. Empty: any number."`
}

// Remote is a provider of remote signatures.
type Remote struct {
	Name         string `koanf:"name" doc:"What the screens call it: VNPT SmartCA."`
	Kind         string `koanf:"kind" default:"csc" one:"csc smartca smartca-integrated sim" doc:"How it is spoken to: csc (Cloud Signature Consortium), smartca (VNPT SmartCA, confirmed in the app), smartca-integrated (the same, by password and code), sim (mobile signature service, ETSI TS 102 204)."`
	For          string `koanf:"for" default:"customers" one:"customers staff" doc:"Whose keys it has: customers (a public certificate) or staff (a certificate for official duty, chuyên dùng công vụ)."`
	URL          string `koanf:"url" doc:"Where its interface begins: https://ky.example/csc/v1/."`
	Account      string `koanf:"account" doc:"This house's name there (client_id, sp_id, AP_ID). Empty for csc with a token that never changes."`
	SecretFile   string `koanf:"secret_file" is:"path" doc:"File with the password of the account (client_secret, sp_password, AP_PWD), or with the token that never changes; no other user may read it."`
	TokenURL     string `koanf:"token_url" doc:"csc: where tokens are fetched (OAuth 2 client credentials). Empty: the secret is the token."`
	AuthorizeURL string `koanf:"authorize_url" doc:"csc: where customers confirm in their own browser; empty where none do."`
	RedirectURL  string `koanf:"redirect_url" doc:"csc: where their browser comes back to."`
	HookKeyFile  string `koanf:"hook_key_file" is:"path" doc:"smartca: file with the key in the webhook's address, of at least 16 characters. Empty: no webhooks, only polling."`
	Profile      string `koanf:"profile" doc:"sim: URI of the signature profile that signs a SHA-256."`
	Service      string `koanf:"service" doc:"sim: DNS name of the mobile signature service."`
	Minutes      int    `koanf:"minutes" default:"5" min:"1" max:"15" doc:"How long the customer has to confirm."`
}

// Has reports whether the unit has a counter of this number.
func (u Unit) Has(counter string) bool {
	for _, c := range u.Counters {
		if c == counter {
			return true
		}
	}
	return len(u.Counters) == 0
}

// Unit returns the unit with this code.
func (c *Config) Unit(code string) (Unit, bool) {
	for _, u := range c.Units {
		if u.Code == code {
			return u, true
		}
	}
	return Unit{}, false
}

// Idle is how long a counter may stay without a key.
func (c *Config) Idle() time.Duration { return time.Duration(c.Counter.IdleMinutes) * time.Minute }

// CodeLife is how long a code that we sent is good.
func (c *Config) CodeLife() time.Duration { return time.Duration(c.OTP.LifeSeconds) * time.Second }

// check refuses values that can't work, each by its key.
func (c *Config) check() error {
	if err := c.checkListen(); err != nil {
		return err
	}
	if c.Mail.Addr != "" {
		if _, _, err := net.SplitHostPort(c.Mail.Addr); err != nil {
			return wrong("mail.addr", c.Mail.Addr, "host:port")
		}
		if !strings.Contains(c.Mail.From, "@") {
			return wrong("mail.from", c.Mail.From, "quay@dienluc.example")
		}
	}
	if err := c.checkAddresses(); err != nil {
		return err
	}
	if err := c.checkCertificates(); err != nil {
		return err
	}
	if err := c.checkKeys(); err != nil {
		return err
	}
	if err := c.checkHelpdesk(); err != nil {
		return err
	}
	seen := map[string]bool{}
	for i, u := range c.Units {
		key := "units[" + strconv.Itoa(i+1) + "]"
		switch {
		case u.Code == "" || strings.Trim(u.Code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "":
			return wrong(key+".code", u.Code, "PA0505")
		case u.Name == "":
			return wrong(key+".name", "", "Điện lực Mẫu Thử")
		case seen[u.Code]:
			return fault.New(fault.Invalid, "config.twice", fault.Args{"key": key + ".code", "value": u.Code})
		}
		seen[u.Code] = true
	}
	if err := c.checkSeals(); err != nil {
		return err
	}
	if inside(c.Data.Dir, c.Key.File) {
		return fault.New(fault.Invalid, "config.key_inside", fault.Args{"file": c.Key.File, "dir": c.Data.Dir})
	}
	return nil
}

// checkAddresses refuses what is no web address.
func (c *Config) checkAddresses() error {
	type address struct{ key, url string }
	all := []address{{"back_office.url", c.BackOffice.URL}, {"ca.public_url", c.CA.PublicURL}}
	for _, u := range c.TSA.URLs {
		all = append(all, address{"tsa.urls", u})
	}
	for _, a := range all {
		parsed, err := url.Parse(a.url)
		if a.url != "" && (err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https") {
			return wrong(a.key, redacted(a.url), "https://host/path")
		}
	}
	if c.CA.Listen == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(c.CA.Listen); err != nil {
		return wrong("ca.listen", c.CA.Listen, "0.0.0.0:8781")
	}
	return nil
}

// checkCertificates refuses lists and options that there are not.
func (c *Config) checkCertificates() error {
	for _, l := range []struct {
		key   string
		have  []string
		known string
	}{
		{"trust.staff", c.Trust.Staff, "own government public"},
		{"confirm.customer_certificates", c.Confirm.CustomerCertificates, "own public banks government terminal"},
	} {
		for _, one := range l.have {
			if !slices.Contains(strings.Fields(l.known), one) {
				return wrong(l.key, one, strings.ReplaceAll(l.known, " ", " | "))
			}
		}
	}
	return nil
}

// checkKeys refuses tokens and providers that can't be reached.
func (c *Config) checkKeys() error {
	for _, m := range c.Tokens.Modules {
		if !filepath.IsAbs(m) {
			return wrong("tokens.modules", m, "/usr/lib/softhsm/libsofthsm2.so")
		}
	}
	seen := map[string]bool{}
	for i, r := range c.Remotes {
		key := "remotes[" + strconv.Itoa(i+1) + "]."
		if r.Name == "" {
			return wrong(key+"name", "", "VNPT SmartCA")
		}
		if seen[r.Name] {
			return fault.New(fault.Invalid, "config.twice", fault.Args{"key": key + "name", "value": r.Name})
		}
		seen[r.Name] = true
		for _, a := range []struct {
			name, value string
			needed      bool
		}{{"url", r.URL, true}, {"token_url", r.TokenURL, false}, {"authorize_url", r.AuthorizeURL, false}, {"redirect_url", r.RedirectURL, r.AuthorizeURL != ""}} {
			parsed, err := url.Parse(a.value)
			if (a.needed || a.value != "") && (err != nil || parsed.Host == "" || parsed.Scheme != "https" && parsed.Scheme != "http") {
				return wrong(key+a.name, redacted(a.value), "https://host/path")
			}
		}
		switch {
		case r.SecretFile == "":
			return wrong(key+"secret_file", "", "/etc/countersign/remote-secret")
		case r.Account == "" && (r.Kind != "csc" || r.TokenURL != ""):
			return wrong(key+"account", "", "client-0042")
		case r.Kind == "sim" && r.Profile == "":
			return wrong(key+"profile", "", "http://mss.example/profile/sha256")
		}
	}
	return nil
}

// inside reports whether a file lies below a folder.
func inside(dir, file string) bool {
	rel, err := filepath.Rel(dir, file)
	return err == nil && filepath.IsLocal(rel)
}

// checkListen lets nobody but this machine reach a service without TLS.
func (c *Config) checkListen() error {
	host, port, err := net.SplitHostPort(c.Server.Listen)
	if n, bad := strconv.Atoi(port); err != nil || bad != nil || n < 0 || n > 65535 {
		return wrong("server.listen", c.Server.Listen, "127.0.0.1:8780")
	}
	if (c.Server.TLSCert == "") != (c.Server.TLSKey == "") {
		missing := "server.tls_key"
		if c.Server.TLSCert == "" {
			missing = "server.tls_cert"
		}
		return wrong(missing, "", "tls.pem")
	}
	if c.Server.TLSCert == "" && c.Server.Certificates == "required" {
		return wrong("server.staff_certificates", "required", "server.tls_cert")
	}
	ip := net.ParseIP(host)
	if c.Server.TLSCert == "" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fault.New(fault.Invalid, "config.tls", fault.Args{"listen": c.Server.Listen})
	}
	return nil
}

// wrong names a key, what it has and an example of what it may have.
func wrong(key, have, want string) error {
	return fault.New(fault.Invalid, "config.value", fault.Args{"key": key, "have": have, "want": want})
}

// secretMax is the longest secret, in bytes.
const secretMax = 4096

// Secret reads the secret in a file, without the line's end. It refuses a file that other users may read
// (config.secret_mode) and one that is missing, empty or no secret (config.secret_file).
func Secret(path string) ([]byte, error) {
	refuse := func(err error) error {
		return fault.Wrap(err, fault.Invalid, "config.secret_file", fault.Args{"file": path})
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, refuse(err)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return nil, fault.New(fault.Invalid, "config.secret_mode", fault.Args{"file": path})
	}
	if !info.Mode().IsRegular() || info.Size() > secretMax {
		return nil, refuse(nil)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, refuse(err)
	}
	secret := strings.TrimRight(string(data), "\r\n")
	if secret == "" || strings.ContainsAny(secret, "\r\n\x00") {
		return nil, refuse(nil)
	}
	return []byte(secret), nil
}
