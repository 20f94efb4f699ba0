package auth

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"
)

// Resolver answers questions to the DNS. A name or record that does not exist is ErrNoRecord; any other error passes.
type Resolver interface {
	TXT(ctx context.Context, name string) ([]string, error)
	Addrs(ctx context.Context, name string) ([]netip.Addr, error)
	MX(ctx context.Context, name string) ([]string, error)
	Names(ctx context.Context, addr netip.Addr) ([]string, error)
}

// ErrNoRecord says that the DNS has no such name or record.
var ErrNoRecord = errors.New("no such record")

// DNS is a Resolver that asks a name server.
type DNS struct {
	resolver *net.Resolver
	timeout  time.Duration
}

// NewDNS returns a resolver that asks server (host:port), or the system's own when server is empty.
func NewDNS(server string, timeout time.Duration) *DNS {
	r := &net.Resolver{PreferGo: true}
	if server != "" {
		r.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, server)
		}
	}
	return &DNS{r, timeout}
}

func absent(err error) error {
	var d *net.DNSError
	if errors.As(err, &d) && d.IsNotFound {
		return ErrNoRecord
	}
	return err
}

// absolute keeps search domains of this machine out of the question.
func absolute(name string) string { return strings.TrimSuffix(name, ".") + "." }

// TXT returns the text records of a name, each in one piece.
func (d *DNS) TXT(ctx context.Context, name string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	out, err := d.resolver.LookupTXT(ctx, absolute(name))
	return out, absent(err)
}

// Addrs returns the addresses of a name.
func (d *DNS) Addrs(ctx context.Context, name string) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	out, err := d.resolver.LookupNetIP(ctx, "ip", absolute(name))
	for i := range out {
		out[i] = out[i].Unmap()
	}
	return out, absent(err)
}

// MX returns the mail servers of a domain.
func (d *DNS) MX(ctx context.Context, name string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	records, err := d.resolver.LookupMX(ctx, absolute(name))
	var out []string
	for _, r := range records {
		out = append(out, strings.TrimSuffix(r.Host, "."))
	}
	return out, absent(err)
}

// Names returns the names of an address.
func (d *DNS) Names(ctx context.Context, addr netip.Addr) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	out, err := d.resolver.LookupAddr(ctx, addr.String())
	return out, absent(err)
}
