package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"

	"countersign/internal/demo"
	"countersign/internal/service"
	"countersign/kiosk"
)

// shell is where the tests' commands run: its results are those of a process.
type result struct {
	code     int
	out, err string
}

func command(t *testing.T, in string, args ...string) result {
	t.Helper()
	var out, errOut bytes.Buffer
	code := run(t.Context(), append([]string{"--lang", "en"}, args...), strings.NewReader(in), &out, &errOut)
	r := result{code, out.String(), errOut.String()}
	plain(t, strings.Join(args, " "), r)
	return r
}

// plain wants errors that a person can read: one sentence, no chain of causes, no missing text.
func plain(t *testing.T, what string, r result) {
	t.Helper()
	for _, bad := range []string{"‹", "<no value>", "no such file", "EOF", "goroutine", "panic", "fault.", "dial ", "invalid argument \""} {
		if strings.Contains(r.err, bad) && !strings.Contains(r.err, "is not understood") {
			t.Errorf("%s says %q to a person: %s", what, bad, r.err)
		}
	}
	if n := strings.Count(strings.TrimSpace(r.err), "\n"); n > 0 {
		t.Errorf("%s says %d lines: %s", what, n+1, r.err)
	}
	if r.code != 0 && r.code != 1 && r.code != 2 && r.code != 3 && r.code != exitUsage {
		t.Errorf("%s ends with %d", what, r.code)
	}
}

// want runs a command that must end with a code and say some words.
func want(t *testing.T, code int, words string, in string, args ...string) result {
	t.Helper()
	r := command(t, in, args...)
	if r.code != code || !strings.Contains(r.out+r.err, words) {
		t.Errorf("%s ends with %d, want %d and %q:\n%s%s", strings.Join(args, " "), r.code, code, words, r.out, r.err)
	}
	return r
}

func TestTheProgramSaysItsVersionAndNothingToTheTerminal(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "countersign")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, args := range [][]string{{"--version"}, {"--help"}, {"card", "parse", "001090000017"}, {"no-such-word"}} {
		cmd := exec.CommandContext(t.Context(), bin, args...)
		cmd.Env = append(os.Environ(), "TERM=xterm-256color", "COUNTERSIGN_LANG=vi")
		out, _ := cmd.CombinedOutput()
		if len(out) == 0 || bytes.IndexByte(out, 0x1b) >= 0 {
			t.Errorf("%v writes %q", args, out)
		}
		if code := cmd.ProcessState.ExitCode(); args[0] == "no-such-word" && code != exitUsage || args[0] == "--version" && code != 0 {
			t.Errorf("%v ends with %d", args, code)
		}
	}
}

func TestACommandLineThatSaysNothingIsRefused(t *testing.T) {
	for _, args := range [][]string{{"nonsense"}, {"--nonsense"}, {"verify"}, {"verify", "a", "b"}, {"verify", "--nonsense", "a"}, {"admin", "nonsense"}, {"admin", "user", "nonsense"},
		{"card", "nonsense"}, {"card", "parse"}, {"order", "nonsense"}, {"order", "show"}, {"demo", "extra"}, {"admin", "journal", "show", "--last", "viele"}} {
		r := want(t, exitUsage, "not understood", "", args...)
		if r.out != "" || !strings.Contains(r.err, "--help") {
			t.Errorf("%v: %q and %q", args, r.out, r.err)
		}
	}
}

func TestAMistakeIsSaidInTheLanguageThatWasAskedFor(t *testing.T) {
	for lang, words := range map[string]string{"vi": "Không mở được", "en": "can not be opened", "zh-Hant": "無法開啟"} {
		var out, errOut bytes.Buffer
		if code := run(t.Context(), []string{"verify", "--lang=" + lang, "/none.pdf"}, strings.NewReader(""), &out, &errOut); code != 3 || !strings.Contains(errOut.String(), words) {
			t.Errorf("%s: %d, %s", lang, code, errOut.String())
		}
	}
}

