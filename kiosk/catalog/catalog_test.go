package catalog_test

import (
	"testing"

	"countersign/internal/locale"
	"countersign/kiosk/catalog"
	"countersign/services"
)

// builtin loads the services that come with the program.
func builtin(t testing.TB) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Load(services.Files, nil)
	for _, f := range catalog.Refusals(err) {
		t.Error(locale.Fault(locale.English, f))
	}
	if err != nil {
		t.Fatal("the built-in services don't load")
	}
	return c
}

func TestTheBuiltInServicesLoad(t *testing.T) {
	c := builtin(t)
	for _, number := range []string{"02", "11"} {
		if _, ok := c.Service(number); !ok {
			t.Errorf("service %s is missing", number)
		}
	}
}
