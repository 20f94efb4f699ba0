package arch

import (
	"strings"
	"testing"
)

// ground is what every package may stand on.
var ground = []string{"internal/fault", "internal/clock", "internal/locale"}

// layers say what the packages of each folder may import of this repository, beside the ground: the direction is from
// the program down to the ground, and never sideways between the counter and the helpdesk. The row with the longest
// name that fits counts; a package without a row may not exist.
var layers = map[string][]string{
	"internal/fault":  {},
	"internal/clock":  {},
	"internal/locale": {},
	"internal/vault":  {},
	"internal/config": {},
	"internal/job":    {},
	"internal/arch":   {},
	"migrations":      {},
	"services":        {},

	"signing/": {"signing/", "internal/vault"},
	"mail/":    {"mail/"},

	"kiosk":         {"kiosk/catalog", "kiosk/idcard", "kiosk/portrait", "kiosk/workorder", "internal/job", "signing/", "mail/"},
	"kiosk/":        {"kiosk/", "signing/", "mail/"},
	"helpdesk/":     {"helpdesk/", "internal/job", "signing/", "mail/"},
	"kiosk/clerk":   {"kiosk", "kiosk/catalog", "kiosk/idcard", "kiosk/portrait", "internal/tui"},
	"kiosk/display": {"kiosk", "kiosk/catalog", "kiosk/idcard", "kiosk/mirror", "kiosk/portrait", "signing/ink", "signing/otp", "internal/tui"},
	"helpdesk/desk": {"helpdesk/", "internal/tui"},

	"internal/tui/":       {"internal/tui/"},
	"internal/store":      {"migrations", "internal/job", "internal/vault", "kiosk", "kiosk/catalog", "signing", "signing/journal", "signing/otp", "signing/seal", "helpdesk/"},
	"internal/store/":     {"internal/store", "internal/job", "kiosk", "kiosk/catalog", "helpdesk", "mail", "signing/ca", "signing/journal", "signing/otp", "signing/seal"},
	"internal/backoffice": {},
	"internal/api":        {"kiosk", "kiosk/catalog", "kiosk/mirror", "kiosk/portrait", "helpdesk/"},
	"internal/service":    {"internal/", "kiosk/", "helpdesk/", "signing/", "mail/", "services"},
	"internal/sealer":     {"internal/store", "internal/vault", "kiosk", "signing/"},
	"internal/demo":       {"internal/", "kiosk/", "helpdesk/", "signing/", "mail/"},
	"internal/bench":      {"internal/", "kiosk/", "helpdesk/", "signing/", "mail/", "services"},
	"test/":               {"internal/", "kiosk/", "helpdesk/", "signing/", "mail/", "services"},
	"cmd/":                {"internal/", "kiosk/", "helpdesk/", "signing/", "mail/", "services"},
}

// row finds the layer of a package.
func row(dir string) (string, bool) {
	if _, ok := layers[dir]; ok {
		return dir, true
	}
	best, found := "", false
	for name := range layers {
		if under(dir, name) && (!found || len(name) > len(best)) {
			best, found = name, true
		}
	}
	return best, found
}

func TestImportsGoDownwardsOnly(t *testing.T) {
	used := map[string]bool{}
	for _, s := range sources(t).all {
		layer, ok := row(s.dir)
		if !ok {
			t.Errorf("%s: the package has no row in layers", s.path)
			continue
		}
		used[layer] = true
		if s.test {
			continue
		}
		for _, p := range s.imports() {
			dir, ours := strings.CutPrefix(p, module)
			if ours && !under(dir, ground...) && !under(dir, layers[layer]...) {
				t.Errorf("%s imports %s; %s may not", s.path, dir, layer)
			}
		}
	}
	for layer := range layers {
		if !used[layer] && !strings.HasPrefix(layer, "helpdesk/") && layer != "test/" && layer != "internal/bench" {
			t.Errorf("layers has a row for %s, which has no package", layer)
		}
	}
}