func TestCardParseEndsWithWhatItFound(t *testing.T) {
	good := "001090000017||NGUYỄN VĂN THỬ|01011990|Nam|12 phố Mẫu, phường Thử, Bắc Giang|01062021"
	for _, c := range []struct {
		in   string
		code int
	}{{good, 0}, {strings.Replace(good, "01011990", "01011980", 1), 1}, {"xin chào", 3}, {"", 3}, {"\x1b[31m\x00", 3}, {strings.Repeat("9", 60_000), 3}} {
		for _, in := range []struct{ arg, stdin string }{{c.in, ""}, {"-", c.in + "\n"}} {
			r := command(t, in.stdin, "card", "parse", "--", in.arg)
			if r.code != c.code || strings.Contains(r.out+r.err, "\x1b") {
				t.Errorf("%.30q ends with %d, want %d:\n%s%s", c.in, r.code, c.code, r.out, r.err)
			}
			r = command(t, in.stdin, "card", "parse", "--json", "--", in.arg)
			var got struct {
				Kind   string
				Fields map[string]string
				Checks []struct{ Name string }
				Valid  bool
			}
			if err := json.Unmarshal([]byte(r.out), &got); err != nil || r.code != c.code || got.Valid != (c.code == 0) || got.Fields == nil || got.Checks == nil {
				t.Errorf("%.30q as JSON ends with %d: %v\n%s", c.in, r.code, err, r.out)
			}
		}
	}
}

// hall is a demonstration that was played to its end by the command itself.
type hall struct {
	dir string
	res result
}

var played = sync.OnceValues(func() (hall, error) {
	dir, err := os.MkdirTemp("", "countersign-cmd-")
	if err != nil {
		return hall{}, err
	}
	var out, errOut bytes.Buffer
	code := run(context.Background(), []string{"demo", "--auto", "--dir", dir, "--lang=en"}, strings.NewReader(""), &out, &errOut)
	return hall{dir, result{code, out.String(), errOut.String()}}, nil
})

func TestMain(m *testing.M) {
	// The program starts itself for PKCS#11 modules; here that is this test.
	if len(os.Args) > 1 && os.Args[1] == service.ModuleCommand {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	code := m.Run()
	if h, err := played(); err == nil {
		err = os.RemoveAll(h.dir)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Exit(code)
}

func theHall(t *testing.T) string {
	t.Helper()
	h, err := played()
	if err != nil || h.res.code != 0 {
		t.Fatalf("the demonstration ended with %d: %v\n%s%s", h.res.code, err, h.res.out, h.res.err)
	}
	return h.dir
}

func TestTheDemonstrationLeavesItsFilesAndRefusesAFullDirectory(t *testing.T) {
	dir := theHall(t)
	for file, head := range map[string]string{"out/work-order.pdf": "%PDF-", "out/receipt.eml": "From:", "out/ticket-reply.eml": "multipart/signed", "ca/root.pem": "-----BEGIN CERTIFICATE-----"} {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file)))
		if err != nil || !bytes.Contains(data, []byte(head)) {
			t.Errorf("%s: %d bytes, %v", file, len(data), err)
		}
	}
	if out, err := exec.Command("openssl", "cms", "-verify", "-in", filepath.Join(dir, "out", "ticket-reply.eml"), "-CAfile", filepath.Join(dir, "ca", "root.pem"),
		"-purpose", "smimesign", "-out", os.DevNull).CombinedOutput(); err != nil {
		t.Errorf("openssl on the answer to the support mail: %v: %s", err, out)
	}
	before, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	want(t, 1, "is not empty", "", "demo", "--auto", "--dir", dir)
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "mine.txt"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, 1, "is not empty", "", "demo", "--auto", "--dir", other)
	if left, err := os.ReadDir(other); err != nil || len(left) != 1 {
		t.Errorf("the refused directory holds %v, %v", left, err)
	}
	if after, err := os.ReadDir(dir); err != nil || len(after) != len(before) {
		t.Errorf("the demonstration's directory holds %v, %v", after, err)
	}
}

