package demo

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	netmail "net/mail"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"countersign/helpdesk"
	"countersign/internal/api"
	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/internal/service"
	"countersign/kiosk"
	"countersign/kiosk/portrait"
	"countersign/mail"
	"countersign/mail/fetch"
	"countersign/mail/message"
	"countersign/mail/outbox"
	"countersign/mail/smime"
)

// The people of the helpdesk and its customer; Agent signs in with Password.
const (
	DeskMailbox = "hotro@kbnn.example"
	Accountant  = "ketoan@mau.example"
	Agent       = "leminh"

	deskSecret       = "hotro-mo-phong"
	accountantSecret = "ketoan-mo-phong"
	agentName        = "Lê Minh Thử"
	agentPlace       = "HT1"
	extension        = "88610"
)

// helpdesk says how the service reads and sends the support mails.
func (w *World) helpdesk() service.DeskOptions {
	return service.DeskOptions{Address: DeskMailbox, Name: "Tổ hỗ trợ Mẫu", Hotline: "024 0000 0000", AuthServID: borderName,
		Mail: service.MailOptions{
			Server: &outbox.Server{Addr: w.Inbox.Addr(), TLS: "none", Hello: "desk.demo.example"},
			IMAP: []fetch.IMAP{{Name: "hotro", Addr: w.Inbox.IMAP(), TLS: "none", User: DeskMailbox, After: fetch.Flag,
				Secret: func(context.Context) (string, error) { return deskSecret, nil }}},
		}}
}

// supporters adds the agent who answers support mails.
func (w *World) supporters(ctx context.Context) error {
	s := w.Service
	u := kiosk.User{Name: Agent, FullName: agentName, StaffID: "6101", Unit: Unit, Roles: []kiosk.Role{kiosk.RoleAgent}}
	if err := s.AddUser(ctx, u, Password, Unlock); err != nil {
		return err
	}
	keeper := helpdesk.Actor{Agent: helpdesk.Agent{Name: "admin", Roles: []helpdesk.Role{helpdesk.RoleKeeper}}}
	return s.Desk.PutAgent(ctx, keeper, helpdesk.Agent{Name: Agent, FullName: agentName, Extension: extension,
		Roles: []helpdesk.Role{helpdesk.RoleAgent}, Since: s.Options.Clock.Now()})
}

// mailboxes tells how any mail program opens the mailboxes of the demonstration.
func (w *World) mailboxes() []byte {
	return fmt.Appendf(nil, "MÔ PHỎNG\nIMAP %s\nSMTP %s\n%s %s\n%s %s\n", w.Inbox.IMAP(), w.Inbox.Addr(), DeskMailbox, deskSecret, Accountant, accountantSecret)
}

// sender is the one address in From.
func sender(raw []byte) (string, error) {
	from, ok := message.Parse(raw, message.Limits{}).Sole()
	if !ok {
		return "", errors.New("the mail has not exactly one sender")
	}
	return from.Addr, nil
}

// Support is the life of one support mail: the customer's acts through the mail server, the agent's through the desk's
// interface.
type Support struct {
	world  *World
	agent  *api.Agent
	lang   locale.Lang
	out    io.Writer
	ticket string
	first  string // Message-ID of the customer's mail
	ack    *mail.Message
	answer *mail.Message
	signed Letter // the agent's answer as it arrived
	step   int
}

// supportPatience is how long a step of the life may take.
const supportPatience = 30 * time.Second

