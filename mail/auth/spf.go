package auth

import (
	"context"
	"encoding/hex"
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"countersign/mail"
)

// SPF evaluates check_host (RFC 7208 §4) for the envelope and returns the result with the domain that it is about:
// that of MAIL FROM, or of HELO for the null sender.
func SPF(ctx context.Context, r Resolver, e Envelope) (mail.Result, string) {
	sender := e.From
	i := strings.LastIndexByte(sender, '@')
	domain := e.Helo
	if i >= 0 {
		domain = sender[i+1:]
	} else {
		sender = "postmaster@" + e.Helo
	}
	domain = normalDomain(domain)
	if !strings.Contains(domain, ".") || len(domain) > 253 {
		return mail.ResultNone, domain
	}
	s := &spf{ctx: ctx, dns: r, ip: e.IP.Unmap(), sender: sender, helo: e.Helo}
	return s.check(domain, 0), domain
}

type spf struct {
	ctx     context.Context
	dns     Resolver
	ip      netip.Addr
	sender  string
	helo    string
	lookups int
	void    int
}

// Failures of the evaluation itself.
var (
	errTemp = errors.New("the DNS did not answer")
	errPerm = errors.New("the record can't be evaluated")
)

func (s *spf) check(domain string, depth int) mail.Result {
	if depth > maxLookups {
		return mail.ResultPermError
	}
	txt, err := s.dns.TXT(s.ctx, domain)
	if err != nil && !errors.Is(err, ErrNoRecord) {
		return mail.ResultTempError
	}
	var terms []string
	records := 0
	for _, t := range txt {
		if f := strings.Fields(t); len(f) > 0 && strings.EqualFold(f[0], "v=spf1") {
			terms = f[1:]
			records++
		}
	}
	switch {
	case records == 0:
		return mail.ResultNone
	case records > 1:
		return mail.ResultPermError
	}
	redirect := ""
	for _, term := range terms {
		if name, value, ok := strings.Cut(term, "="); ok && !strings.ContainsAny(name, ":/") {
			if strings.EqualFold(name, "redirect") {
				redirect = value
			}
			continue
		}
		result, rest := qualifier(term)
		hit, err := s.mechanism(rest, domain, depth)
		switch {
		case errors.Is(err, errTemp):
			return mail.ResultTempError
		case err != nil:
			return mail.ResultPermError
		case hit:
			return result
		}
	}
	if redirect == "" {
		return mail.ResultNeutral
	}
	target, err := s.expand(redirect, domain)
	if err != nil || !s.count() {
		return mail.ResultPermError
	}
	if r := s.check(target, depth+1); r != mail.ResultNone {
		return r
	}
	return mail.ResultPermError
}

func qualifier(term string) (mail.Result, string) {
	switch term[0] {
	case '+':
		return mail.ResultPass, term[1:]
	case '-':
		return mail.ResultFail, term[1:]
	case '~':
		return mail.ResultSoftFail, term[1:]
	case '?':
		return mail.ResultNeutral, term[1:]
	}
	return mail.ResultPass, term
}

func (s *spf) count() bool {
	s.lookups++
	return s.lookups <= maxLookups
}

// nothing counts an answer without records.
func (s *spf) nothing(err error) error {
	if errors.Is(err, ErrNoRecord) {
		if s.void++; s.void > maxVoid {
			return errPerm
		}
		return nil
	}
	if err != nil {
		return errTemp
	}
	return nil
}

func (s *spf) mechanism(term, domain string, depth int) (bool, error) {
	name, arg, _ := strings.Cut(term, ":")
	if i := strings.IndexByte(name, '/'); i >= 0 {
		name, arg = name[:i], name[i:]
	}
	switch name = strings.ToLower(name); name {
	case "all":
		return true, nil
	case "ip4", "ip6":
		return s.inside(arg)
	case "a", "mx", "include", "exists", "ptr":
		if !s.count() {
			return false, errPerm
		}
	default:
		return false, errPerm
	}
	target, bits4, bits6, err := s.target(arg, domain)
	if err != nil {
		return false, err
	}
	switch name {
	case "include":
		switch s.check(target, depth+1) {
		case mail.ResultPass:
			return true, nil
		case mail.ResultTempError:
			return false, errTemp
		case mail.ResultPermError, mail.ResultNone:
			return false, errPerm
		}
		return false, nil
	case "exists":
		found, err := s.dns.Addrs(s.ctx, target)
		return len(found) > 0, s.nothing(err)
	case "ptr":
		return s.pointer(target)
	case "mx":
		hosts, err := s.dns.MX(s.ctx, target)
		if err != nil {
			return false, s.nothing(err)
		}
		for _, h := range hosts[:min(len(hosts), 10)] {
			if hit, err := s.address(h, bits4, bits6); hit || err != nil {
				return hit, err
			}
		}
		return false, nil
	}
	return s.address(target, bits4, bits6)
}

