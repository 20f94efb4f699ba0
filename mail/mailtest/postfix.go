package mailtest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/emersion/go-smtp"
)

// Postfix is a running server that takes mail for the domain example.test and hands it to Dovecot.
type Postfix struct {
	SMTP string // host:port
	Dir  string
}

// StartPostfix starts a server in front of d, with more lines of main.cf. Mail to any other domain it sends back.
func StartPostfix(tb TB, d *Dovecot, more ...string) *Postfix {
	tb.Helper()
	p := &Postfix{Dir: folder(tb), SMTP: port(tb)}
	conf := filepath.Join(p.Dir, "conf")
	must(tb, os.Mkdir(conf, 0o755))
	for _, name := range []string{"queue", "data"} {
		must(tb, os.Mkdir(filepath.Join(p.Dir, name), 0o755))
	}
	owner, err := user.Lookup("postfix")
	must(tb, err)
	must(tb, os.Chown(filepath.Join(p.Dir, "data"), number(tb, owner.Uid), number(tb, owner.Gid)))
	must(tb, os.WriteFile(filepath.Join(conf, "main.cf"), []byte(p.settings(d)+strings.Join(more, "\n")+"\n"), 0o644))
	master, err := os.ReadFile("/etc/postfix/master.cf")
	if err != nil {
		master, err = os.ReadFile("/usr/share/postfix/master.cf.dist")
	}
	must(tb, err)
	// The one service that listens gets our address; none runs in a chroot, which would need the system's files in it.
	services := regexp.MustCompile(`(?m)^smtp( +inet)`).ReplaceAllString(string(master), p.SMTP+"$1")
	services = regexp.MustCompile(`(?m)^(\S+ +(?:inet|unix|unix-dgram|fifo|pass) +\S+ +\S+ +)y`).ReplaceAllString(services, "${1}n")
	must(tb, os.WriteFile(filepath.Join(conf, "master.cf"), []byte(services), 0o644))

	var said bytes.Buffer
	c := exec.Command("postfix", "-c", conf, "start-fg")
	c.Stdout, c.Stderr = &said, &said
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	must(tb, c.Start())
	done := make(chan struct{})
	go func() {
		_ = c.Wait()
		close(done)
	}()
	tb.Cleanup(func() {
		if id, err := os.ReadFile(filepath.Join(p.Dir, "queue", "pid", "master.pid")); err == nil {
			_ = syscall.Kill(number(tb, string(id)), syscall.SIGTERM)
		}
		<-done
	})
	if !answers(p.SMTP, "220", done) {
		log, _ := os.ReadFile(filepath.Join(p.Dir, "mail.log"))
		tb.Fatalf("postfix did not start: %s%s", said.Bytes(), log)
	}
	return p
}

func (p *Postfix) settings(d *Dovecot) string {
	host, lmtp, _ := net.SplitHostPort(d.LMTP)
	lines := []string{
		"compatibility_level = 3.6", "queue_directory = " + p.Dir + "/queue", "data_directory = " + p.Dir + "/data",
		"command_directory = /usr/sbin", "daemon_directory = /usr/lib/postfix/sbin", "mail_owner = postfix", "setgid_group = postdrop",
		"myhostname = mx.example.test", "mydestination =", "inet_interfaces = 127.0.0.1", "inet_protocols = ipv4", "mynetworks = 127.0.0.0/8",
		"virtual_mailbox_domains = example.test", "virtual_mailbox_maps = static:ok", fmt.Sprintf("virtual_transport = lmtp:inet:%s:%s", host, lmtp),
		"smtpd_relay_restrictions = permit_mynetworks,reject_unauth_destination", "default_transport = error:no mail leaves the test",
		"alias_maps =", "alias_database =", "local_recipient_maps =", "smtpd_tls_cert_file = " + d.certFile, "smtpd_tls_key_file = " + d.keyFile,
		"smtpd_tls_security_level = may", "smtpd_peername_lookup = no", "smtp_dns_support_level = disabled", "lmtp_host_lookup = native",
		"maillog_file = " + p.Dir + "/mail.log", "maillog_file_prefixes = /var, /dev/stdout, /tmp", "smtpd_client_connection_rate_limit = 0",
		"message_size_limit = 52428800", "mailbox_size_limit = 0",
	}
	return strings.Join(lines, "\n") + "\n"
}

// Sink is a mail server that takes everything and keeps nothing.
func Sink(tb TB) (addr string) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(tb, err)
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return drain{}, nil }))
	s.Domain = "sink.example.test"
	go func() { _ = s.Serve(l) }()
	tb.Cleanup(func() { s.Close() })
	return l.Addr().String()
}

type drain struct{}

func (drain) Reset()                               {}
func (drain) Logout() error                        { return nil }
func (drain) Mail(string, *smtp.MailOptions) error { return nil }
func (drain) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (drain) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}
