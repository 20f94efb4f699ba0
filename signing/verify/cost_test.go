package verify

import (
	"fmt"
	"strings"
	"testing"

	"countersign/signing/pdf/pdftest"
)

// TestAFileOfVeryManySignaturesIsGivenUp guards against work that grows with the square of what a hostile file holds.
func TestAFileOfVeryManySignaturesIsGivenUp(t *testing.T) {
	var fields strings.Builder
	objects := []string{"", "<</Type/Pages/Kids[]/Count 0>>"}
	for i := range 5000 {
		fmt.Fprintf(&fields, "%d 0 R ", 3+i)
		objects = append(objects, fmt.Sprintf("<</FT/Sig/T(f%d)/V<</Type/Sig/ByteRange[0 1 2 3]/Contents<3003020100>>>>>", i))
	}
	objects[0] = "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[" + fields.String() + "]>>>>"
	if r := Verify(pdftest.File(objects...), Policy{At: noon}); r.Verdict != Unreadable || len(r.Signatures) != 0 {
		t.Errorf("%s with %d signatures", r.Verdict, len(r.Signatures))
	}
}
