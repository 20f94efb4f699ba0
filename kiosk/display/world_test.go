package display_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"countersign/internal/demo"
	"countersign/internal/tui/tuitest"
	"countersign/kiosk"
	"countersign/kiosk/display"
)

// counter is a real service with a clerk at the interface and a customer at the keys of the real screen.
type counter struct {
	t      *testing.T
	ctx    context.Context
	j      *demo.Journey
	screen *tuitest.Headless
	key    string
}

// sees waits until the customer's screen shows all of the words.
func (c *counter) sees(words ...string) string {
	c.t.Helper()
	shot, err := c.screen.Wait(c.ctx, func(s tuitest.Shot) bool {
		frame := c.screen.Plain()
		for _, w := range words {
			if !strings.Contains(frame, w) {
				return false
			}
		}
		return true
	})
	if err != nil {
		c.t.Fatalf("waiting for %q: %v\n%v\n%s", words, err, shot, c.screen.Plain())
	}
	return c.screen.Plain()
}

func (c *counter) types(keys string) {
	c.t.Helper()
	for _, k := range keys {
		if k == '\n' {
			c.must(c.screen.Press("enter"))
			continue
		}
		c.must(c.screen.Type(string(k)))
	}
}

func (c *counter) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// clerk takes the outcome of an act of the clerk's.
func (c *counter) clerk(v kiosk.OrderView, err error) {
	c.t.Helper()
	c.must(err)
	c.j.Order, c.key = v, v.Order.Key
}

func open(t *testing.T) *counter {
	t.Helper()
	w, err := demo.Build(t.Context(), t.TempDir(), demo.Choices{Cost: kiosk.PasswordCost{MemoryKiB: 64, Passes: 1, Threads: 1}, Quiet: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	c := &counter{t: t, ctx: ctx}
	c.j, err = w.Capacity(ctx)
	c.must(err)
	c.screen, err = tuitest.NewHeadless(display.New(c.j.Display, display.Options{}), 80, 24)
	c.must(err)
	t.Cleanup(func() {
		if err := c.screen.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// fill opens the visit and fills the form as the demonstration does.
func (c *counter) fill() {
	c.t.Helper()
	visit, err := c.j.Clerk.ScanVisit(c.ctx, "", c.j.Person.QR())
	c.must(err)
	c.clerk(c.j.Clerk.StartOrder(c.ctx, visit.Visit.Key, c.j.Service, false))
	for _, v := range c.j.Values {
		c.clerk(c.j.Clerk.SetField(c.ctx, c.key, v.Field, c.j.Order.Order.Values[v.Field].Text, v.Typed))
	}
	for field, rows := range c.j.Rows {
		c.clerk(c.j.Clerk.SetRows(c.ctx, c.key, field, rows))
	}
}

func TestACustomerWalksThroughTheRealServiceByDigitsAlone(t *testing.T) {
	c := open(t)
	c.sees("KÍNH CHÀO QUÝ KHÁCH", "Ngô Lan Anh")
	c.fill()
	c.sees("7,5 kW", "001*****0017")

	c.types("003") // The name is wrong, says the customer; the clerk explains; the customer looks again.
	c.sees("1 Sai chính tả")
	c.types("1")
	c.sees("quý khách: chưa đúng", "Đã báo ô 3")
	c.clerk(c.j.Clerk.Answer(c.ctx, c.key, c.field(3)))
	c.sees("Xin xem lại ô 03", "Enter Đúng")
	c.types("\n")
	c.sees("0 Có chỗ chưa đúng")
	c.clerk(c.j.Clerk.Invite(c.ctx, c.key))
	c.sees("0 Có chỗ chưa đúng", "mời quý khách xem lại")
	for !strings.Contains(c.screen.Plain(), "Enter Đúng hết") {
		c.types("+")
	}
	c.types("\n")

	first := c.sees("ĐỌC PHIẾU CÔNG VIỆC  trang 1/")
	v, err := c.j.Clerk.Order(c.ctx, c.key)
	c.clerk(v, err)
	if !strings.Contains(first, v.Hash) {
		t.Errorf("the clerk's hash %s is not on the customer's screen:\n%s", v.Hash, first)
	}
	pages := len(v.Order.Document.Pages)
	for n := 2; n <= pages; n++ {
		c.types("+")
		c.sees("trang " + string(rune('0'+n)) + "/")
	}
	c.types("+")
	c.sees("ĐỒNG Ý VỚI PHIẾU CÔNG VIỆC", "Enter Tôi đồng ý")
	c.types("\n")
	c.sees("THẺ VÀ ẢNH", "chưa chụp")
	c.clerk(c.j.Clerk.Portrait(c.ctx, c.key, c.j.Picture))
	c.sees("0 Chụp lại (còn 3 lần)")
	c.types("0")
	c.sees("chưa chụp")
	c.clerk(c.j.Clerk.Portrait(c.ctx, c.key, c.j.Picture))
	c.sees("0 Chụp lại (còn 2 lần)", "▒")
	c.clerk(c.j.Clerk.Judge(c.ctx, c.key))

	c.sees("Quý khách muốn xác nhận bằng cách nào?")
	from := c.j.Inbox.Count()
	c.types("1")
	c.sees("Thư vừa gửi tới", "lần 1/5")
	code, err := c.j.Inbox.Code(c.ctx, c.j.Mail, from)
	c.must(err)
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	c.types(wrong)
	c.sees("! Mã chưa đúng. Quý khách còn 4 lần.", "▸  _  _  _  _  _  _")
	c.types(code)
	c.sees("ĐANG CHỜ DẤU")
	number := c.j.Order.Order.Number
	c.clerk(c.j.Clerk.Seal(c.ctx, c.key, number[len(number)-4:]))
	c.sees("Quý khách muốn nhận bằng cách nào?")
	c.types("9")
	c.sees(c.j.Mail)
	c.types("1")
	c.sees("Hôm nay quý khách được phục vụ thế nào?")
	c.types("5")
	c.sees("XIN CẢM ƠN QUÝ KHÁCH", number[len(number)-6:])
	c.types("\n")
	last := c.sees("KÍNH CHÀO QUÝ KHÁCH")
	if strings.Contains(last, number[len(number)-6:]) {
		t.Errorf("the number stays on the screen:\n%s", last)
	}
}

// field is the name of a field by its number.
func (c *counter) field(n int) string {
	for _, f := range c.j.Order.Service.Fields() {
		if f.Number == n {
			return f.Name
		}
	}
	c.t.Fatalf("the form has no field %d", n)
	return ""
}