func TestTheGroundStandsOnNothingElse(t *testing.T) {
	allowed := map[string][]string{"internal/fault": nil, "internal/clock": nil, "internal/locale": {"internal/fault"}}
	for _, s := range sources(t).all {
		below, ok := allowed[s.dir]
		if !ok || s.test {
			continue
		}
		for _, p := range s.imports() {
			if dir, ours := strings.CutPrefix(p, module); ours && !under(dir, below...) {
				t.Errorf("%s imports %s", s.path, dir)
			}
		}
	}
}

// TestCounterAndHelpdeskDoNotKnowEachOther holds for tests too: neither may come to need the other.
func TestCounterAndHelpdeskDoNotKnowEachOther(t *testing.T) {
	for _, s := range sources(t).all {
		for _, p := range s.imports() {
			dir := strings.TrimPrefix(p, module)
			if under(s.dir, "kiosk/") && under(dir, "helpdesk/") || under(s.dir, "helpdesk/") && under(dir, "kiosk/") {
				t.Errorf("%s imports %s", s.path, dir)
			}
		}
	}
}

// owned are modules and standard packages that only some packages may import.
var owned = []struct {
	what   []string // import paths; one that ends in "/" means all below
	owners []string
	why    string
}{
	{[]string{"github.com/charmbracelet/", "github.com/muesli/"}, []string{"internal/tui/"}, "screens draw on our canvas; the terminal library may change below it"},
	{[]string{"database/sql", "database/sql/", "github.com/mattn/go-sqlite3", "github.com/pressly/"}, []string{"internal/store"}, "rules don't know where records lie"},
	{[]string{"net/http", "net/http/", "github.com/danielgtaylor/"}, []string{"internal/api", "internal/backoffice", "internal/service", "internal/sealer", "internal/demo", "internal/bench", "signing/tsa", "signing/revoke", "signing/remote/", "cmd/"}, "rules don't know the web"},
	{[]string{"github.com/emersion/"}, []string{"mail/", "internal/demo"}, "mail is the mail packages' matter"},
	{[]string{"github.com/miekg/pkcs11"}, []string{"signing/key"}, "keys in hardware are opened where all keys are"},
	{[]string{"filippo.io/nistec"}, []string{"signing/cms"}, "arithmetic on a curve's points is for one purpose, which crypto/ecdsa judges in its tests"},
	{[]string{"os/exec"}, []string{"internal/service", "internal/tui/tuitest", "signing/signtest", "mail/mailtest", "internal/bench", "cmd/"}, "other programs are started where the parts are put together"},
	{[]string{"math/rand", "math/rand/v2"}, []string{"kiosk/portrait", "internal/bench"}, "secrets need crypto/rand; portrait draws synthetic pictures with it"},
	{[]string{"unsafe", "C", "plugin"}, nil, "nothing here needs them"},
	{[]string{"testing", "testing/"}, []string{"internal/tui/tuitest", "internal/store/storetest", "signing/signtest", "signing/pdf/pdftest", "internal/bench"}, "the program carries no tests"},
}

func TestModulesAreImportedByTheirOwnersOnly(t *testing.T) {
	for _, s := range sources(t).all {
		if s.test {
			continue
		}
		for _, p := range s.imports() {
			for _, rule := range owned {
				if under(p, rule.what...) && !under(s.dir, rule.owners...) {
					t.Errorf("%s imports %s, which belongs to %s: %s", s.path, p, strings.Join(rule.owners, ", "), rule.why)
				}
			}
		}
	}
}

// TestTestPartsStayInTests keeps what only tests use out of the program.
func TestTestPartsStayInTests(t *testing.T) {
	parts := []string{"internal/tui/tuitest", "internal/store/storetest", "signing/signtest", "signing/pdf/pdftest", "mail/mailtest"}
	for _, s := range sources(t).all {
		if s.test || under(s.dir, parts...) || s.dir == "internal/bench" {
			continue
		}
		for _, p := range s.imports() {
			if under(strings.TrimPrefix(p, module), parts...) {
				t.Errorf("%s imports %s", s.path, p)
			}
		}
	}
}
