package message

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkParse measures the mails of TEST_CORPUS, or one like them.
func BenchmarkParse(b *testing.B) {
	var all [][]byte
	files, _ := filepath.Glob(filepath.Join(os.Getenv("TEST_CORPUS"), "*.eml"))
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, raw)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		Parse(all[i%len(all)], Limits{})
	}
}
