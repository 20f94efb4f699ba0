package message

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/unicode/norm"

	"countersign/mail"
)

func encode(t *testing.T, e encoding.Encoding, s string) string {
	t.Helper()
	out, err := e.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// in1258 writes Vietnamese as windows-1258 has it: vowels with their hats, tone marks behind them.
func in1258(t *testing.T, s string) string {
	t.Helper()
	var out []byte
	for _, r := range norm.NFC.String(s) {
		if b, ok := charmap.Windows1258.EncodeRune(r); ok {
			out = append(out, b)
			continue
		}
		for _, part := range decompose(r) {
			b, ok := charmap.Windows1258.EncodeRune(part)
			if !ok {
				t.Fatalf("windows-1258 has no %q", part)
			}
			out = append(out, b)
		}
	}
	return string(out)
}

// decompose takes one tone mark off: ế is ê and an acute.
func decompose(r rune) []rune {
	all := []rune(norm.NFD.String(string(r)))
	for i, mark := range all[1:] {
		if strings.ContainsRune("\u0300\u0301\u0303\u0309\u0323", mark) {
			rest := append(append([]rune{}, all[:i+1]...), all[i+2:]...)
			return append([]rune(norm.NFC.String(string(rest))), mark)
		}
	}
	return all
}

func inTCVN(s string) string {
	var out []byte
	for _, r := range s {
		if r < 0x80 {
			out = append(out, byte(r))
		} else {
			out = append(out, byte(0x80+slices.Index([]rune(tcvnUpper), r)))
		}
	}
	return string(out)
}

const (
	viet = "Kính gửi Kho bạc: đơn vị không ký được chứng từ, đề nghị hỗ trợ gấp."
	hans = "您好，我们无法登录系统，请问客户服务电话是多少？谢谢"
	hant = "您好，我們無法登入系統，請問客戶服務電話是多少？謝謝"
	kana = "お世話になっております。システムにログインできません。"
	hang = "안녕하세요 시스템에 로그인할 수 없습니다 확인 부탁드립니다"
)

func TestTextComesOutInEveryCharacterSet(t *testing.T) {
	for _, c := range []struct{ set, bytes, want string }{
		{"utf-8", viet, viet},
		{"utf-8", norm.NFD.String(viet), viet},
		{"windows-1258", in1258(t, viet), viet},
		{"x-viet-tcvn5712", inTCVN(viet), viet},
		{"gb2312", encode(t, simplifiedchinese.GBK, hans), hans},
		{"gb18030", encode(t, simplifiedchinese.GB18030, hans+"𠮷"), hans + "𠮷"},
		{"big5", encode(t, traditionalchinese.Big5, hant), hant},
		{"shift_jis", encode(t, japanese.ShiftJIS, kana), kana},
		{"euc-jp", encode(t, japanese.EUCJP, kana), kana},
		{"iso-2022-jp", encode(t, japanese.ISO2022JP, kana), kana},
		{"euc-kr", encode(t, korean.EUCKR, hang), hang},
		{"ks_c_5601-1987", encode(t, korean.EUCKR, hang), hang},
		{"iso-8859-1", encode(t, charmap.ISO8859_1, "Grüße aus Köln"), "Grüße aus Köln"},
		{"utf-7", "Xin ch+AOA-o +Hr8", "Xin chào ế"},
		// Declared wrongly, or not at all.
		{"us-ascii", viet, viet},
		{"iso-8859-1", viet, viet},
		{"x-unknown", viet, viet},
		{"", viet, viet},
		{"", in1258(t, viet), viet},
		{"", inTCVN(viet), viet},
		{"", encode(t, simplifiedchinese.GBK, hans), hans},
		{"", encode(t, traditionalchinese.Big5, hant), hant},
		{"", encode(t, japanese.ShiftJIS, kana), kana},
		{"", encode(t, japanese.EUCJP, kana), kana},
		{"", encode(t, japanese.ISO2022JP, kana), kana},
		{"", encode(t, korean.EUCKR, hang), hang},
		{"", encode(t, charmap.Windows1252, "Grüße aus Köln"), "Grüße aus Köln"},
		{"", encode(t, charmap.Windows1252, "Réponse à l'élève"), "Réponse à l'élève"},
		{"", inTCVN("Lỗi đăng nhập"), "Lỗi đăng nhập"},
		{"", encode(t, charmap.Windows1252, "Guten Tag, ich kann mich nicht anmelden. Schöne Grüße"), "Guten Tag, ich kann mich nicht anmelden. Schöne Grüße"},
	} {
		kind := "text/plain"
		if c.set != "" {
			kind += "; charset=" + c.set
		}
		m := Parse([]byte("From: a@b.example\nSubject: x\nContent-Type: "+kind+"\n\n"+c.bytes+"\n"), Limits{})
		if m.Text != c.want {
			t.Errorf("%s: %q, want %q", c.set, m.Text, c.want)
		}
		// The same in a header: encoded, and raw.
		if c.set != "" && c.set != "x-unknown" && c.set != "utf-7" {
			word := "=?" + c.set + "?B?" + base64.StdEncoding.EncodeToString([]byte(c.bytes)) + "?="
			if m := Parse([]byte("From: a@b.example\nSubject: "+word+"\n\nx"), Limits{}); m.Subject != c.want {
				t.Errorf("subject in %s: %q, want %q", c.set, m.Subject, c.want)
			}
		}
		if m := Parse([]byte("From: a@b.example\nSubject: "+c.bytes+"\nContent-Type: "+kind+"\n\nx"), Limits{}); c.set != "utf-7" && m.Subject != c.want {
			t.Errorf("raw subject in %q: %q, want %q", c.set, m.Subject, c.want)
		}
	}
}

func TestSubjectsAreDecodedAsProgramsWriteThem(t *testing.T) {
	for value, want := range map[string]string{
		"=?utf-8?B?xJHGoW4=?= =?utf-8?Q?_v=E1=BB=8B?=": "đơn vị",
		"=?utf-8?B?xJHGoW4?=":                          "đơn",
		"=?utf-8?Q?=E1=BB?= =?utf-8?Q?=8B?=":           "ị",
		"=?utf-8?Q?a?==?utf-8?Q?b?=":                   "ab",
		"=?utf-8?Q?a?=\n =?utf-8?Q?b?=":                "ab",
		"=?utf-8?Q?with space?=":                       "with space",
		"x =?utf-8?Q?b?= y":                            "x b y",
		"=?utf-8*vi?Q?b?=":                             "b",
		"=?utf-8?Q?cut off":                            "cut off",
		"=?utf-8?X?b?=":                                "=?utf-8?X?b?=",
		"=?x-nothing?Q?b=E1=BB=8B?=":                   "bị",
		"plain":                                        "plain",
		"a\x00b\x1b[31m":                               "ab[31m",
		"=?utf-8?Q?a=0D=0ABcc:_x?=":                    "a  Bcc: x",
		"[0010#DVC] =?UTF-8?B?bOG7l2k=?=":              "[0010#DVC] lỗi",
		"=?iso-2022-jp?B?GyRCJCIbKEI=?= =?iso-2022-jp?B?GyRCJCQbKEI=?=": "あい",
	} {
		m := Parse([]byte("From: a@b.example\nSubject: "+value+"\n\nx"), Limits{})
		if m.Subject != want {
			t.Errorf("%q: %q, want %q", value, m.Subject, want)
		}
	}
}

func TestAddressesAreReadAsProgramsWriteThem(t *testing.T) {
	for value, want := range map[string]string{
		"an@unit.example":                                     "|an@unit.example",
		"Trần An <an@unit.example>":                           "Trần An|an@unit.example",
		`"Tran, An" <an@unit.example>`:                        "Tran, An|an@unit.example",
		"an@unit.example (Tran An)":                           "Tran An|an@unit.example",
		"=?utf-8?B?VHLhuqdu?= An <an@unit.example>":           "Trần An|an@unit.example",
		`"=?utf-8?B?VHLhuqdu?=" <an@unit.example>`:            "Trần|an@unit.example",
		"=?utf-8?Q?Tran, An?= <an@unit.example>":              "Tran, An|an@unit.example",
		"=?utf-8?Q?boss=40bank.example?= <an@unit.example>":   "boss@bank.example|an@unit.example",
		"=?utf-8?Q?=3Cboss=40bank.example=3E?= <e@x.example>": "<boss@bank.example>|e@x.example",
		"Group: a@x.example, b@x.example;":                    "|a@x.example/|b@x.example",
		"undisclosed-recipients:;":                            "",
		"<@relay.example:an@unit.example>":                    "|an@unit.example",
		"An <an@unit.example":                                 "An|an@unit.example",
		"An an@unit.example":                                  "An|an@unit.example",
		"<an@unit.example> <eve@evil.example>":                "|an@unit.example/|eve@evil.example",
		"a@x.example, b@x.example":                            "|a@x.example/|b@x.example",
		"a@x.example; b@x.example":                            "|a@x.example/|b@x.example",
		`"a@x.example" <b@x.example>`:                         "a@x.example|b@x.example",
		`"An \"the\" Tran" <an@unit.example>`:                 `An "the" Tran|an@unit.example`,
		`"An <an@unit.example>`:                               "An|an@unit.example",
		"an @ unit.example":                                   "|an@unit.example",
		"MAILER-DAEMON":                                       "|MAILER-DAEMON",
		`"odd local"@unit.example`:                            `odd local|"odd local"@unit.example`,
	} {
		var got []string
		for _, a := range Addresses(value) {
			got = append(got, a.Name+"|"+a.Addr)
		}
		if s := strings.Join(got, "/"); s != want && !(strings.HasPrefix(value, `"odd`) && strings.HasSuffix(s, `|"odd local"@unit.example`)) {
			t.Errorf("%q: %q, want %q", value, s, want)
		}
	}
}

func TestFilesKeepTheirNames(t *testing.T) {
	for header, want := range map[string]string{
		`Content-Disposition: attachment; filename="màn hình lỗi.png"`:                                              "màn hình lỗi.png",
		`Content-Disposition: attachment; filename*=utf-8''m%C3%A0n%20h%C3%ACnh.png`:                                "màn hình.png",
		"Content-Disposition: attachment; filename*0*=utf-8''m%C3%A0n; filename*1*=%20h%C3%AC;\n filename*2=nh.png": "màn hình.png",
		`Content-Disposition: attachment; filename="=?utf-8?B?bcOgbiBow6xuaA==?=.png"`:                              "màn hình.png",
		`Content-Type: image/png; name==?utf-8?Q?m=C3=A0n.png?=`:                                                    "màn.png",
		`Content-Disposition: attachment; filename="=?gb2312?B?xOO6wy5wbmc=?="`:                                     "你好.png",
		`Content-Disposition: attachment; filename=a b.png; size=3`:                                                 "a b.png",
		`Content-Disposition: attachment; filename="../../etc/passwd"`:                                              "passwd",
		`Content-Disposition: attachment; filename="C:\\Users\\x\\loi.png"`:                                         "loi.png",
		"Content-Disposition: attachment; filename=\"anh\u202Egnp.exe\"":                                            "anhgnp.exe",
		`Content-Disposition: attachment; filename="=?utf-8?Q?a=00=1Bb.png?="`:                                      "ab.png",
		`Content-Disposition: attachment; filename=".."`:                                                            "file.txt",
		`Content-Disposition: attachment`:                                                                           "file.txt",
		`Content-Disposition: attachment; filename="a (1).png"`:                                                     "a (1).png",
	} {
		m := Parse([]byte("From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\n"+header+"\n\ndata\n--x--\n"), Limits{})
		if len(m.Attachments) != 1 || m.Attachments[0].Name != want {
			t.Errorf("%s: %+v, want %q", header, m.Attachments, want)
		}
	}
	m := Parse([]byte("From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Disposition: attachment; filename=\"hoa-don.pdf.exe\"\nContent-Type: application/pdf\n\nMZ"+strings.Repeat("x", 90)+"\n--x--\n"), Limits{})
	if tricks := m.Attachments[0].Tricks; !slices.Contains(tricks, "double_extension") || !slices.Contains(tricks, "type_mismatch") {
		t.Errorf("a program as a document: %v", tricks)
	}
}

func TestBrokenMailsAreReadAllTheSame(t *testing.T) {
	for _, c := range []struct{ name, raw, text, files, defect string }{
		{"no end", "From: a@b\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nhi\n--x\nContent-Disposition: attachment; filename=a.txt\n\ndata", "hi", "a.txt", "unterminated"},
		{"wrong boundary", "From: a@b\nContent-Type: multipart/mixed; boundary=other\n\n--x\nContent-Type: text/plain\n\nhi\n--x--\n", "hi", "", "wrong_boundary"},
		{"no boundary", "From: a@b\nContent-Type: multipart/mixed\n\nhi\n", "hi", "", "no_boundary"},
		{"no blank line", "From: a@b\nSubject: x\nhi there\n", "hi there", "", "no_blank_line"},
		{"a fold without a space", "From: a@b\nSubject: x\nand more\nTo: c@d\n\nhi\n", "hi", "", "bad_fold"},
		{"bare CR", "From: a@b\rSubject: x\r\rhi\r", "hi", "", "bare_cr"},
		{"mbox", "From a@b Sat Nov 21 09:00:00 2026\nFrom: a@b\n\nhi\n", "hi", "", "mbox_line"},
		{"NUL", "From: a@b\n\nh\x00i\n", "hi", "", ""},
		{"base64 of words", "From: a@b\nContent-Transfer-Encoding: base64\nContent-Type: text/plain\n\nthese are plain words, not base64 at all\n", "these are plain words, not base64 at all", "", "damaged_base64"},
		{"damaged base64", "From: a@b\nContent-Transfer-Encoding: base64\n\naGkg!dGhlcmU\n", "hi there", "", "damaged_base64"},
		{"damaged quoted-printable", "From: a@b\nContent-Transfer-Encoding: quoted-printable\n\n1 = 1 =C4=91 =zz\n", "1 = 1 đ =zz", "", "damaged_quoted_printable"},
		{"uuencode", "From: a@b\n\nsee\nbegin 644 a.txt\n\"86%T\n`\nend\nbye\n", "see\nbye", "a.txt", ""},
		{"flowed", "From: a@b\nContent-Type: text/plain; format=flowed\n\none \ntwo\n> q \n> r\n", "one two\n> q r", "", ""},
		{"HTML alone", "From: a@b\nContent-Type: text/html\n\n<html><head><title>t</title><style>x</style></head><body><p>one<br>two</p><script>x</script><a href='http://e.example'>go</a></body></html>", "one\ntwo\n\ngo", "", ""},
		{"plain before HTML", "From: a@b\nContent-Type: multipart/alternative; boundary=x\n\n--x\nContent-Type: text/html\n\n<p>two</p>\n--x\nContent-Type: text/plain\n\none\n--x--\n", "one", "", ""},
		{"empty plain", "From: a@b\nContent-Type: multipart/alternative; boundary=x\n\n--x\nContent-Type: text/plain\n\n \n--x\nContent-Type: text/html\n\n<p>two</p>\n--x--\n", "two", "", ""},
		{"picture inside HTML", "From: a@b\nContent-Type: multipart/related; boundary=x\n\n--x\nContent-Type: text/html\n\n<p>two<img src=cid:1></p>\n--x\nContent-Type: image/png; name=p.png\nContent-ID: <1>\n\nx\n--x--\n", "two", "p.png", ""},
		{"enclosed mail", "From: a@b\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nsee\n--x\nContent-Type: message/rfc822\n\nFrom: c@d\nSubject: old\n\nold text\n--x--\n", "see", "old.eml", ""},
		{"hidden text", "From: a@b\nContent-Type: text/html\n\n<p>pay<span style='display: none'>not</span></p>", "pay ⟦not⟧", "", ""},
		{"two subjects", "From: a@b\nSubject: one\nSubject: two\n\nhi", "hi", "", "field_twice"},
		{"byte order mark", "\xef\xbb\xbfFrom: a@b\n\nhi", "hi", "", "byte_order_mark"},
	} {
		m := Parse([]byte(c.raw), Limits{})
		var names []string
		for _, a := range m.Attachments {
			names = append(names, a.Name)
		}
		if m.Kind == mail.KindUnreadable || m.Text != c.text || strings.Join(names, " ") != c.files || c.defect != "" && !m.Flawed(c.defect) {
			t.Errorf("%s: %s %q %v %v, want %q %q %s", c.name, m.Kind, m.Text, names, m.Defects, c.text, c.files, c.defect)
		}
	}
}
