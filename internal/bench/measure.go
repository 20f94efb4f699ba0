package main

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// figure is one line.
type figure struct {
	name    string
	values  []float64
	unit    string
	more    bool // more is better: a rate
	beside  string
	besides []float64
}

// print writes a figure that was asked for.
func (b *bench) print(f figure) {
	if !b.wants(f.name) {
		return
	}
	m := quantile(f.values, 0.5)
	tail := 0.95
	if f.more {
		tail = 0.05
	}
	line := fmt.Sprintf("%s\t%s\t%s\t%s", f.name, short(m), short(quantile(f.values, tail)), f.unit)
	if f.beside != "" {
		other := quantile(f.besides, 0.5)
		line += fmt.Sprintf("\t%s\t%s\t%s", f.beside, short(other), short(m/other))
	} else {
		line += "\t-\t-\t-"
	}
	fmt.Fprintln(b.out, line)
}

// short is a number with three digits that count.
func short(v float64) string {
	if v >= 1000 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// quantile is the value below which the share q of values lies.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// cpu is the processor time that this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	// RUSAGE_SELF can't fail.
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// threadCPU is the processor time that the calling thread has used.
func threadCPU() time.Duration {
	var t unix.Timespec
	// Every Linux has this clock.
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t)
	return time.Duration(t.Nano())
}

// The repetitions of a rate, and how long each lasts.
const (
	repetitions = 7
	lap         = 250 * time.Millisecond
)

// act is one operation whose rate is measured.
type act func() error

// rates measures operations by turns, so that a change of the machine's pace meets all of them, and returns how many
// each does in a second of processor time with one processor.
func rates(acts ...act) ([][]float64, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	out := make([][]float64, len(acts))
	for _, do := range acts {
		if err := do(); err != nil { // caches are filled once
			return nil, err
		}
	}
	for range repetitions {
		for i, do := range acts {
			runtime.GC()
			n, before := 0, cpu()
			var used time.Duration
			for used < lap {
				for range 8 {
					if err := do(); err != nil {
						return nil, err
					}
				}
				n += 8
				used = cpu() - before
			}
			out[i] = append(out[i], float64(n)/used.Seconds())
		}
	}
	return out, nil
}

// rate measures an operation beside the raw one that limits it.
func (b *bench) rate(name string, do act, limit string, raw act) error {
	if !b.wants(name) {
		return nil
	}
	got, err := rates(do, raw)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b.print(figure{name: name, values: got[0], unit: "1/cpu-s", more: true, beside: limit, besides: got[1]})
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
