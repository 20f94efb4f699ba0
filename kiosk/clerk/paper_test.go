package clerk

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"countersign/internal/fault"
	"countersign/internal/locale"
	"countersign/kiosk"
)

// scanned writes a file as a scanner would, and returns its path.
func scanned(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func aPDF(size int) []byte {
	return append(append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("x"), size)...), "\nstartxref\n9\n%%EOF\n"...)
}

// atProof opens the form of service 12 and goes to its file field.
func (w *world) atProof() {
	w.t.Helper()
	w.signIn()
	w.play(`scan "${qr}"
		see "11"
		type 12
		see "Bản chụp giấy tờ"`)
	for range 30 {
		if f, ok := w.app.formPage(); ok && f.at.field != nil && f.at.field.Name == "proof" {
			return
		}
		w.play("key down")
	}
	w.t.Fatalf("the caret never came to the file field\n%s", w.at.Plain())
}

func TestAFileFieldReadsTheFileThatIsTypedAndSavesIt(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	dir := t.TempDir()
	path := scanned(t, dir, "giay-nha.pdf", aPDF(214_000))
	w.atProof()
	w.golden("k5-file")
	w.play(`type "` + path + `"
		key enter
		see "giay-nha.pdf, 214 kB"
		see "✓ 09:14"`)
	w.golden("k5-file-saved")
	if !bytes.Equal(w.hall.files["proof"], aPDF(214_000)) {
		t.Error("what was saved is not the file")
	}
	w.hall.mu.Lock()
	shown := slices.Clone(w.hall.typed)
	w.hall.mu.Unlock()
	for _, s := range shown {
		if strings.Contains(s, "/") || strings.HasPrefix(s, "proof=g") {
			t.Errorf("the customer's screen was shown %q", s)
		}
	}
	w.play("key up")
	w.play(`key enter
		see "giay-nha.pdf, 214 kB"`)
	if v := w.hall.orders["order1"].Values["proof"]; v.File == nil {
		t.Error("Enter on a filled file field erased it")
	}
	w.play(`key ctrl+z
		see-not "giay-nha.pdf"`)
}

