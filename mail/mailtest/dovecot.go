// Package mailtest starts real mail servers for tests, each in a folder of its own: Dovecot (IMAP, LMTP) and Postfix (SMTP)
// in front of it. Only tests and benchmarks import it.
package mailtest

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/emersion/go-smtp"
)

// TB is what a server needs of its test; testing.TB has it.
type TB interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// Password is that of every user of the servers.
const Password = "invented-s3cret"

// Dovecot is a running server.
type Dovecot struct {
	Dir               string
	IMAP, IMAPS       string // host:port
	LMTP              string
	Roots             *x509.CertPool
	tb                TB
	config            string
	process           *exec.Cmd
	done              chan struct{}
	certFile, keyFile string
}

// StartDovecot starts a server with the users; they exist from then on, and others don't.
func StartDovecot(tb TB, users ...string) *Dovecot {
	tb.Helper()
	d := &Dovecot{tb: tb, Dir: folder(tb)}
	d.IMAP, d.IMAPS, d.LMTP = port(tb), port(tb), port(tb)
	d.certificate()
	var list strings.Builder
	for _, u := range users {
		fmt.Fprintf(&list, "%s:{PLAIN}%s\n", u, Password)
	}
	d.write("users", list.String(), 0o644)
	mail := filepath.Join(d.Dir, "mail")
	must(tb, os.Mkdir(mail, 0o755))
	must(tb, os.Chown(mail, Owner, Owner))
	d.config = filepath.Join(d.Dir, "dovecot.conf")
	d.write("dovecot.conf", d.settings(), 0o644)
	d.Start()
	tb.Cleanup(d.Stop)
	return d
}

// Owner is the user that owns the mails: Dovecot refuses to keep mail as root.
const Owner = 65534

func (d *Dovecot) settings() string {
	inet := func(name, addr, more string) string {
		_, port, _ := net.SplitHostPort(addr)
		return fmt.Sprintf("  inet_listener %s {\n    address = 127.0.0.1\n    port = %s\n%s  }\n", name, port, more)
	}
	lines := []string{
		"base_dir = " + d.Dir + "/run", "state_dir = " + d.Dir + "/state", "instance_name = lab", "protocols = imap lmtp",
		"listen = 127.0.0.1", "log_path = " + d.Dir + "/dovecot.log", "ssl = yes", "ssl_cert = <" + d.certFile, "ssl_key = <" + d.keyFile,
		"disable_plaintext_auth = no", "auth_mechanisms = plain login", "auth_failure_delay = 0 secs", "first_valid_uid = 1",
		"mail_location = maildir:%h/Maildir", "lda_mailbox_autocreate = yes", "recipient_delimiter = +", "mail_fsync = never", "mail_max_userip_connections = 0",
		"passdb {\n  driver = passwd-file\n  args = scheme=PLAIN username_format=%u " + d.Dir + "/users\n}",
		"userdb {\n  driver = static\n  args = uid=65534 gid=65534 home=" + d.Dir + "/mail/%u\n}",
		"namespace inbox {\n  inbox = yes\n  separator = /\n}",
		"service imap-login {\n  chroot =\n" + inet("imap", d.IMAP, "") + inet("imaps", d.IMAPS, "    ssl = yes\n") + "}",
		"service lmtp {\n" + inet("lmtp", d.LMTP, "") + "}",
		"service anvil {\n  chroot =\n  unix_listener anvil-auth-penalty {\n    mode = 0\n  }\n}",
		"service stats {\n  chroot =\n}",
	}
	return strings.Join(lines, "\n") + "\n"
}

// Start starts the server after a Stop; its mails are where they were.
func (d *Dovecot) Start() {
	d.tb.Helper()
	var said bytes.Buffer
	d.process = exec.Command("dovecot", "-F", "-c", d.config)
	d.process.Stdout, d.process.Stderr = &said, &said
	must(d.tb, d.process.Start())
	done := make(chan struct{})
	d.done = done
	go func(p *exec.Cmd) {
		_ = p.Wait()
		close(done)
	}(d.process)
	if !answers(d.IMAP, "* OK", done) || !answers(d.LMTP, "220", done) {
		log, _ := os.ReadFile(filepath.Join(d.Dir, "dovecot.log"))
		d.tb.Fatalf("dovecot did not start: %s%s", said.Bytes(), log)
	}
}