func (s *spf) inside(arg string) (bool, error) {
	if !strings.Contains(arg, "/") {
		a, err := netip.ParseAddr(arg)
		if err != nil {
			return false, errPerm
		}
		return a == s.ip, nil
	}
	p, err := netip.ParsePrefix(arg)
	if err != nil {
		return false, errPerm
	}
	return p.Masked().Contains(s.ip), nil
}

// target reads "domain/4bits//6bits", each of which may be missing.
func (s *spf) target(arg, domain string) (target string, bits4, bits6 int, err error) {
	bits4, bits6 = 32, 128
	if i := strings.Index(arg, "//"); i >= 0 {
		if bits6, err = strconv.Atoi(arg[i+2:]); err != nil || bits6 > 128 || bits6 < 0 {
			return "", 0, 0, errPerm
		}
		arg = arg[:i]
	}
	if i := strings.LastIndexByte(arg, '/'); i >= 0 {
		if bits4, err = strconv.Atoi(arg[i+1:]); err != nil || bits4 > 32 || bits4 < 0 {
			return "", 0, 0, errPerm
		}
		arg = arg[:i]
	}
	if arg == "" {
		return domain, bits4, bits6, nil
	}
	target, err = s.expand(arg, domain)
	return target, bits4, bits6, err
}

func (s *spf) address(host string, bits4, bits6 int) (bool, error) {
	found, err := s.dns.Addrs(s.ctx, host)
	if err != nil {
		return false, s.nothing(err)
	}
	for _, a := range found {
		bits := bits4
		if a.Is6() {
			bits = bits6
		}
		if p, err := a.Prefix(bits); err == nil && p.Contains(s.ip) {
			return true, nil
		}
	}
	return false, nil
}

func (s *spf) pointer(target string) (bool, error) {
	names, err := s.dns.Names(s.ctx, s.ip)
	if err != nil {
		return false, s.nothing(err)
	}
	for _, n := range names[:min(len(names), 10)] {
		n = normalDomain(n)
		if !under(n, target) {
			continue
		}
		back, err := s.dns.Addrs(s.ctx, n)
		if err != nil {
			continue
		}
		for _, a := range back {
			if a == s.ip {
				return true, nil
			}
		}
	}
	return false, nil
}

// expand fills in the macros of a domain (RFC 7208 §7).
func (s *spf) expand(text, domain string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			out.WriteByte(text[i])
			continue
		}
		if i++; i >= len(text) {
			return "", errPerm
		}
		switch text[i] {
		case '%':
			out.WriteByte('%')
		case '_':
			out.WriteByte(' ')
		case '-':
			out.WriteString("%20")
		case '{':
			end := strings.IndexByte(text[i:], '}')
			if end < 2 {
				return "", errPerm
			}
			value, err := s.macro(text[i+1:i+end], domain)
			if err != nil {
				return "", err
			}
			out.WriteString(value)
			i += end
		default:
			return "", errPerm
		}
	}
	name := strings.ToLower(strings.TrimSuffix(out.String(), "."))
	for len(name) > 253 {
		_, rest, ok := strings.Cut(name, ".")
		if !ok {
			return "", errPerm
		}
		name = rest
	}
	if name == "" {
		return "", errPerm
	}
	return name, nil
}

func (s *spf) macro(m, domain string) (string, error) {
	local, host := "postmaster", ""
	if i := strings.LastIndexByte(s.sender, '@'); i >= 0 {
		local, host = s.sender[:i], s.sender[i+1:]
	}
	var value string
	switch m[0] | 0x20 {
	case 's':
		value = s.sender
	case 'l':
		value = local
	case 'o':
		value = host
	case 'd':
		value = domain
	case 'h':
		value = s.helo
	case 'v':
		value = map[bool]string{true: "in-addr", false: "ip6"}[s.ip.Is4()]
	case 'i':
		value = s.ip.String()
		if s.ip.Is6() {
			a := s.ip.As16()
			value = strings.Join(strings.Split(hex.EncodeToString(a[:]), ""), ".")
		}
	default:
		return "", errPerm
	}
	return transform(value, m[1:])
}

// transform keeps the last so many labels, in reverse when asked.
func transform(value, how string) (string, error) {
	digits := 0
	for digits < len(how) && how[digits] >= '0' && how[digits] <= '9' {
		digits++
	}
	keep := 0
	if digits > 0 {
		n, err := strconv.Atoi(how[:digits])
		if err != nil || n == 0 || n > 128 {
			return "", errPerm
		}
		keep = n
	}
	how = how[digits:]
	reverse := strings.HasPrefix(strings.ToLower(how), "r")
	if reverse {
		how = how[1:]
	}
	if how == "" {
		how = "."
	}
	parts := strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(how, r) })
	if reverse {
		for i, k := 0, len(parts)-1; i < k; i, k = i+1, k-1 {
			parts[i], parts[k] = parts[k], parts[i]
		}
	}
	if keep > 0 && keep < len(parts) {
		parts = parts[len(parts)-keep:]
	}
	return strings.Join(parts, "."), nil
}
