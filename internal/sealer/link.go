package sealer

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"syscall"

	"countersign/internal/fault"
	"countersign/signing/ca"
)

// The two ends of a connection over the network, as DNS names that only their certificates bear.
const (
	RoleSealer  = "sealer.countersign.internal"
	RoleCounter = "counter.countersign.internal"
)

func fingerprint(c *x509.Certificate) [32]byte { return sha256.Sum256(c.Raw) }

// Link is what one end of a connection over the network has: its certificate and key, and the root that both ends trust.
// All three are PEM files.
type Link struct {
	Cert, Key, Root string
}

func (l Link) load() (tls.Certificate, *x509.CertPool, error) {
	refuse := func(err error, file string) (tls.Certificate, *x509.CertPool, error) {
		return tls.Certificate{}, nil, fault.Wrap(err, fault.Invalid, "sealer.link", fault.Args{"file": file})
	}
	pair, err := tls.LoadX509KeyPair(l.Cert, l.Key)
	if err != nil {
		return refuse(err, l.Cert)
	}
	data, err := os.ReadFile(l.Root)
	if err != nil {
		return refuse(err, l.Root)
	}
	roots, err := ca.Certificates(data)
	if err != nil {
		return refuse(err, l.Root)
	}
	pool := x509.NewCertPool()
	for _, c := range roots {
		pool.AddCert(c)
	}
	return pair, pool, nil
}

// Client is the counters' end: it speaks to nobody but the sealer.
func (l Link) Client() (*tls.Config, error) {
	pair, pool, err := l.load()
	if err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}, RootCAs: pool, ServerName: RoleSealer}, nil
}

// Server is the sealer's end: it answers nobody but the counters' service. The house certifies many others, and a
// certificate of one of them opens nothing here.
func (l Link) Server() (*tls.Config, error) {
	pair, pool, err := l.load()
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
		VerifyConnection: func(s tls.ConnectionState) error { return s.PeerCertificates[0].VerifyHostname(RoleCounter) },
	}, nil
}

// Guard lets only processes of the given users speak on a Unix socket; the kernel tells whose they are.
func Guard(l net.Listener, users []int, log *slog.Logger) net.Listener { return guard{l, users, log} }

type guard struct {
	net.Listener
	users []int
	log   *slog.Logger
}

// Accept returns the next connection of somebody who may.
func (g guard) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		user, err := peer(c)
		if err == nil && slices.Contains(g.users, user) {
			return c, nil
		}
		g.log.Warn("a process that may not speak to the seal service was turned away", "user", user, "err", err)
		if err := c.Close(); err != nil {
			return nil, err
		}
	}
}

// peer asks the kernel whose process is at the other end.
func peer(c net.Conn) (int, error) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return -1, errors.New("it is no Unix socket")
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return -1, err
	}
	var who *syscall.Ucred
	var asked error
	if err := raw.Control(func(fd uintptr) {
		who, asked = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}); err != nil {
		return -1, err
	}
	if asked != nil {
		return -1, fmt.Errorf("ask whose process it is: %w", asked)
	}
	return int(who.Uid), nil
}