// Stop ends the server and every connection.
func (d *Dovecot) Stop() {
	if d.process == nil {
		return
	}
	d.Kick()
	_ = d.process.Process.Signal(os.Interrupt)
	<-d.done
	d.process = nil
}

// Kick cuts every connection; the server goes on.
func (d *Dovecot) Kick() {
	_ = exec.Command("doveadm", "-c", d.config, "kick", "*").Run()
}

// KillSessions kills the processes that serve the connections of signed-in users, without a goodbye.
func (d *Dovecot) KillSessions() (killed int) {
	d.tb.Helper()
	list, err := os.ReadFile(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", d.process.Process.Pid))
	must(d.tb, err)
	for _, id := range strings.Fields(string(list)) {
		name, err := os.ReadFile("/proc/" + id + "/comm")
		if err == nil && strings.TrimSpace(string(name)) == "imap" && syscall.Kill(number(d.tb, id), syscall.SIGKILL) == nil {
			killed++
		}
	}
	return killed
}

// Admin runs doveadm with the server's configuration.
func (d *Dovecot) Admin(args ...string) string {
	d.tb.Helper()
	out, err := exec.Command("doveadm", append([]string{"-c", d.config}, args...)...).CombinedOutput()
	if err != nil {
		d.tb.Fatalf("doveadm %s: %v: %s", args, err, out)
	}
	return string(out)
}

// Maildir is the folder of a user's mails.
func (d *Dovecot) Maildir(user string) string { return filepath.Join(d.Dir, "mail", user, "Maildir") }

// Deliver hands mails over to a user by LMTP.
func (d *Dovecot) Deliver(user string, mails ...[]byte) {
	d.tb.Helper()
	conn, err := net.Dial("tcp", d.LMTP)
	must(d.tb, err)
	c := smtp.NewClientLMTP(conn)
	defer c.Close()
	must(d.tb, c.Hello("test.example"))
	for _, raw := range mails {
		must(d.tb, c.Mail("sender@test.example", nil))
		must(d.tb, c.Rcpt(user, nil))
		w, err := c.Data()
		must(d.tb, err)
		_, err = w.Write(raw)
		must(d.tb, err)
		_, err = w.CloseWithLMTPResponse()
		must(d.tb, err)
	}
}

// TLS is a client's configuration that trusts the server.
func (d *Dovecot) TLS() *tls.Config { return &tls.Config{RootCAs: d.Roots, ServerName: "localhost"} }

func (d *Dovecot) write(name, content string, mode os.FileMode) {
	d.tb.Helper()
	must(d.tb, os.WriteFile(filepath.Join(d.Dir, name), []byte(content), mode))
}

func (d *Dovecot) certificate() {
	d.tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(d.tb, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(d.tb, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(d.tb, err)
	d.certFile, d.keyFile = filepath.Join(d.Dir, "cert.pem"), filepath.Join(d.Dir, "key.pem")
	d.write("cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), 0o644)
	d.write("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})), 0o600)
	cert, err := x509.ParseCertificate(der)
	must(d.tb, err)
	d.Roots = x509.NewCertPool()
	d.Roots.AddCert(cert)
}

// folder is one that the servers' own users can reach; testing's lies under one that only root can.
func folder(tb TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("/tmp", "mailtest-")
	must(tb, err)
	must(tb, os.Chmod(dir, 0o755))
	tb.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// port finds an address of this machine that nobody listens on.
func port(tb TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(tb, err)
	defer l.Close()
	return l.Addr().String()
}

// answers waits until a server greets on the address, as long as its process runs. Each look costs a connection, no time
// is counted: a process that hangs is ended by the test's own limit.
func answers(addr, greeting string, done <-chan struct{}) bool {
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-done:
			return false
		case <-look.C:
		}
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			continue
		}
		line, err := bufio.NewReader(conn).ReadString('\n')
		conn.Close()
		if err == nil && strings.HasPrefix(line, greeting) {
			return true
		}
	}
}

func number(tb TB, text string) int {
	tb.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(text))
	must(tb, err)
	return n
}

func must(tb TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// Wait returns the files of a user's mails once there are n; it looks again each time the folder may have changed.
func (d *Dovecot) Wait(user string, n int) []string {
	d.tb.Helper()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		files, err := filepath.Glob(filepath.Join(d.Maildir(user), "new", "*"))
		must(d.tb, err)
		if len(files) >= n {
			return files
		}
		select {
		case <-d.done:
			d.tb.Fatal("dovecot ended")
		case <-look.C:
		}
	}
}
