package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"countersign/signing/seal"
)

// twoHouses writes the configuration of a counters' service and of a sealer, each with files of its own, and founds both.
func twoHouses(t *testing.T) (counter, sealer string) {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("passphrase", "một câu dài cho quầy\n")
	write("sealer.passphrase", "một câu dài khác cho con dấu\n")
	socket := filepath.Join(dir, "seals.sock")
	counter = write("counter.toml", fmt.Sprintf("[key]\npassphrase_file = \"passphrase\"\n[seals]\naddress = \"unix:%s\"\n[[units]]\ncode = \"PA0505\"\nname = \"Điện lực Mẫu\"\n", socket))
	sealer = write("sealer.toml", fmt.Sprintf("[sealer]\ndir = \"kept\"\nkey_file = \"kept.key\"\npassphrase_file = \"sealer.passphrase\"\nlisten = \"unix:%s\"\nroot = \"data/ca/root.pem\"\n", socket))
	want(t, 0, "", "", "admin", "init", "--config", counter, "--organisation", "Điện lực Mẫu")
	want(t, 0, "", "", "sealer", "init", "--config", sealer)
	return counter, sealer
}

// running starts the sealer until the test ends.
func runningSealer(t *testing.T, config string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	in, out := io.Pipe()
	ended := make(chan int)
	go func() {
		ended <- run(ctx, []string{"--lang", "en", "sealer", "--config", config}, strings.NewReader(""), out, io.Discard)
	}()
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil || !strings.Contains(line, "listens") {
		t.Fatalf("the sealer says %q, %v", line, err)
	}
	t.Cleanup(func() {
		stop()
		if code := <-ended; code != 0 {
			t.Errorf("the sealer ends with %d", code)
		}
	})
}

func TestAKeeperFoundsASealerAndTheCountersSeeItsSeals(t *testing.T) {
	counter, sealer := twoHouses(t)
	want(t, 1, "not empty", "", "sealer", "init", "--config", sealer)
	want(t, 1, "process of their own", "", "admin", "seal", "add", "x", "--config", counter, "--name", "X")
	keeper := func(code int, words, in string, args ...string) result {
		t.Helper()
		return want(t, code, words, in, append([]string{"sealer", "--config", sealer}, args...)...)
	}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	keys := filepath.Join(t.TempDir(), "backup.key")
	configuration, err := os.ReadFile(sealer)
	if err != nil {
		t.Fatal(err)
	}
	// Once with the sealer at rest, once by the running one: the same commands.
	for _, state := range []string{"rest", "run"} {
		if state == "run" {
			runningSealer(t, sealer)
		}
		id := "dau-" + state
		request := keeper(0, "CERTIFICATE REQUEST", "", "seal", "request", id)
		chain := want(t, 0, "BEGIN CERTIFICATE", request.out, "admin", "seal", "certify", id, "--config", counter, "--name", "CÔNG TY MẪU", "--organisation", "Điện lực Mẫu")
		keeper(1, "not of this seal's key", chain.out, "seal", "add", id+"-khac", "--name", "CÔNG TY MẪU")
		keeper(0, "", chain.out, "seal", "add", id, "--name", "CÔNG TY MẪU", "--service", "11,12")
		keeper(0, "", "", "seal", "grant", id, "3017", "11", "118/QĐ")
		keeper(0, id, "", "seal", "list")
		hand, err := seal.NewHand("3017")
		if err != nil {
			t.Fatal(err)
		}
		public := base64.RawStdEncoding.EncodeToString(hand.Public())
		keeper(1, "no public key", "", "staff", "enroll", "3017", "abc", "12/QĐ")
		keeper(0, "", "", "staff", "enroll", "3017", public, "12/QĐ")
		keeper(0, public, "", "staff", "list")
		keeper(0, "", "", "staff", "withdraw", "3017")
		keeper(1, "", "", "staff", "withdraw", "3017")
		keeper(0, "", "", "rule", "set", id, "*", "1000000", "3/QĐ")
		keeper(0, "1000000", "", "rule", "list")
		keeper(0, "", "", "rule", "end", id, "*", "4/QĐ")
		if r := keeper(0, "", "", "rule", "list"); strings.Contains(r.out, id) {
			t.Errorf("an ended rule is listed: %s", r.out)
		}
		to := filepath.Join(t.TempDir(), "sealer.age")
		keeper(0, to, "", "backup", "--to", to, "--recipient", identity.Recipient().String())
		restored := filepath.Join(filepath.Dir(to), "restored.toml")
		text := strings.ReplaceAll(string(configuration), "\"kept\"", fmt.Sprintf("%q", filepath.Join(filepath.Dir(to), "kept")))
		for path, content := range map[string]string{restored: text, keys: identity.String() + "\n"} {
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want(t, 0, "", "", "sealer", "restore", "--config", restored, "--identity", keys, to)
		keeper(0, "", "", "suspend")
		keeper(0, "", "", "resume")
	}
	r := want(t, 0, "{", "", "admin", "seal", "report", "--config", counter, "--day", "2026-11-21", "--json")
	var report struct{ Uses, Orders int }
	if err := json.NewDecoder(bytes.NewReader([]byte(r.out))).Decode(&report); err != nil || report.Uses != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	want(t, 0, "0 orders sealed", "", "admin", "seal", "report", "--config", counter)
	want(t, 1, "no day", "", "admin", "seal", "report", "--config", counter, "--day", "hôm nay")
	dir := t.TempDir()
	want(t, 0, "", "", "admin", "link", "sealer", "--config", counter, "--to", dir, "--host", "127.0.0.1")
	if info, err := os.Stat(filepath.Join(dir, "link-sealer.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the connection's key: %v", err)
	}
	want(t, 1, "no end of the connection", "", "admin", "link", "display", "--config", counter, "--to", dir)
	want(t, 1, "no member of staff", "", "admin", "user", "key", "nobody", "--config", counter)
}
