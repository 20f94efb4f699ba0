package mailtest

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

func TestAMailPassesThroughPostfixIntoTheMailbox(t *testing.T) {
	d := StartDovecot(t, "desk@example.test")
	p := StartPostfix(t, d)
	conn, err := net.Dial("tcp", p.SMTP)
	if err != nil {
		t.Fatal(err)
	}
	c := smtp.NewClient(conn)
	defer c.Close()
	if err := c.SendMail("khach@mau.example", []string{"desk@example.test"}, strings.NewReader("Subject: thu\r\n\r\nXin chao.\r\n")); err != nil {
		t.Fatal(err)
	}
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for strings.TrimSpace(d.Admin("search", "-u", "desk@example.test", "subject", "thu")) == "" {
		<-look.C
	}
}
