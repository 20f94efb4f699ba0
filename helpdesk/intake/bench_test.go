package intake

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"countersign/helpdesk"
	"countersign/internal/clock"
)

// BenchmarkIntake is one mail of about 4 KB of text, every fifth with a picture of 100 KB, from bytes to ticket with its
// receipt queued.
func BenchmarkIntake(b *testing.B) {
	r := reception(b, b.TempDir(), clock.System{}, "hotro@kbnn.example")
	r.Limits = Limits{Correction: time.Hour}
	dice := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields(`kho bạc nhà nước hồ sơ chứng từ điện tử lệnh chi tài khoản đơn vị sử dụng ngân sách ký số báo lỗi
		không đăng nhập được trạng thái chờ duyệt xin hướng dẫn mã QHNS số dư dự toán thanh toán từ chối giao diện cập nhật`)
	picture := strings.Repeat(strings.Repeat("A", 76)+"\r\n", 1750)
	var list []helpdesk.Arrival
	for i := range b.N {
		var text strings.Builder
		for text.Len() < 4096 {
			text.WriteString(words[dice.IntN(len(words))] + " ")
			if dice.IntN(12) == 0 {
				text.WriteString("\r\n")
			}
		}
		l := letter{from: fmt.Sprintf("user%d@customer.example", i%1000), subject: fmt.Sprintf("[0010#DVC] Yêu cầu %d", i),
			id: fmt.Sprintf("%d@customer.example", i), level: "aligned", text: text.String(), picture: i%5 == 0}
		if i%7 == 6 {
			l.refs = fmt.Sprintf("%d@customer.example", i-3)
		}
		raw := strings.Replace(string(l.raw()), "iVBORw0KGgo", picture+"iVBORw0KGgo", 1)
		list = append(list, helpdesk.Arrival{Mailbox: "hotro", UIDValidity: 1, UID: uint32(i + 1), Raw: []byte(raw)})
	}
	b.ReportAllocs()
	b.ResetTimer()
	for len(list) > 0 {
		n := min(len(list), 64)
		if _, err := r.Arrive(context.Background(), list[:n]); err != nil {
			b.Fatal(err)
		}
		list = list[n:]
	}
	if n, err := r.Drain(context.Background()); err != nil || n != b.N {
		b.Fatal(n, err)
	}
}