func TestAFileThatNoFieldTakesIsRefusedInTheNote(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	dir := t.TempDir()
	big := filepath.Join(dir, "lon.pdf")
	if err := os.WriteFile(big, []byte("%PDF-"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(big, 40<<20); err != nil {
		t.Fatal(err)
	}
	w.atProof()
	for path, note := range map[string]string{
		filepath.Join(dir, "khong-co.pdf"):                              "không có tệp này",
		scanned(t, dir, "thu.pdf", []byte("Thưa quý công ty\n")):        "không phải PDF, ảnh",
		scanned(t, dir, "trong.pdf", nil):                               "tệp trống",
		scanned(t, dir, "dang-quet.pdf", []byte("%PDF-1.7\n1 0 obj\n")): "tệp chưa trọn",
		dir: "không đọc được",
		big: "42 MB, tối đa 8",
	} {
		w.play(`key ctrl+u
			type "` + path + `"
			key enter
			see "! ` + note + `"
			key up`)
		if f, _ := w.app.formPage(); f.at.field.Name != "proof" {
			w.play("key down")
		}
		for range 3 {
			if f, _ := w.app.formPage(); f.at.field.Name != "proof" {
				w.play("key up")
			}
		}
	}
	if len(w.hall.files) > 0 {
		t.Error("a refused file was sent")
	}
}

func TestF4ListsTheNewestPapersOfTheFolder(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	dir := t.TempDir()
	for i, name := range []string{"cu.pdf", "moi.png", "giua.jpg"} {
		path := scanned(t, dir, name, aPDF(1000*(i+1)))
		at := morning.Add(time.Duration([]int{-60, -1, -30}[i]) * time.Minute)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	scanned(t, dir, ".moi.swp", aPDF(1))
	if err := os.Mkdir(filepath.Join(dir, "luu"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.app.opt.Papers = PapersIn(dir)
	w.atProof()
	w.play(`key f4
		see "moi.png"`)
	w.golden("k6-papers")
	w.play(`type 2
		see "giua.jpg, 3 kB"`)
	if len(w.hall.files["proof"]) != len(aPDF(3000)) {
		t.Error("another file was saved than the one that was chosen")
	}
	if _, err := PapersIn(filepath.Join(dir, "none"))(t.Context()); !fault.Is(err, "file.folder") {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestAPathIsReadAsPeopleTypeIt(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	for typed, want := range map[string]string{
		"/a/b.pdf": "/a/b.pdf", " /a/b c.pdf ": "/a/b c.pdf", `"/a/b.pdf"`: "/a/b.pdf", "'/a/b.pdf'": "/a/b.pdf",
		"~/scan/b.pdf": filepath.Join(home, "scan", "b.pdf"), "b.pdf": "b.pdf", `"`: `"`,
	} {
		if got := localPath(typed); got != want {
			t.Errorf("%q is read as %q, want %q", typed, got, want)
		}
	}
}

func TestK1AsksForAPasswordOfOnesOwnFirst(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.play(`type vaolam
		key enter
		type Quay3@BacGiang
		key enter
		see "ĐỔI MẬT KHẨU"
		type abcd1234
		key enter
		type abcd1234
		key enter
		see "Mật khẩu thiếu: chữ hoa, ký tự đặc biệt."`)
	w.golden("k1-new-password")
	w.play(`type Moi@2026x
		key enter
		type Moi@2026y
		key enter
		see "khác nhau"
		type Moi@2026x
		key enter
		type Moi@2026x
		key enter
		see "ĐẶT MÃ MỞ KHÓA"
		type 271828
		type 271828
		see "` + w.app.t("clerk.home.visits", nil) + `"`)
	if w.app.sign.given != "" {
		t.Error("the given password is still kept")
	}
}

func TestK1LeavesAGivenPasswordBySigningOut(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.play(`type vaolam
		key enter
		type Quay3@BacGiang
		key enter
		see "ĐỔI MẬT KHẨU"
		key esc
		see "MỞ CA LÀM VIỆC"`)
	if w.app.sign.given != "" || w.app.shift {
		t.Error("the shift is still open")
	}
}

func TestK4SaysHowTheConditionsStandAndExplainsWhatItDoesNotOpen(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.hall.findings = map[string][]kiosk.Finding{}
	for number, states := range map[string][]string{"11": {"met", "unknown", "met"}, "12": {"met", "failed"}} {
		s, _ := w.hall.cat.Service(number)
		for i, c := range s.Conditions {
			w.hall.findings[number] = append(w.hall.findings[number], kiosk.Finding{Text: c.Text, State: states[i], Blocks: c.Blocks})
		}
	}
	w.signIn()
	w.play(`scan "${qr}"
		see "CẤP ĐIỆN"
		type 12
		see "! Chưa mở được. Cần có trước: Không nợ quá hạn."`)
	w.golden("k4-not-eligible")
	w.play(`key up
		see "▪ Không có yêu cầu cùng loại đang mở"
		see "✓ Không nợ quá hạn"
		type 11
		see "` + w.app.t("clerk.step.2", nil) + `"`)
}

func TestEqualsCopiesTheResidenceAndSaysFromWhere(t *testing.T) {
	w := newWorld(t, locale.Vietnamese, 80, 24)
	w.signIn()
	w.play(`key f6
		see "CẤP ĐIỆN"
		type 01
		see "Đối chiếu giấy tờ"`)
	for range 30 {
		if f, _ := w.app.formPage(); f.at.field.Name == "residence" {
			break
		}
		w.play("key down")
	}
	w.play(`type "12 phố Mẫu, phường Thử, Bắc Giang"
		key enter`)
	for range 30 {
		if f, _ := w.app.formPage(); f.at.field.Name == "use_address" {
			break
		}
		w.play("key down")
	}
	w.play(`type =
		see "◦ theo ô 6"`)
	if v := w.hall.orders["order1"].Values["use_address"]; v.Source != "same:residence" || v.Text != "12 phố Mẫu, phường Thử, Bắc Giang" {
		t.Errorf("%+v", v)
	}
}
