package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestPluggedInTokensAreListedWithoutAPIN(t *testing.T) {
	const module = "/usr/lib/softhsm/libsofthsm2.so"
	dir := t.TempDir()
	conf := filepath.Join(dir, "softhsm2.conf")
	if err := os.WriteFile(conf, []byte("directories.tokendir = "+dir+"\nlog.level = ERROR\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	want(t, 0, "No token is plugged in", "", "admin", "token", "list", "--module", module)
	if out, err := exec.CommandContext(t.Context(), "softhsm2-util", "--init-token", "--free", "--label", "lan\x1b[31m",
		"--so-pin", "12345678", "--pin", "246810").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if r := want(t, 0, "PIN: ready", "", "admin", "token", "list", "--module", module); strings.Contains(r.out, "\x1b") {
		t.Errorf("a token's label reaches the terminal as it is: %q", r.out)
	}
	if r := command(t, "", "admin", "token", "list", "--module", "/none.so", "--module", module); r.code == 0 ||
		!strings.Contains(r.out, "PIN: ready") || !strings.Contains(r.err, "none.so") {
		t.Errorf("a module that is missing hides the other: %d, %q, %q", r.code, r.out, r.err)
	}
	if r := command(t, "", "admin", "token", "list"); r.code == 0 || !strings.Contains(r.err, "--module") {
		t.Errorf("no module: %d, %q", r.code, r.err)
	}
	file := filepath.Join(dir, "countersign.toml")
	if err := os.WriteFile(file, []byte("[tokens]\nmodules = [\""+module+"\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, 0, "PIN: ready", "", "admin", "token", "list", "--config", file)
}