// playSupport plays the life of a support mail, telling each step, and leaves the signed answer in out/.
func (w *World) playSupport(ctx context.Context, out io.Writer, lang locale.Lang) error {
	ctx, cancel := context.WithTimeout(ctx, supportPatience)
	defer cancel()
	s := &Support{world: w, agent: &api.Agent{Clerk: &api.Clerk{Client: w.Client(), Unit: Unit, Counter: agentPlace}}, lang: lang, out: out}
	fmt.Fprintf(out, "\n%s\n", locale.Text(lang, "demo.support", locale.Args{"imap": w.Inbox.IMAP()}))
	for i, part := range []func(context.Context) error{s.ask, s.acknowledged, s.take, s.refuse, s.reply, s.thank, s.resolve} {
		s.step = i + 1
		if err := part(ctx); err != nil {
			return fmt.Errorf("support mail, step %d: %w", s.step, err)
		}
	}
	journal, err := w.Service.VerifyJournal(ctx, nil)
	if err != nil {
		return err
	}
	if !journal.OK() {
		return fmt.Errorf("the journal is broken from entry %d on", journal.First())
	}
	name := w.path("out", "ticket-reply.eml")
	if err := os.WriteFile(name, s.signed.Raw, 0o600); err != nil {
		return fmt.Errorf("leave the answer to the support mail: %w", err)
	}
	fmt.Fprintf(out, "\n%s  %s\n", locale.Text(lang, "demo.left.answer", nil), name)
	return nil
}

func (s *Support) tell(args locale.Args) {
	what := locale.Text(s.lang, "demo.support."+strconv.Itoa(s.step), args)
	fmt.Fprintln(s.out, locale.Text(s.lang, "demo.step", locale.Args{"n": s.step, "what": what}))
}

const (
	supportSubject = "[0010#DVC] Không nhận USB token khi ký chứng từ"
	supportText    = "Kính gửi bộ phận hỗ trợ,\n\nMáy của đơn vị không nhận USB token khi ký chứng từ, báo lỗi không tìm thấy thiết bị.\nMã PIN của em là 135790. Điện thoại 0900 000 031.\n\nTrần Thị Kế Toán\n"
	supportThanks  = "Em cắm sang cổng phía sau thì ký được rồi. Cảm ơn anh.\n"
	supportLink    = "Chị tải bộ cài tại http://taive.example/token.exe rồi chạy giúp em.\n"
	supportReply   = "Kính gửi chị,\n\nXin chị rút USB token, cắm vào cổng phía sau của máy rồi mở lại trình duyệt. Xin chị không gửi mã PIN cho bất kỳ ai; mã đã lộ thì xin chị đổi ngay.\n"
)

// ask sends the customer's mail.
func (s *Support) ask(ctx context.Context) error {
	picture, err := portrait.SyntheticJPEG(31, portrait.Sharp)
	if err != nil {
		return err
	}
	s.first = fmt.Sprintf("%d@mau.example", s.world.Service.Options.Clock.Now().UnixNano())
	m := message.Mail{Subject: supportSubject, MessageID: s.first, Text: supportText,
		Files: []message.File{{Name: "man-hinh-loi.jpg", Type: "image/jpeg", Data: picture}}}
	if err := s.write(ctx, DeskMailbox, m); err != nil {
		return err
	}
	s.tell(locale.Args{"from": Accountant, "subject": supportSubject})
	return nil
}

// write hands a mail of the customer's in, as their mail program would.
func (s *Support) write(ctx context.Context, to string, m message.Mail) error {
	m.From, m.To = netmail.Address{Name: "Trần Thị Kế Toán", Address: Accountant}, netmail.Address{Address: to}
	m.Date = s.world.Service.Options.Clock.Now()
	raw, err := message.Build(m)
	if err != nil {
		return err
	}
	way := &outbox.Server{Addr: s.world.Inbox.Addr(), TLS: "none", Hello: "pc.mau.example", User: Accountant, Password: accountantSecret}
	return way.Send(ctx, Accountant, to, raw)
}

// receive waits for the helpdesk's next mail to the customer and verifies its signature as the customer's program would.
func (s *Support) receive(ctx context.Context, from int, match *regexp.Regexp) (Letter, *mail.Message, string, error) {
	found, letter, err := s.world.Inbox.find(ctx, Accountant, from, match)
	if err != nil {
		return letter, nil, "", err
	}
	m := message.Parse(letter.Raw, message.Limits{})
	roots := x509.NewCertPool()
	roots.AddCert(s.world.Service.Root)
	judged := smime.Inspect(m, smime.Policy{Roots: roots, At: s.world.Service.Options.Clock.Now()})
	if !judged.Proves() {
		return letter, nil, "", fmt.Errorf("the signature of the helpdesk's mail is %s: %v", judged.Status, judged.Reasons)
	}
	return letter, m, found, nil
}

