package service

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"sync"
	"time"

	"countersign/signing/trust"
)

// staffAsk is how long the status of a staff certificate may take at a handshake.
const staffAsk = 5 * time.Second

// StaffTLS makes a TLS configuration ask for a staff certificate: one that leads to a list which is good for staff, is not
// revoked and was not reported lost. It is judged at every handshake, resumed ones included.
func (s *Service) StaffTLS(base *tls.Config) *tls.Config {
	c := base.Clone()
	c.ClientAuth = tls.RequireAnyClientCert
	c.VerifyConnection = func(state tls.ConnectionState) error {
		ctx, cancel := context.WithTimeout(context.Background(), staffAsk)
		defer cancel()
		_, err := s.Hall.Trust.Accept(ctx, state.PeerCertificates, trust.Staff, s.Options.Clock.Now())
		return err
	}
	return c
}

// StaffOnly answers requests over connections whose certificate still holds. A request that runs when the certificate is
// taken back, such as a screen's stream of events, is cut then.
func (s *Service) StaffOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
			http.Error(w, "a staff certificate is needed", http.StatusForbidden)
			return
		}
		cert := r.TLS.PeerCertificates[0]
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer s.live.enter(cert, cancel)()
		// Asked after it was entered: whatever is taken back from here on cuts the request.
		if denied, err := s.Hall.Denied(ctx, cert); denied || err != nil {
			w.Header().Set("Connection", "close")
			http.Error(w, "the staff certificate was taken back", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r.WithContext(ctx))
	})
}

// live are the requests that run over connections with a certificate.
type live struct {
	mu   sync.Mutex
	last int
	runs map[int]run
}

type run struct {
	cert *x509.Certificate
	cut  context.CancelFunc
}

// enter notes a request until the function that it returns is called.
func (l *live) enter(cert *x509.Certificate, cut context.CancelFunc) (leave func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.runs == nil {
		l.runs = map[int]run{}
	}
	l.last++
	n := l.last
	l.runs[n] = run{cert, cut}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.runs, n)
	}
}

// cutDenied ends the requests whose certificate does not hold any more, or of which nobody can say.
func (l *live) cutDenied(denied func(*x509.Certificate) bool) {
	l.mu.Lock()
	all := make([]run, 0, len(l.runs))
	for _, r := range l.runs {
		all = append(all, r)
	}
	l.mu.Unlock()
	for _, r := range all {
		if denied(r.cert) {
			r.cut()
		}
	}
}
