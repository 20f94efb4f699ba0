package main

import (
	"crypto/x509"
	"os"
	"time"

	"countersign/internal/config"
	"countersign/internal/fault"
	"countersign/internal/service"
	"countersign/signing/trust"
)

// trustOptions reads the lists of trust that the configuration names.
func trustOptions(cfg *config.Config, o *service.Options) error {
	o.PublicURL, o.TSATimeout = cfg.CA.PublicURL, time.Duration(cfg.TSA.TimeoutSeconds)*time.Second
	o.Trust.Lists = trust.Lists{}
	for _, l := range []struct {
		section, key string
		paths        []string
		set          func([]*x509.Certificate)
	}{
		{"trust", "public", cfg.Trust.Public, func(c []*x509.Certificate) { o.Trust.Lists[trust.Public] = c }},
		{"trust", "government", cfg.Trust.Government, func(c []*x509.Certificate) { o.Trust.Lists[trust.Government] = c }},
		{"trust", "banks", cfg.Trust.Banks, func(c []*x509.Certificate) { o.Trust.Lists[trust.Banks] = c }},
		{"tsa", "roots", cfg.TSA.Roots, func(c []*x509.Certificate) { o.TSARoots = c }},
	} {
		certs, err := trust.Read(l.paths)
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "cli.trust_list", fault.Args{"key": l.section + "." + l.key, "why": err.Error()})
		}
		l.set(certs)
	}
	if cfg.Trust.Licences != "" {
		data, err := os.ReadFile(cfg.Trust.Licences)
		if err == nil {
			o.Trust.Licences, err = trust.ReadLicences(data)
		}
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "cli.trust_list", fault.Args{"key": "licences", "why": err.Error()})
		}
	}
	for _, name := range cfg.Trust.Staff {
		o.Trust.Staff = append(o.Trust.Staff, trust.Source(name))
	}
	for _, name := range cfg.Confirm.CustomerCertificates {
		o.Trust.Customers = append(o.Trust.Customers, service.CertificateOption(name))
	}
	o.Trust.WithoutStatus = cfg.Trust.WithoutStatus == "accept"
	return nil
}
