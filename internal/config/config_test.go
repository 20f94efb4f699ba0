package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"countersign/internal/fault"
)

var update = flag.Bool("update", false, "write docs/config.md")

// written writes a configuration file and returns its path.
func written(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "countersign.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNothingSetIsAServerForThisMachineAlone(t *testing.T) {
	c := Default()
	if c.Server.Listen != "127.0.0.1:8780" || c.Data.Dir != "data" || c.Key.File != "countersign.key" || c.Screen.Lang != "vi" {
		t.Errorf("defaults:\n%s", c)
	}
	if c.Idle().Minutes() != 15 || c.CodeLife().Minutes() != 5 || c.Mail.Addr != "" || len(c.TSA.URLs) != 0 {
		t.Errorf("defaults:\n%s", c)
	}
	empty, err := Load(written(t, ""), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if empty.Server != c.Server || filepath.Base(empty.Data.Dir) != "data" || !filepath.IsAbs(empty.Data.Dir) {
		t.Errorf("an empty file gives\n%s", empty)
	}
}

func TestTheLastOneCounts(t *testing.T) {
	path := written(t, "[data]\ndir = \"of the file\"\n[screen]\nlang = \"en\"\ntheme = \"light\"\n[otp]\napp_drift = 0\n[tsa]\nurls = [\"https://a.example/\"]\n")
	environ := []string{"PATH=/bin", "COUNTERSIGN_THEME=contrast", "COUNTERSIGN_OTP_APP_DRIFT=2", "COUNTERSIGN_KEY_FILE=key",
		"COUNTERSIGN_TSA_URLS=https://b.example/, https://c.example/"}
	c, err := Load(path, environ, map[string]string{"otp.app_drift": "1", "data.dir": "of a flag"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Screen.Lang != "en" || c.Screen.Theme != "contrast" || c.OTP.AppDrift != 1 || c.Data.Dir != "of a flag" || c.Key.File != "key" {
		t.Errorf("got\n%s", c)
	}
	if strings.Join(c.TSA.URLs, " ") != "https://b.example/ https://c.example/" {
		t.Errorf("urls %q", c.TSA.URLs)
	}
	c, err = Load(path, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Data.Dir != filepath.Join(filepath.Dir(path), "of the file") || c.OTP.AppDrift != 0 {
		t.Errorf("got\n%s", c)
	}
}

func TestListsOfPathsStartAtTheFilesFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "countersign.toml")
	if err := os.WriteFile(path, []byte("[trust]\npublic = [\"lists/public\", \"/etc/ca.pem\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{filepath.Join(filepath.Dir(path), "lists/public"), "/etc/ca.pem"}; !slices.Equal(c.Trust.Public, want) {
		t.Errorf("%q, want %q", c.Trust.Public, want)
	}
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	for name, test := range map[string]struct {
		file, variable string
		flag           [2]string
		code, key      string
	}{
		"an unknown section":            {file: "[date]\ndir = \"x\"\n", code: "config.unknown", key: "date.dir"},
		"an unknown key":                {file: "[data]\nfolder = \"x\"\n", code: "config.unknown", key: "data.folder"},
		"a key without a section":       {file: "dir = \"x\"\n", code: "config.unknown", key: "dir"},
		"an unknown key of a unit":      {file: "[[units]]\ncode = \"PA0505\"\nname = \"A\"\ncolour = \"x\"\n", code: "config.unknown", key: "units[1].colour"},
		"an unknown variable":           {variable: "COUNTERSIGN_DATADIR=x", code: "config.unknown", key: "datadir"},
		"an unknown flag":               {flag: [2]string{"data.folder", "x"}, code: "config.unknown", key: "data.folder"},
		"a variable for the units":      {variable: "COUNTERSIGN_UNITS=x", code: "config.unknown", key: "units"},
		"a password in the file":        {file: "[mail]\npassword = \"hunter2hunter2\"\n", code: "config.secret", key: "mail.password"},
		"a token in a variable":         {variable: "COUNTERSIGN_BACK_OFFICE_TOKEN=hunter2hunter2", code: "config.secret", key: "back_office_token"},
		"a number as text":              {file: "[otp]\napp_drift = \"1\"\n", code: "config.value", key: "otp.app_drift"},
		"a number out of bounds":        {file: "[otp]\nlife_seconds = 301\n", code: "config.value", key: "otp.life_seconds"},
		"a variable that is none":       {variable: "COUNTERSIGN_OTP_APP_DRIFT=one", code: "config.value", key: "otp.app_drift"},
		"text as a number":              {file: "[data]\ndir = 7\n", code: "config.value", key: "data.dir"},
		"a list as text":                {file: "[tsa]\nurls = \"https://a.example\"\n", code: "config.value", key: "tsa.urls"},
		"a language that we lack":       {file: "[screen]\nlang = \"fr\"\n", code: "config.value", key: "screen.lang"},
		"two words of a choice":         {file: "[screen]\nlang = \"vi en\"\n", code: "config.value", key: "screen.lang"},
		"an address without a port":     {file: "[server]\nlisten = \"127.0.0.1\"\n", code: "config.value", key: "server.listen"},
		"a port that is none":           {file: "[server]\nlisten = \"127.0.0.1:99999\"\n", code: "config.value", key: "server.listen"},
		"every address without TLS":     {file: "[server]\nlisten = \":8780\"\n", code: "config.tls"},
		"another address without TLS":   {file: "[server]\nlisten = \"10.0.0.1:8780\"\n", code: "config.tls"},
		"a certificate without a key":   {file: "[server]\ntls_cert = \"c.pem\"\n", code: "config.value", key: "server.tls_key"},
		"a key without a certificate":   {file: "[server]\ntls_key = \"k.pem\"\n", code: "config.value", key: "server.tls_cert"},
		"mail without a sender":         {file: "[mail]\naddr = \"smtp.example:25\"\n", code: "config.value", key: "mail.from"},
		"a mail server without port":    {file: "[mail]\naddr = \"smtp.example\"\nfrom = \"a@b.example\"\n", code: "config.value", key: "mail.addr"},
		"an authority without scheme":   {file: "[tsa]\nurls = [\"tsa.example/tsr\"]\n", code: "config.value", key: "tsa.urls"},
		"a back office that is none":    {file: "[back_office]\nurl = \"ftp://a.example/\"\n", code: "config.value", key: "back_office.url"},
		"a public address that is none": {file: "[ca]\npublic_url = \"pki.example\"\n", code: "config.value", key: "ca.public_url"},
		"a status address without port": {file: "[ca]\nlisten = \"127.0.0.1\"\n", code: "config.value", key: "ca.listen"},
		"a list for staff that we lack": {file: "[trust]\nstaff = [\"banks\"]\n", code: "config.value", key: "trust.staff"},
		"certificates that we lack":     {file: "[confirm]\ncustomer_certificates = [\"friends\"]\n", code: "config.value", key: "confirm.customer_certificates"},
		"a unit without a name":         {file: "[[units]]\ncode = \"PA0505\"\n", code: "config.value", key: "units[1].name"},
		"a unit's code in small":        {file: "[[units]]\ncode = \"pa0505\"\nname = \"A\"\n", code: "config.value", key: "units[1].code"},
		"a unit twice": {file: "[[units]]\ncode = \"A\"\nname = \"A\"\n[[units]]\ncode = \"A\"\nname = \"B\"\n",
			code: "config.twice", key: "units[2].code"},
		"units as one table":           {file: "[units]\ncode = \"A\"\n", code: "config.unknown", key: "units.code"},
		"a module by its name only":    {file: "[tokens]\nmodules = [\"softhsm2.so\"]\n", code: "config.value", key: "tokens.modules"},
		"a module in some other place": {file: "[tokens]\nprocess = \"near\"\n", code: "config.value", key: "tokens.process"},
		"a provider without a name":    {file: "[[remotes]]\nurl = \"https://a.example/\"\n", code: "config.value", key: "remotes[1].name"},
		"a provider of no kind":        {file: "[[remotes]]\nname = \"A\"\nkind = \"x\"\n", code: "config.value", key: "remotes[1].kind"},
		"a provider without address":   {file: "[[remotes]]\nname = \"A\"\n", code: "config.value", key: "remotes[1].url"},
		"a provider without a secret":  {file: "[[remotes]]\nname = \"A\"\nurl = \"https://a.example/\"\n", code: "config.value", key: "remotes[1].secret_file"},
		"a provider's secret itself":   {file: "[[remotes]]\nname = \"A\"\nsecret = \"hunter2hunter2\"\n", code: "config.secret", key: "remotes[1].secret"},
		"a provider without account":   {file: "[[remotes]]\nname = \"A\"\nkind = \"smartca\"\nurl = \"https://a.example/\"\nsecret_file = \"s\"\n", code: "config.value", key: "remotes[1].account"},
		"a SIM without a profile":      {file: "[[remotes]]\nname = \"A\"\nkind = \"sim\"\naccount = \"a\"\nurl = \"https://a.example/\"\nsecret_file = \"s\"\n", code: "config.value", key: "remotes[1].profile"},
		"a customer without time":      {file: "[[remotes]]\nname = \"A\"\nminutes = 0\n", code: "config.value", key: "remotes[1].minutes"},
		"a provider twice": {file: strings.Repeat("[[remotes]]\nname = \"A\"\nurl = \"https://a.example/\"\nsecret_file = \"s\"\n", 2),
			code: "config.twice", key: "remotes[2].name"},
		"a variable for the providers": {variable: "COUNTERSIGN_REMOTES=x", code: "config.unknown", key: "remotes"},
		"the key beside what it opens": {file: "[data]\ndir = \"d\"\n[key]\nfile = \"d/key\"\n", code: "config.key_inside"},
	} {
		t.Run(name, func(t *testing.T) {
			var environ []string
			if test.variable != "" {
				environ = append(environ, test.variable)
			}
			flags := map[string]string{}
			if test.flag[0] != "" {
				flags[test.flag[0]] = test.flag[1]
			}
			_, err := Load(written(t, test.file), environ, flags)
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != test.code || f.Args["key"] != test.key {
				t.Fatalf("error %v, want %s for %q", err, test.code, test.key)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error tells the secret: %v", err)
			}
		})
	}
}

func TestAMistakeInTheFileIsNamedByItsLine(t *testing.T) {
	_, err := Load(written(t, "[data]\ndir = \"x\"\n\n[mail\naddr = \"x\"\n"), nil, nil)
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != "config.syntax" || f.Args["line"] != "4" {
		t.Errorf("error %v", err)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "missing.toml"), nil, nil); !fault.Is(err, "config.file") {
		t.Errorf("error %v", err)
	}
	if _, err := Load(t.TempDir(), nil, nil); !fault.Is(err, "config.file") {
		t.Errorf("error %v", err)
	}
}

func TestLoopbackNeedsNoTLSAndOtherAddressesDo(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:0", "127.9.9.9:8780", "[::1]:8780", "localhost:8780"} {
		if _, err := Load("", nil, map[string]string{"server.listen": listen}); err != nil {
			t.Errorf("%s: %v", listen, err)
		}
	}
	flags := map[string]string{"server.listen": "0.0.0.0:8780", "server.tls_cert": "c.pem", "server.tls_key": "k.pem"}
	if _, err := Load("", nil, flags); err != nil {
		t.Error(err)
	}
}

func TestPrintingHidesSecretsAndReadsBack(t *testing.T) {
	path := written(t, example+"\n")
	c, err := Load(path, []string{"COUNTERSIGN_TSA_URLS=https://user:hunter2hunter2@tsa.example/tsr"},
		map[string]string{"back_office.url": "https://u:hunter2hunter2@b.example/", "mail.user": "quay \"một\"\t\\"})
	if err != nil {
		t.Fatal(err)
	}
	text := c.String()
	if strings.Contains(text, "hunter2") {
		t.Errorf("it prints\n%s", text)
	}
	again, err := Load(written(t, text), nil, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	again.TSA.URLs, again.BackOffice.URL = c.TSA.URLs, c.BackOffice.URL
	if !reflect.DeepEqual(again, c) {
		t.Errorf("it reads back as\n%s\nnot\n%s", again, text)
	}
}

func TestTheExampleIsWhatItSays(t *testing.T) {
	c, err := Load(written(t, example), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	u, ok := c.Unit("PA0505")
	if !ok || u.BackOffice != "CMIS" || !u.Has("03") || u.Has("04") || c.Mail.TLS != "starttls" || len(c.Print.Command) != 3 {
		t.Errorf("got\n%s", c)
	}
	if r := c.Remotes[0]; r.Kind != "smartca" || r.For != "customers" || r.Minutes != 5 || c.Tokens.Process != "apart" || len(c.Tokens.Modules) != 1 {
		t.Errorf("got\n%s", c)
	}
	if _, ok := c.Unit("PA0506"); ok {
		t.Error("it has a unit that nobody wrote")
	}
	if !(Unit{}).Has("99") {
		t.Error("a unit without a list of counters has not every counter")
	}
}

func TestASecretFileIsReadOnlyWhenItIsOne(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for path, code := range map[string]string{
		write("open", "hunter2", 0o644):                    "config.secret_mode",
		write("empty", "\n", 0o600):                        "config.secret_file",
		write("two lines", "one\ntwo\n", 0o600):            "config.secret_file",
		write("long", strings.Repeat("x", 5000), 0o600):    "config.secret_file",
		filepath.Join(dir, "missing"):                      "config.secret_file",
		write("binary", "a\x00b", 0o600):                   "config.secret_file",
		write("for the group", "hunter2 hunter2\n", 0o640): "",
		write("crlf", "hunter2 hunter2\r\n", 0o400):        "",
	} {
		secret, err := Secret(path)
		if code == "" && (err != nil || string(secret) != "hunter2 hunter2") {
			t.Errorf("%s: %q, %v", path, secret, err)
		}
		if code != "" && (!fault.Is(err, code) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s: %v, want %s", path, err, code)
		}
	}
}

func TestEveryKeyIsDocumentedAndTheDocumentIsFresh(t *testing.T) {
	const path = "../../docs/config.md"
	if *update {
		if err := os.WriteFile(path, []byte(Document()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != Document() {
		t.Error("docs/config.md is stale; run: go test ./internal/config -update")
	}
	for _, s := range (&Config{}).sections() {
		for _, f := range s.fields {
			if f.tag.Get("koanf") == "" || !strings.HasSuffix(f.tag.Get("doc"), ".") {
				t.Errorf("%s in %s has no name or no sentence", f.key, s.name)
			}
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(example)
	f.Add("[data]\ndir = 7")
	f.Add("units = 3")
	f.Add("[[units]]\n[[units]]\ncounters = [1]")
	f.Add("[[units.x]]\na = 1")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Load(written(t, text), nil, nil)
		if err != nil {
			return
		}
		// What was accepted prints as something that is accepted.
		if _, err := Load(written(t, c.String()), nil, nil); err != nil {
			t.Errorf("%v\n%s", err, c)
		}
	})
}
