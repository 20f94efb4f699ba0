package config

import (
	"fmt"
	"strings"
)

// Document is docs/config.md: every key, from the same tags that Load obeys.
func Document() string {
	var b strings.Builder
	b.WriteString(`# Configuration

<!-- Written by internal/config (go test ./internal/config -update); a test fails when it is stale. -->

One TOML file, named by ` + "`--config`" + `. Over it go environment variables, over these flags: the last one counts. Every key
has a default, so an empty file works: a server for this machine alone, without mail, timestamps, back office and
printing. A key that is not listed here is refused by its name.

Relative paths in the file start at its folder, those in variables and flags at the working directory. Secrets are never
written into the file: a key that ends in ` + "`_file`" + ` names a file with the secret in one line, which other users may not
read (` + "`chmod 600`" + `). In a variable the items of a list are separated by commas.
`)
	for _, s := range (&Config{}).sections() {
		name := "[" + s.name + "]"
		if s.list {
			name = "[" + name + "]"
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", name, s.doc)
		if s.list {
			b.WriteString("| key | value | default | what it is |\n|---|---|---|---|\n")
		} else {
			b.WriteString("| key | variable | value | default | what it is |\n|---|---|---|---|---|\n")
		}
		for _, f := range s.fields {
			key := strings.TrimPrefix(f.key, s.name+".")
			if s.list {
				fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", key, f.allowed(), f.shownDefault(), f.tag.Get("doc"))
				continue
			}
			fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s | %s |\n", key, f.variable(), f.allowed(), f.shownDefault(), f.tag.Get("doc"))
		}
	}
	b.WriteString(`
## Example

` + "```toml" + `
` + example + "```\n")
	return b.String()
}

// allowed is what the table says of a key's value.
func (f field) allowed() string {
	if f.tag.Get("one") != "" || f.kind() == "number" {
		return strings.ReplaceAll(f.want(), " | ", ", ")
	}
	return f.kind()
}

func (f field) shownDefault() string {
	if d := f.tag.Get("default"); d != "" {
		return "`" + d + "`"
	}
	return "-"
}

// example is a whole configuration; a test loads it.
const example = `[data]
dir = "/var/lib/countersign"

[key]
file = "/etc/countersign/countersign.key"
passphrase_file = "/etc/countersign/passphrase"

[server]
listen = "10.5.5.2:8780"
tls_cert = "/etc/countersign/tls.pem"
tls_key = "/etc/countersign/tls.key"

[[units]]
code = "PA0505"
name = "Điện lực Mẫu Thử"
parent = "Công ty Điện lực Mẫu"
place = "Mẫu Thử"
hotline = "19001000"
back_office = "CMIS"
counters = ["01", "02", "03"]

[tokens]
modules = ["/usr/lib/softhsm/libsofthsm2.so"]

[[remotes]]
name = "VNPT SmartCA"
kind = "smartca"
url = "https://smartca.example/sca/sp769/"
account = "dienluc-mau"
secret_file = "/etc/countersign/smartca-password"
hook_key_file = "/etc/countersign/smartca-hook-key"

[fonts]
cjk = "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"

[mail]
addr = "smtp.dienluc.example:587"
user = "quay"
password_file = "/etc/countersign/mail-password"
from = "quay@dienluc.example"

[tsa]
urls = ["https://tsa.dienluc.example/tsr"]

[back_office]
url = "https://cmis.dienluc.example/orders"
token_file = "/etc/countersign/back-office-token"

[print]
command = ["lp", "-d", "quay"]
`
