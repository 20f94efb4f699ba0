package auth

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/miekg/dns"

	"countersign/mail"
	"countersign/mail/message"
)

// names is a name server on a socket with an invented zone.
type names struct {
	records map[string][]string // "TXT name." → records in zone file form
	fails   map[string]bool
	key     ed25519.PrivateKey
	addr    string
}

func newNames(t *testing.T) *names {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	n := &names{key: key, fails: map[string]bool{}, records: map[string][]string{
		"TXT sel._domainkey.unit.example.":   {"v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(pub)},
		"TXT sel._domainkey.evil.example.":   {"v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(pub)},
		"TXT _dmarc.unit.example.":           {"v=DMARC1; p=reject"},
		"TXT _dmarc.soft.example.":           {"v=DMARC1; p=none"},
		"TXT _dmarc.strict.example.":         {"v=DMARC1; p=quarantine; aspf=s"},
		"TXT unit.example.":                  {"other text", "v=spf1 ip4:192.0.2.0/28 include:_spf.unit.example mx -all"},
		"TXT _spf.unit.example.":             {"v=spf1 a:mail.unit.example/30 ~all"},
		"TXT strict.example.":                {"v=spf1 redirect=unit.example"},
		"TXT loop.example.":                  {"v=spf1 include:loop.example -all"},
		"TXT many.example.":                  {"v=spf1 a:1.x.example a:2.x.example a:3.x.example a:4.x.example -all"},
		"TXT two.example.":                   {"v=spf1 -all", "v=spf1 +all"},
		"TXT macro.example.":                 {"v=spf1 exists:%{ir}.%{l1r-}._spf.%{d} -all"},
		"A 7.2.0.192.an._spf.macro.example.": {"127.0.0.2"},
		"A mail.unit.example.":               {"192.0.2.100"},
		"MX unit.example.":                   {"10 mx.unit.example."},
		"A mx.unit.example.":                 {"192.0.2.200"},
	}}
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{PacketConn: pc, Handler: dns.HandlerFunc(n.answer)}
	go func() { _ = s.ActivateAndServe() }()
	t.Cleanup(func() { _ = s.Shutdown() })
	n.addr = pc.LocalAddr().String()
	return n
}

func (n *names) answer(w dns.ResponseWriter, q *dns.Msg) {
	r := new(dns.Msg)
	r.SetReply(q)
	name, kind := strings.ToLower(q.Question[0].Name), dns.TypeToString[q.Question[0].Qtype]
	known := false
	for key := range n.records {
		known = known || strings.HasSuffix(key, " "+name)
	}
	switch list := n.records[kind+" "+name]; {
	case n.fails[name]:
		r.Rcode = dns.RcodeServerFailure
	case len(list) > 0:
		for _, text := range list {
			if kind == "TXT" {
				r.Answer = append(r.Answer, &dns.TXT{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: 60}, Txt: []string{text}})
				continue
			}
			if rr, err := dns.NewRR(name + " 60 IN " + kind + " " + text); err == nil {
				r.Answer = append(r.Answer, rr)
			}
		}
	case !known:
		r.Rcode = dns.RcodeNameError
	}
	_ = w.WriteMsg(r)
}

func (n *names) sign(t *testing.T, domain, raw string) string {
	t.Helper()
	var out bytes.Buffer
	err := dkim.Sign(&out, strings.NewReader(strings.ReplaceAll(raw, "\n", "\r\n")), &dkim.SignOptions{Domain: domain, Selector: "sel", Signer: n.key, HeaderKeys: []string{"From", "Subject", "To"}})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

const fromUnit = "From: An <an@unit.example>\nTo: desk@house.example\nSubject: hello\n\nXin chào\n"

func judged(p Policy, e Envelope, raw string, s mail.SMIME) mail.Verdict {
	return Judge(context.Background(), message.Parse([]byte(raw), message.Limits{}), p, e, s)
}

func TestADomainIsProvenByItsOwnSignatureOrAddress(t *testing.T) {
	n := newNames(t)
	p := Policy{Resolver: NewDNS(n.addr, 5*time.Second)}
	at := func(ip string) Envelope {
		return Envelope{IP: netip.MustParseAddr(ip), From: "an@unit.example", Helo: "mail.unit.example"}
	}
	good := n.sign(t, "unit.example", fromUnit)
	for _, c := range []struct {
		name             string
		raw              string
		e                Envelope
		dkim, spf, dmarc mail.Result
		level            mail.Level
	}{
		{"signed", good, Envelope{}, "pass", "none", "pass", mail.LevelAligned},
		{"from its own server", fromUnit, at("192.0.2.7"), "none", "pass", "pass", mail.LevelAligned},
		{"from its own mail exchanger", fromUnit, at("192.0.2.200"), "none", "pass", "pass", mail.LevelAligned},
		{"from an included server", fromUnit, at("192.0.2.101"), "none", "pass", "pass", mail.LevelAligned},
		{"from a stranger", fromUnit, at("203.0.113.9"), "none", "fail", "fail", mail.LevelForged},
		{"changed", strings.Replace(good, "hello", "hallo", 1), Envelope{}, "fail", "none", "fail", mail.LevelForged},
		{"signed by another domain", n.sign(t, "evil.example", fromUnit), Envelope{}, "pass", "none", "fail", mail.LevelForged},
		{"sent under another domain", fromUnit, Envelope{IP: netip.MustParseAddr("192.0.2.7"), From: "x@strict.example"}, "none", "pass", "fail", mail.LevelForged},
		{"a second From above", "From: boss@unit.example\r\n" + good, Envelope{}, "pass", "none", "none", mail.LevelSuspect},
		{"a domain that only watches", "From: an@soft.example\n\nx", at("203.0.113.9"), "none", "fail", "fail", mail.LevelSuspect},
		{"a domain without records", "From: an@plain.example\n\nx", Envelope{}, "none", "none", "none", mail.LevelUnproven},
		{"results that the mail brought", "Authentication-Results: mx.house.example; dmarc=pass header.from=unit.example\n" + fromUnit, at("203.0.113.9"), "none", "fail", "fail", mail.LevelForged},
	} {
		v := judged(p, c.e, c.raw, mail.SMIME{Status: mail.SMIMENone})
		if v.DKIM != c.dkim || v.SPF != c.spf || v.DMARC != c.dmarc || v.Level != c.level {
			t.Errorf("%s: dkim %s spf %s dmarc %s level %s %v", c.name, v.DKIM, v.SPF, v.DMARC, v.Level, v.Reasons)
		}
	}
	n.fails["_dmarc.unit.example."] = true
	if v := judged(p, Envelope{}, fromUnit, mail.SMIME{}); v.DMARC != mail.ResultTempError || v.Level != mail.LevelUnproven {
		t.Errorf("without an answer: %+v", v)
	}
}

func TestSPFKeepsItsLimits(t *testing.T) {
	n := newNames(t)
	r := NewDNS(n.addr, 5*time.Second)
	for _, c := range []struct {
		from, ip string
		want     mail.Result
	}{
		{"an@loop.example", "192.0.2.7", "permerror"},
		{"an@many.example", "192.0.2.7", "permerror"},
		{"an@two.example", "192.0.2.7", "permerror"},
		{"an@macro.example", "192.0.2.7", "pass"},
		{"an@macro.example", "192.0.2.8", "fail"},
		{"an@nowhere.example", "192.0.2.8", "none"},
		{"an@strict.example", "2001:db8::1", "fail"},
		{"", "192.0.2.8", "none"},
	} {
		if got, _ := SPF(context.Background(), r, Envelope{IP: netip.MustParseAddr(c.ip), From: c.from}); got != c.want {
			t.Errorf("%s from %s: %s, want %s", c.from, c.ip, got, c.want)
		}
	}
}

func TestOnlyOurOwnServersResultsAreBelieved(t *testing.T) {
	p := Policy{AuthServID: "mx.house.example", Hops: 1}
	pass := "Authentication-Results: mx.house.example; dmarc=pass header.from=unit.example; dkim=pass header.d=unit.example; spf=pass smtp.mailfrom=an@unit.example\n"
	hop := "Received: from x by mx.house.example; Sat, 21 Nov 2026 09:00:00 +0000\n"
	for _, c := range []struct {
		name, raw string
		level     mail.Level
		because   string
	}{
		{"above", pass + hop + fromUnit, mail.LevelAligned, "aligned"},
		{"below our own hop", hop + pass + fromUnit, mail.LevelAligned, "aligned"},
		{"below another hop", hop + "Received: from evil\n" + pass + fromUnit, mail.LevelSuspect, "results_forged"},
		{"of another server", strings.Replace(pass, "mx.house", "mx.evil", 1) + hop + fromUnit, mail.LevelUnproven, "nothing_proves"},
		{"forged below a failure", "Authentication-Results: mx.house.example; dmarc=fail (p=reject) header.from=unit.example\n" + hop + pass + fromUnit, mail.LevelForged, "results_forged"},
		{"for another domain", strings.ReplaceAll(pass, "unit.example", "evil.example") + hop + fromUnit, mail.LevelUnproven, "nothing_proves"},
		{"quarantine failed", "Authentication-Results: mx.house.example; dmarc=fail (p=quarantine dis=none) header.from=unit.example\n" + hop + fromUnit, mail.LevelForged, "dmarc_refused"},
	} {
		v := judged(p, Envelope{}, c.raw, mail.SMIME{})
		if v.Level != c.level || !v.Because(c.because) {
			t.Errorf("%s: %s %v, want %s because %s", c.name, v.Level, v.Reasons, c.level, c.because)
		}
	}
	if v := judged(Policy{}, Envelope{}, pass+fromUnit, mail.SMIME{}); v.Level != mail.LevelUnproven || !v.Because("results_ignored") {
		t.Errorf("without a pinned server: %+v", v)
	}
}

func TestImpostorsAreSeen(t *testing.T) {
	p := Policy{AuthServID: "mx.house.example", Hops: 1, Own: []string{"vst.gov.vn"}, Known: []string{"evnhanoi.com.vn"}, Names: []string{"Kho bạc Nhà nước"}}
	for _, c := range []struct {
		from    string
		level   mail.Level
		because string
	}{
		{"hotrocntt@vst.gov.vn", mail.LevelForged, "ours_unproven"},
		{"x@mail.vst.gov.vn", mail.LevelForged, "ours_unproven"},
		{"hotrocntt@vst-gov.vn", mail.LevelSuspect, "look_alike"},
		{"hotrocntt@vst.gov.vn.evil.example", mail.LevelSuspect, "look_alike"},
		{"hotrocntt@vst.gov.com", mail.LevelSuspect, "look_alike"},
		{"hotrocntt@vst.com.vn", mail.LevelSuspect, "look_alike"},
		{"hotrocntt@v\u0455t.gov.vn", mail.LevelSuspect, "look_alike"},
		{"hotrocntt@xn--vt-eoc.gov.vn", mail.LevelSuspect, "look_alike"},
		{"a@evnhan0i.com.vn", mail.LevelSuspect, "look_alike"},
		{"a@evnhanol.com.vn", mail.LevelSuspect, "look_alike"},
		{"a@evnhnaoi.com.vn", mail.LevelSuspect, "look_alike"},
		{`"hotrocntt@vst.gov.vn" <x@gmail.example>`, mail.LevelSuspect, "name_shows_address"},
		{"=?utf-8?Q?hotrocntt=EF=BC=A0vst.gov.vn?= <x@gmail.example>", mail.LevelSuspect, "name_shows_address"},
		{"Kho Bac Nha Nuoc <x@gmail.example>", mail.LevelSuspect, "name_is_ours"},
		{"an@unit.example, b@unit.example", mail.LevelSuspect, "several_from"},
		{"Nguyễn An", mail.LevelSuspect, "no_from"},
		{"Nguyễn An <an@gmail.com>", mail.LevelUnproven, "nothing_proves"},
		{"an@sbv.gov.vn", mail.LevelUnproven, "nothing_proves"},
		{"an@mof.gov.vn", mail.LevelUnproven, "nothing_proves"},
		{"an@evnhcmc.com.vn", mail.LevelUnproven, "nothing_proves"},
	} {
		v := judged(p, Envelope{}, "From: "+c.from+"\nTo: a@vst.gov.vn\n\nx\n", mail.SMIME{})
		if v.Level != c.level || !v.Because(c.because) {
			t.Errorf("%s: %s %v, want %s because %s", c.from, v.Level, v.Reasons, c.level, c.because)
		}
	}
	// An impostor's own domain may be in perfect order.
	raw := "Authentication-Results: mx.house.example; dmarc=pass header.from=vst-gov.vn\nFrom: hotrocntt@vst-gov.vn\n\nx\n"
	if v := judged(p, Envelope{}, raw, mail.SMIME{}); v.Level != mail.LevelSuspect || v.DMARC != mail.ResultPass {
		t.Errorf("a proven impostor: %+v", v)
	}
	elsewhere := "From: an@unit.example\nReply-To: x@evil.example\n\nx\n"
	if v := judged(p, Envelope{}, elsewhere, mail.SMIME{}); v.Level != mail.LevelSuspect || !v.Because("answers_elsewhere") {
		t.Errorf("answers elsewhere: %+v", v)
	}
	signed := mail.SMIME{Status: mail.SMIMEValid, Signer: "an@unit.example", MatchesFrom: true, Trusted: true}
	if v := judged(p, Envelope{}, fromUnit, signed); v.Level != mail.LevelSigned {
		t.Errorf("signed: %+v", v)
	}
}

func FuzzJudge(f *testing.F) {
	f.Add([]byte("Authentication-Results: mx; dmarc=pass header.from=a.example\nFrom: \"x@y.z\" <a@xn--a.example>\n\n"), "v=spf1 include:%{i}.x -all")
	f.Fuzz(func(t *testing.T, raw []byte, record string) {
		m := message.Parse(raw, message.Limits{})
		Judge(context.Background(), m, Policy{AuthServID: "mx", Own: []string{"vst.gov.vn"}, Resolver: constant(record)}, Envelope{IP: netip.MustParseAddr("192.0.2.1"), From: "a@b.example"}, mail.SMIME{})
	})
}

// constant answers every question for text with the same record.
type constant string

func (c constant) TXT(context.Context, string) ([]string, error) { return []string{string(c)}, nil }
func (c constant) Addrs(context.Context, string) ([]netip.Addr, error) {
	return nil, ErrNoRecord
}
func (c constant) MX(context.Context, string) ([]string, error)        { return nil, ErrNoRecord }
func (c constant) Names(context.Context, netip.Addr) ([]string, error) { return nil, ErrNoRecord }