func TestVerifyEndsWithItsVerdict(t *testing.T) {
	dir := theHall(t)
	file, root := filepath.Join(dir, "out", "work-order.pdf"), filepath.Join(dir, "ca", "root.pem")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(tmp, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	flipped := bytes.Clone(data)
	flipped[len(flipped)/3] ^= 1
	unsigned, err := filepath.Glob(filepath.Join(dir, "print", "*.pdf"))
	if err != nil || len(unsigned) == 0 {
		t.Fatal("nothing was printed")
	}
	for _, c := range []struct {
		name, verdict string
		code          int
		args          []string
	}{
		{"a work order of those we trust", "PASSED", 0, []string{"--trust", root, file}},
		{"a work order, trusting a folder", "PASSED", 0, []string{"--trust", filepath.Dir(root), file}},
		{"a work order, trusting a list", "PASSED", 0, []string{"--trust", "own=" + root, "--only", "own", file}},
		{"a work order of strangers", "INDETERMINATE", 2, []string{file}},
		{"a changed work order", "FAILED", 1, []string{"--trust", root, write("flipped.pdf", flipped)}},
		{"a PDF without a signature", "NO_SIGNATURE", 3, []string{"--trust", root, unsigned[0]}},
		{"a text", "UNREADABLE", 3, []string{write("text.pdf", []byte("xin chào"))}},
		{"an empty file", "UNREADABLE", 3, []string{write("empty.pdf", nil)}},
		{"no file", "UNREADABLE", 3, []string{filepath.Join(tmp, "none.pdf")}},
		{"a folder", "UNREADABLE", 3, []string{tmp}},
	} {
		if r := command(t, "", append([]string{"verify"}, c.args...)...); r.code != c.code {
			t.Errorf("%s ends with %d, want %d:\n%s%s", c.name, r.code, c.code, r.out, r.err)
		}
		r := command(t, "", append([]string{"verify", "--json"}, c.args...)...)
		var got struct{ Verdict string }
		if err := json.Unmarshal([]byte(r.out), &got); err != nil || r.code != c.code || got.Verdict != c.verdict {
			t.Errorf("%s as JSON is %q and ends with %d: %v\n%s", c.name, got.Verdict, r.code, err, r.err)
		}
	}
	for _, trust := range []string{filepath.Join(tmp, "none.pem"), write("no.pem", []byte("xin chào")), file} {
		want(t, 3, "", "", "verify", "--trust", trust, file)
	}
	want(t, 3, "", "gov=", "verify", "--trust", "own="+root, "--only", "gov", file)
}

func TestScriptsWorkWithOrdersAsClerksDo(t *testing.T) {
	dir := theHall(t)
	w, err := demo.Reopen(t.Context(), dir, demo.Choices{Cost: kiosk.PasswordCost{MemoryKiB: 64, Passes: 1, Threads: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}()
	secret := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(secret, []byte(demo.Password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := []string{"--server", "unix:" + w.Socket()}
	as := append(server, "--unit", demo.Unit, "--user", demo.User, "--password-file", secret)
	order := func(args ...string) []string { return append(append([]string{"order"}, args...), as...) }

	r := want(t, 0, "WO-"+demo.Unit, "", order("list")...)
	number := strings.Fields(r.out)[2]
	var rows []struct{ Number, State string }
	if r := command(t, "", order("list", "--json")...); json.Unmarshal([]byte(r.out), &rows) != nil || len(rows) != 1 || rows[0].Number != number || rows[0].State != "closed" {
		t.Errorf("the list as JSON is %s", r.out)
	}
	want(t, 0, "NGUYỄN VĂN THỬ", "", order("show", number)...)
	if r := command(t, "", order("show", number, "--json")...); !json.Valid([]byte(r.out)) || r.code != 0 {
		t.Errorf("the order as JSON: %d %.80s", r.code, r.out)
	}
	to := filepath.Join(t.TempDir(), "order.pdf")
	want(t, 0, "", "", order("export", number, "--to", to)...)
	exported, err := os.ReadFile(to)
	kept, _ := os.ReadFile(filepath.Join(dir, "out", "work-order.pdf"))
	if err != nil || !bytes.Equal(exported, kept) {
		t.Errorf("exported %d bytes, kept %d: %v", len(exported), len(kept), err)
	}
	if r := want(t, 0, "%PDF-", "", order("export", number)...); r.out != string(kept) {
		t.Error("standard output has another file")
	}

	want(t, 1, "not of the form", "", order("new", "--service", "11", "--customer", "PA05050000031", "--set", "capacity")...)
	want(t, 1, "", "", order("new", "--service", "11", "--customer", "PA05050000031", "--set", "capacity=sehr viel")...)
	want(t, 1, "", "", order("new", "--service", "99", "--customer", "PA05050000031")...)
	if r := want(t, 0, "7.5 kW", "", order("new", "--service", "11", "--customer", "PA05050000031", "--set", "capacity=7.5")...); !strings.Contains(r.out, "draft") {
		t.Errorf("the new order is\n%s", r.out)
	}
	want(t, 0, "draft", "", order("list")...)

	want(t, 1, "", "", order("show", "WO-PA0505-20261121-999999")...)
	want(t, 1, "", "", order("export", "none")...)
	want(t, 1, "--password-file", "", append([]string{"order", "list"}, server...)...)
	for name, args := range map[string][]string{
		"a wrong name":            append(server, "--unit", demo.Unit, "--user", "ai", "--password-file", secret),
		"a wrong unit":            append(server, "--unit", "PA9999", "--user", demo.User, "--password-file", secret),
		"no password":             append(server, "--unit", demo.Unit, "--user", demo.User, "--password-file", secret+".none"),
		"a service that is away":  {"--server", "unix:" + w.Socket() + ".none", "--unit", demo.Unit, "--user", demo.User, "--password-file", secret},
		"a server in the clear":   {"--server", "http://10.1.2.3:80", "--unit", demo.Unit, "--user", demo.User, "--password-file", secret},
		"no address of a service": {"--server", "nonsense", "--unit", demo.Unit, "--user", demo.User, "--password-file", secret},
	} {
		if r := want(t, 1, "", "", append([]string{"order", "list"}, args...)...); r.err == "" || strings.Contains(r.err, "program has failed") {
			t.Errorf("%s: %s", name, r.err)
		}
	}
}

// installation is a configuration in a directory of its own.
func installation(t *testing.T) (dir string, file []string) {
	t.Helper()
	dir = t.TempDir()
	config := `
[data]
dir = "data"
[key]
file = "vault.key"
passphrase_file = "passphrase"
[server]
listen = "127.0.0.1:0"
[[units]]
code = "PA0505"
name = "Điện lực Mẫu"
hotline = "19006769"
`
	for name, text := range map[string]string{"countersign.toml": config, "passphrase": "một câu đủ dài\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, []string{"--config", filepath.Join(dir, "countersign.toml")}
}

// serving runs the service on an installation until the function that it returns is called.
func serving(t *testing.T, config []string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	ended := make(chan int, 1)
	var errOut bytes.Buffer
	go func() {
		ended <- run(ctx, append([]string{"serve", "--lang", "en"}, config...), strings.NewReader(""), w, &errOut)
		w.Close()
	}()
	line := make([]byte, 200)
	n, err := r.Read(line)
	if err != nil || !strings.Contains(string(line[:n]), "ready") {
		t.Fatalf("the service says %q, %v, %s", line[:n], err, errOut.String())
	}
	return func() {
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("the service ends with %d: %s", code, errOut.String())
		}
	}
}

// operate does what an operator does on an installation whose service runs, and the operator's mistakes; alone, each
// command opens the vault anew, which is slow on purpose.
func operate(t *testing.T, config []string, who string) {
	t.Helper()
	tmp := t.TempDir()
	admin := func(args ...string) []string { return append(append([]string{"admin"}, args...), config...) }
	mistake := func(words, in string, args ...string) {
		t.Helper()
		want(t, 1, words, in, admin(args...)...)
	}
	add := []string{"user", "add", who, "--full-name", "Ngô Lan Anh", "--staff-id", "30" + who, "--unit", "PA0505"}
	mistake("", "weak\n", add...)
	want(t, 0, "", "Quay3@BacGiang\n", admin(add...)...)
	mistake("already", "Quay3@BacGiang\n", add...)
	mistake("There is no role king", "Quay3@BacGiang\n", append(add, "--role", "king")...)
	want(t, 0, who, "", admin("user", "list")...)
	want(t, 0, "signer", "", admin("user", "roles")...)
	want(t, 0, "", "", admin("user", "lock", who)...)
	want(t, 0, "locked", "", admin("user", "list")...)
	want(t, 0, "", "", admin("user", "unlock", who)...)
	mistake("no member of staff", "", "user", "lock", "nobody")

	seal := []string{"seal", "add", "dau-" + who, "--name", "CÔNG TY MẪU", "--line", "MẪU", "--organisation", "Điện lực Mẫu"}
	want(t, 0, "", "", admin(seal...)...)
	mistake("", "", seal...)
	mistake("no kind of seal", "", "seal", "add", "x", "--name", "X", "--kind", "round")
	want(t, 0, "", "", admin("seal", "grant", "dau-"+who, "30"+who, "*", "118/QĐ")...)
	mistake("no seal", "", "seal", "grant", "none", "30"+who, "*", "118/QĐ")
	want(t, 0, "118/QĐ", "", admin("seal", "list")...)
	want(t, 0, "", "", admin("seal", "suspend")...)
	want(t, 1, "✗", "", admin("doctor")...)
	want(t, 0, "", "", admin("seal", "resume")...)

	if r := want(t, 0, "", "", admin("display", "pair", "--unit", "PA0505", "--counter", "3")...); len(strings.TrimSpace(r.out)) < 40 {
		t.Errorf("the screen's token is %q", r.out)
	}
	mistake("", "", "display", "pair", "--unit", "PA9999")

	authority(t, admin, mistake, tmp, who)

	point := want(t, 0, "countersign/journal", "", admin("journal", "checkpoint")...)
	kept := filepath.Join(tmp, "checkpoint")
	if err := os.WriteFile(kept, []byte(point.out), 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, 0, "intact", "", admin("journal", "verify", "--checkpoint", kept)...)
	mistake("can not be opened", "", "journal", "verify", "--checkpoint", kept+".none")
	if r := want(t, 0, "user.add", "", admin("journal", "show")...); !strings.Contains(r.out, "seal.grant") {
		t.Errorf("the journal does not tell of the grant:\n%s", r.out)
	}
	want(t, 0, "keys", "", admin("key", "rotate")...)
	importKey(t, tmp, who, admin)
	if r := want(t, 0, "✓", "", admin("doctor")...); strings.Contains(r.out, "✗") || strings.Count(r.out, "✓") != 5 {
		t.Errorf("the doctor says\n%s", r.out)
	}
	backUp(t, config, tmp, who)
}

// authority works with the house's certificates.
func authority(t *testing.T, admin func(...string) []string, mistake func(words, in string, args ...string), tmp, who string) {
	t.Helper()
	const words = "một câu dài để giữ khóa"
	file := filepath.Join(tmp, who+".p12")
	mistake("at least 10", "ngắn\n", "ca", "staff", who, "--to", file)
	mistake("no member of staff", words+"\n", "ca", "staff", "nobody", "--to", file)
	want(t, 0, "", words+"\n", admin("ca", "staff", who, "--to", file)...)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", info, err)
	}
	listed := want(t, 0, who, "", admin("ca", "list", "--class", "clerk", "--json")...)
	var lines []struct{ Serial, User, State string }
	if err := json.Unmarshal([]byte(listed.out), &lines); err != nil {
		t.Fatal(err)
	}
	serial := ""
	for _, l := range lines {
		if l.User == who {
			serial = l.Serial
		}
	}
	want(t, 0, "usable", "", admin("ca", "show", serial)...)
	mistake("Say why", "", "ca", "revoke", serial)
	mistake("There is no reason", "", "ca", "revoke", serial, "--reason", "x", "--why", "y")
	want(t, 0, "suspended", "", admin("ca", "revoke", serial, "--reason", "hold", "--why", "left at home")...)
	mistake("", "Quay3@BacGiang\n", "ca", "lift", serial, "--operator", who) // a clerk, whose password must change
	want(t, 0, "revoked", "", admin("ca", "revoke", serial, "--reason", "key_compromise", "--why", "lost")...)
	want(t, 0, "lost", "", admin("ca", "show", serial)...)
	want(t, 0, "revoked", "", admin("ca", "report")...)
	mistake("no certificate", "", "ca", "show", "ff")

	root := filepath.Join(tmp, who+"-root.p12")
	want(t, 0, "", words+"\n", admin("ca", "root", "export", "--to", root)...)
	mistake("can't be opened", "another phrase\n", "ca", "root", "remove", "--from", root)
	want(t, 0, "", words+"\n", admin("ca", "root", "remove", "--from", root)...)
	want(t, 0, "kept elsewhere", "", admin("doctor")...)
	mistake("needs the root's key", "", "ca", "root", "list")
	mistake("needs the root's key", "", "ca", "root", "issuing")
	want(t, 0, "", words+"\n", admin("ca", "root", "import", "--from", root)...)
	want(t, 0, "", "", admin("ca", "root", "list")...)
	want(t, 0, "in this installation", "", admin("doctor")...)
}

func backUp(t *testing.T, config []string, tmp, who string) {
	t.Helper()
	admin := func(args ...string) []string { return append(append([]string{"admin"}, args...), config...) }
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	identity := filepath.Join(tmp, "identity")
	if err := os.WriteFile(identity, []byte(id.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(tmp)
	want(t, 1, "--recipient", "", admin("backup", "--to", "b.age")...)
	want(t, 1, "not a public age key", "", admin("backup", "--to", "b.age", "--recipient", "age1nonsense")...)
	want(t, 1, "", "", admin("backup", "--to", "none/b.age", "--recipient", id.Recipient().String())...)
	want(t, 0, "b.age", "", admin("backup", "--to", "b.age", "--recipient", id.Recipient().String())...)
	if _, err := os.Stat(filepath.Join(tmp, "b.age")); err != nil {
		t.Fatalf("the backup is not where the operator stood: %v", err)
	}
	want(t, 1, "not empty", "", admin("restore", "b.age", "--identity", identity)...)

	dir, fresh := installation(t)
	restore := func(args ...string) []string { return append(append([]string{"admin", "restore"}, args...), fresh...) }
	want(t, 1, "no age identity", "", restore("b.age", "--identity", "b.age")...)
	want(t, 1, "can not be opened", "", restore("b.age", "--identity", "none")...)
	want(t, 1, "can not be opened", "", restore("none.age", "--identity", identity)...)
	want(t, 1, "", "", restore(identity, "--identity", identity)...)
	want(t, 0, "entries", "", restore("b.age", "--identity", identity)...)
	want(t, 1, "✗", "", append([]string{"admin", "doctor"}, fresh...)...) // the vault is not in the backup
	vault, err := os.ReadFile(filepath.Join(filepath.Dir(config[1]), "vault.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "vault.key"), vault, 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, 0, "✓", "", append([]string{"admin", "doctor"}, fresh...)...)
	want(t, 0, who, "", append([]string{"admin", "user", "list"}, fresh...)...)
}

// importKey brings a key that openssl made into the key store, by a path that starts where the operator stands.
func importKey(t *testing.T, dir, who string, admin func(...string) []string) {
	t.Helper()
	for _, args := range [][]string{
		{"genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", filepath.Join(dir, "bare.pem")},
		{"pkcs8", "-topk8", "-v2", "aes256", "-in", filepath.Join(dir, "bare.pem"), "-passout", "pass:mưa phùn", "-out", filepath.Join(dir, "key.pem")},
	} {
		if out, err := exec.CommandContext(t.Context(), "openssl", args...).CombinedOutput(); err != nil {
			t.Fatalf("openssl %q: %v\n%s", args, err, out)
		}
	}
	t.Chdir(dir)
	name := "dau-" + who
	want(t, 1, "passphrase of the key file is wrong", "mưa rào\n", admin("key", "import", "nhap-"+name, "--key", "key.pem")...)
	want(t, 0, "in the key store", "mưa phùn\n", admin("key", "import", "nhap-"+name, "--key", "key.pem")...)
	want(t, 1, "not overwritten", "mưa phùn\n", admin("key", "import", "nhap-"+name, "--key", "key.pem")...)
	want(t, 1, "no passphrase", "x\n", admin("key", "import", "bare", "--key", "bare.pem")...)
	want(t, 1, "none.pem", "x\n", admin("key", "import", "none", "--key", "none.pem")...)
}

func TestAnOperatorWorksWithTheServiceStoppedAndRunning(t *testing.T) {
	dir, config := installation(t)
	admin := func(args ...string) []string { return append(append([]string{"admin"}, args...), config...) }
	want(t, 1, "no installation", "", admin("user", "list")...)
	want(t, 1, "✗", "", admin("doctor")...)
	want(t, 1, "no installation", "", append([]string{"serve"}, config...)...)
	want(t, 0, "Founded", "", admin("init")...)
	want(t, 1, "is not empty", "", admin("init")...)
	want(t, 1, "can't be read", "", "admin", "user", "list", "--config", filepath.Join(dir, "none.toml"))
	t.Run("stopped", func(t *testing.T) {
		want(t, 0, "", "Quay3@BacGiang\n", admin("user", "add", "mot", "--unit", "PA0505", "--staff-id", "3017")...)
		want(t, 0, "", "", admin("seal", "add", "dau-mot", "--name", "CÔNG TY MẪU")...)
		want(t, 1, "No service runs", "", admin("seal", "suspend")...)
		want(t, 0, "countersign/journal", "", admin("journal", "checkpoint")...)
		want(t, 0, "keys", "", admin("key", "rotate")...)
		if r := want(t, 0, "✓", "", admin("doctor")...); strings.Contains(r.out, "✗") || strings.Count(r.out, "✓") != 5 {
			t.Errorf("the doctor says\n%s", r.out)
		}
	})
	t.Run("running", func(t *testing.T) {
		stop := serving(t, config)
		defer stop()
		want(t, 1, "Another server", "", append([]string{"serve"}, config...)...)
		operate(t, config, "hai")
	})
	t.Run("stopped again", func(t *testing.T) {
		want(t, 0, "hai", "", admin("user", "list")...)
		want(t, 0, "intact", "", admin("journal", "verify")...)
	})
}
