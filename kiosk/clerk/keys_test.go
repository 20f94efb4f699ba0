package clerk

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"countersign/internal/locale"
	"countersign/internal/tui"
	"countersign/kiosk"
)

// cheatSheet writes docs/keys.md from the key table.
func cheatSheet() string {
	var b strings.Builder
	b.WriteString("# Keys of the clerk's terminal\n\nMade from the key table in kiosk/clerk (`go test ./kiosk/clerk -run CheatSheet -update`). A twin is what to press where the\n" +
		"terminal or the laptop keeps the key for itself. Everywhere: F1 (Alt+1) help, Ctrl+L lock both screens, Ctrl+R redraw.\n")
	for _, table := range tables() {
		fmt.Fprintf(&b, "\n## %s %s\n\n| Key | Twin | vi | en | zh-Hant |\n|---|---|---|---|---|\n", table.id, locale.Text(locale.English, table.title, nil))
		seen := map[string]bool{}
		for _, k := range table.keys {
			row := fmt.Sprintf("| %s | %s |", k.shown(), k.twin())
			for _, l := range locale.Langs {
				row += " " + locale.Text(l, k.label, nil) + " |"
			}
			if !seen[row] {
				seen[row] = true
				b.WriteString(row + "\n")
			}
		}
	}
	return b.String()
}

func TestCheatSheetIsWhatTheKeyTableSays(t *testing.T) {
	const path = "../../docs/keys.md"
	if *update {
		if err := os.WriteFile(path, []byte(cheatSheet()), 0o644); err != nil { //nolint:gosec // a public document
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != cheatSheet() {
		t.Error("docs/keys.md is stale: go test ./kiosk/clerk -run CheatSheet -update")
	}
}

func TestNeverBoundKeysAreNotBound(t *testing.T) {
	for _, table := range tables() {
		for _, k := range table.keys {
			for _, n := range k.names {
				switch n {
				case "ctrl+a", "ctrl+b", "ctrl+c", "ctrl+q", "ctrl+o", "ctrl+v", "alt+f4":
					t.Errorf("%s binds %s", table.id, n)
				}
			}
			if k.do == nil && len(k.names) > 0 {
				t.Errorf("%s: %v does nothing", table.id, k.names)
			}
		}
	}
}

func TestRow24FitsEveryWidth(t *testing.T) {
	a, _ := bare(t, "11")
	for width := minWidth; width <= 200; width++ {
		n := 0
		for i, b := range a.row24(width) {
			if i > 0 {
				n += 3
			}
			n += tui.Width(b.show) + 1 + tui.Width(a.t(b.label, nil))
		}
		if n > width {
			t.Fatalf("row 24 takes %d cells of %d", n, width)
		}
	}
}

// finish goes from the invitation to the seal and returns the keys that the clerk pressed.
func (w *world) finish() int {
	w.t.Helper()
	w.play(`see "Đã mời"`)
	w.hall.customer(w.t, w.hall.generated)
	w.hall.customer(w.t, func(o *kiosk.Order) error {
		for p := range o.Document.Pages {
			if err := o.ShowPage(p+1, w.hall.clock.Now()); err != nil {
				return err
			}
		}
		return nil
	})
	w.wait("trang 3/3")
	if o, _ := w.hall.with(w.hall.newest(), nil); o.Order.Card == nil {
		w.play(`scan "${qr}"
			see "Đã đọc thẻ"`)
	}
	w.hall.customer(w.t, func(o *kiosk.Order) error {
		s, _ := w.hall.cat.Service(o.Service)
		w.hall.matched(o, s)
		return o.Agree("3f9a", w.hall.clock.Now())
	})
	w.wait("CHỤP ẢNH")
	w.shot <- w.hall.picture
	n := w.play(`see "Đúng người, nhận ảnh"
		count overhead
		type 1
		see "CHỜ KHÁCH XÁC NHẬN"`).Overhead
	w.hall.customer(w.t, func(o *kiosk.Order) error {
		if err := o.Challenged("c1", kiosk.ByMail, w.hall.clock.Now()); err != nil {
			return err
		}
		return o.ConfirmedBy(kiosk.Confirmation{Method: "otp_mail", Challenge: "c1", At: w.hall.clock.Now(), SignedID: "s"}, w.hall.clock.Now())
	})
	return n + w.play(`see "ĐÓNG DẤU"
		count overhead
		type 0042
		see "đã ký, đóng dấu và lưu"`).Overhead
}

// TestKeyBudget counts form 01 as the budget does: what makes content, and all other keys at the clerk's keyboard.
func TestKeyBudget(t *testing.T) {
	t.Run("a new customer, everything typed", typedBudget)
	t.Run("a card scanned", scannedBudget)
	t.Run("a returning customer, the same service", returningBudget)
}

func typedBudget(t *testing.T) {
	const fields = 15
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.signIn()
	c := w.play(`count overhead
			key f6
			type 01
			count usual
			type 1
			type 001090000017
			type "NGUYỄN VĂN THỬ"
			key enter
			type 01011990
			type "12 phố Mẫu, phường Thử, Bắc Giang"
			key enter
			type 0900000018
			type thu@mau.example
			key enter
			count overhead
			type =
			count usual
			type 1
			type 1
			type 3
			key enter
			type 2
			see "2 Thư điện tử"
			key f10
			see "SẼ KÝ"
			key f10`)
	c.Overhead += w.finish()
	t.Logf("content %d, overhead %d", c.Content, c.Overhead)
	if c.Overhead > fields+5 {
		t.Errorf("%d keys that make no content, %d are allowed", c.Overhead, fields+5)
	}
}

func scannedBudget(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.signIn()
	w.hall.known = nil
	c := w.play(`scan "${qr}"
			see "CHỌN DỊCH VỤ"
			count overhead
			type 01
			count usual
			see "PHIẾU 01"
			type 1
			type 0900000018
			type thu@mau.example
			key enter
			count overhead
			type =
			count usual
			type 1
			type 1
			type 3
			key enter
			type 2
			see "2 Thư điện tử"
			key f10
			see "SẼ KÝ"
			key f10`)
	c.Overhead += w.finish()
	t.Logf("content %d, overhead %d", c.Content, c.Overhead)
	if c.Overhead > 14 {
		t.Errorf("%d keys that make no content, 14 are allowed", c.Overhead)
	}
}

func returningBudget(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.hall.known[0].Last = w.hall.known[0].Last[1:]
	w.hall.again = true
	w.signIn()
	c := w.play(`scan "${qr}"
			see "CHỌN DỊCH VỤ"
			key f9
			see "PHIẾU 11"
			type 1
			type 7,5
			key enter
			see "7,5 kW"
			key f10
			see "SẼ KÝ"
			key f10`)
	all := c.Content + c.Overhead + w.finish()
	t.Logf("%d keys", all)
	if all > 25 {
		t.Errorf("%d keys in all, 25 are allowed", all)
	}
}
