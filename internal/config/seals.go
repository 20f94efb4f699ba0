package config

import (
	"net"
	"strconv"
	"strings"

	"countersign/internal/fault"
)

// checkSeals refuses addresses that can't work, a connection over the network without certificates, and a sealer's key
// file beside what it opens.
func (c *Config) checkSeals() error {
	if c.Seals.Address != "" {
		if err := checkEnd("seals", "address", c.Seals.Address, c.Seals.TLSCert, c.Seals.TLSKey); err != nil {
			return err
		}
		if !strings.HasPrefix(c.Seals.Address, unixPrefix) && c.Seals.TLSRoot == "" {
			return wrong("seals.tls_root", "", "ca/root.pem")
		}
	}
	if err := checkEnd("sealer", "listen", c.Sealer.Listen, c.Sealer.TLSCert, c.Sealer.TLSKey); err != nil {
		return err
	}
	for _, u := range c.Sealer.Users {
		if n, err := strconv.Atoi(u); err != nil || n < 0 {
			return wrong("sealer.users", u, "998")
		}
	}
	if inside(c.Sealer.Dir, c.Sealer.KeyFile) {
		return fault.New(fault.Invalid, "config.key_inside", fault.Args{"file": c.Sealer.KeyFile, "dir": c.Sealer.Dir})
	}
	return nil
}

// unixPrefix is before the path in the address of a Unix socket.
const unixPrefix = "unix:"

// checkEnd checks one end of the connection between counters and sealer.
func checkEnd(section, key, address, cert, private string) error {
	if path, ok := strings.CutPrefix(address, unixPrefix); ok {
		if path == "" {
			return wrong(section+"."+key, address, "unix:/run/countersign/seals.sock")
		}
		return nil
	}
	if _, port, err := net.SplitHostPort(address); err != nil || port == "" {
		return wrong(section+"."+key, address, "unix:/run/countersign/seals.sock | host:8790")
	}
	if cert == "" {
		return wrong(section+".tls_cert", "", "link.pem")
	}
	if private == "" {
		return wrong(section+".tls_key", "", "link.key")
	}
	return nil
}