var ticketName = regexp.MustCompile(`(SD\d{6}-\d{6,})`)

// acknowledged waits for the signed acknowledgement in the customer's mailbox.
func (s *Support) acknowledged(ctx context.Context) (err error) {
	if _, s.ack, s.ticket, err = s.receive(ctx, 0, ticketName); err != nil {
		return err
	}
	if len(s.ack.References) == 0 || s.ack.References[len(s.ack.References)-1] != s.first {
		return fmt.Errorf("the acknowledgement does not answer the customer's mail: %v", s.ack.References)
	}
	s.tell(locale.Args{"ticket": s.ticket, "from": DeskMailbox})
	return nil
}

// take lets the agent sign in and take the ticket; the secret in it is masked.
func (s *Support) take(ctx context.Context) error {
	if _, err := s.agent.SignIn(ctx, Agent, Password); err != nil {
		return err
	}
	if _, err := s.agent.Take(ctx, s.ticket); err != nil {
		return err
	}
	sheet, err := s.agent.Ticket(ctx, s.ticket)
	if err != nil {
		return err
	}
	first := sheet.Thread[0]
	if strings.Contains(first.Text, "135790") || len(first.Masks) == 0 {
		return errors.New("the PIN in the customer's mail is not masked")
	}
	s.tell(locale.Args{"agent": agentName, "province": sheet.Ticket.Route.Province, "category": sheet.Ticket.Category, "level": locale.Text(s.lang, "mail.level."+string(first.Trust.Level), nil)})
	return nil
}

// refuse shows that a draft with a link does not leave.
func (s *Support) refuse(ctx context.Context) error {
	_, err := s.agent.Reply(ctx, s.ticket, helpdesk.Draft{Text: supportLink})
	if !fault.Is(err, "reply.lint") {
		return fmt.Errorf("a draft with a link is not refused: %w", err)
	}
	s.tell(locale.Args{"refusal": locale.Fault(s.lang, err)})
	return nil
}

// reply sends the agent's answer and waits for it in the customer's mailbox.
func (s *Support) reply(ctx context.Context) error {
	from := s.world.Inbox.Count()
	if _, err := s.agent.Reply(ctx, s.ticket, helpdesk.Draft{Text: supportReply, Wait: true}); err != nil {
		return err
	}
	var err error
	if s.signed, s.answer, _, err = s.receive(ctx, from, ticketName); err != nil {
		return err
	}
	if len(s.answer.ReplyTo) != 1 {
		return fmt.Errorf("answers go to %v", s.answer.ReplyTo)
	}
	s.tell(locale.Args{"from": s.answer.From[0].Name})
	return nil
}

// thank sends the customer's answer, which joins the ticket.
func (s *Support) thank(ctx context.Context) error {
	m := message.Mail{Subject: "Re: " + s.answer.Subject, MessageID: "re." + s.first, Text: supportThanks, Parents: []string{s.answer.MessageID}}
	if err := s.write(ctx, s.answer.ReplyTo[0].Addr, m); err != nil {
		return err
	}
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		sheet, err := s.agent.Ticket(ctx, s.ticket)
		if err != nil {
			return err
		}
		last := sheet.Thread[len(sheet.Thread)-1]
		if last.Kind == helpdesk.FromCustomer && len(sheet.Thread) > 1 {
			s.tell(locale.Args{"ticket": s.ticket, "n": len(sheet.Thread)})
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the customer's answer has not joined the ticket: %w", ctx.Err())
		case <-look.C:
		}
	}
}

// resolve ends the ticket.
func (s *Support) resolve(ctx context.Context) error {
	t, err := s.agent.Do(ctx, s.ticket, helpdesk.StepResolve)
	if err != nil {
		return err
	}
	if t.State != helpdesk.Resolved {
		return fmt.Errorf("the ticket is %s", t.State)
	}
	s.tell(locale.Args{"ticket": s.ticket})
	return nil
}
