package workorder

import (
	"syscall"
	"testing"
	"time"
)

// BenchmarkBuild makes the document to be signed; documents/cpu-s is what one core does in a second, whatever
// else the machine is busy with.
func BenchmarkBuild(b *testing.B) {
	c := capacityChange()
	e, f := evidenceFor(b, c), builtinFonts(b)
	if _, err := Build(c, e, f); err != nil { // the fonts' base sets are cut once
		b.Fatal(err)
	}
	b.ReportAllocs()
	before := processTime(b)
	n := 0
	for b.Loop() {
		if _, err := Build(c, e, f); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(n)/(processTime(b)-before).Seconds(), "documents/cpu-s")
}

func processTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
