package service

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"countersign/helpdesk/reply"
	"countersign/internal/fault"
	"countersign/mail/smime"
	"countersign/signing/ca"
	"countersign/signing/key"
)

// The names of the keys begin with mailKeyPrefix; a certificate is made anew so long before its end.
const (
	mailKeyPrefix  = "desk-"
	mailKeyLife    = 365 * 24 * time.Hour
	mailKeyRenewal = 30 * 24 * time.Hour
)

// mailKeys are the keys and certificates with which the helpdesk and its agents sign mails. They are made when they are
// first needed, one for each agent, and the certificates anew before they end.
type mailKeys struct {
	service *Service
	house   reply.House

	mu   sync.Mutex
	open map[string]smime.Identity
}

// Identity returns who signs for an agent; "" is the helpdesk itself.
func (k *mailKeys) Identity(agent string) (smime.Identity, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if id, ok := k.open[agent]; ok && k.lasts(id.Chain[0]) {
		return id, nil
	}
	id, err := k.load(agent)
	if err != nil {
		return id, fmt.Errorf("open the mail key of %q: %w", agent, err)
	}
	if k.open == nil {
		k.open = map[string]smime.Identity{}
	}
	k.open[agent] = id
	return id, nil
}

func (k *mailKeys) lasts(c *x509.Certificate) bool {
	return k.service.Options.Clock.Now().Add(mailKeyRenewal).Before(c.NotAfter)
}

func (k *mailKeys) load(agent string) (smime.Identity, error) {
	s, name := k.service, mailKeyPrefix+"house"
	if agent != "" {
		name = mailKeyPrefix + "agent-" + agent
	}
	private, err := s.Keys.Signer(name)
	if fault.KindOf(err) == fault.NotFound {
		private, err = s.Keys.Create(name, key.P256)
	}
	if err != nil {
		return smime.Identity{}, err
	}
	path := filepath.Join(s.Options.Dir, "ca", name+".pem")
	data, err := os.ReadFile(path)
	if err == nil {
		chain, err := ca.Certificates(data)
		if err == nil && len(chain) > 1 && k.lasts(chain[0]) {
			return smime.Identity{Key: private, Chain: chain}, nil
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return smime.Identity{}, err
	}
	return k.issue(agent, path, private)
}

// issue certifies a key and keeps the certificates beside the others; losing the file costs a new certificate only.
func (k *mailKeys) issue(agent, path string, private crypto.Signer) (smime.Identity, error) {
	s := k.service
	who := ca.MailSigner{Name: k.house.Name, Organisation: k.house.Name, Address: k.house.Mailbox, Life: mailKeyLife}
	if agent != "" {
		a, err := s.Desk.Agent(context.Background(), agent)
		if err != nil {
			return smime.Identity{}, err
		}
		who.Name, who.StaffID = a.FullName, a.Extension
	}
	chain, err := s.Issuing.IssueMail(private.Public(), who)
	if err != nil {
		return smime.Identity{}, err
	}
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return smime.Identity{}, err
	}
	if err := writeNew(fresh, ca.PEM(chain...)); err != nil {
		return smime.Identity{}, err
	}
	return smime.Identity{Key: private, Chain: chain}, os.Rename(fresh, path)
}
