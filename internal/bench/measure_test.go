package main

import (
	"bytes"
	"testing"
)

func TestAFigureIsOneTabSeparatedLineWithItsRatio(t *testing.T) {
	var out bytes.Buffer
	b := &bench{out: &out}
	b.print(figure{name: "a.rate", values: []float64{30, 10, 20}, unit: "1/s", more: true, beside: "limit", besides: []float64{40}})
	b.print(figure{name: "a.time", values: []float64{1, 2, 1234}, unit: "ms"})
	want := "a.rate\t20\t10\t1/s\tlimit\t40\t0.5\na.time\t2\t1234\tms\t-\t-\t-\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestOnlyFiguresWithThePrefixArePrinted(t *testing.T) {
	var out bytes.Buffer
	b := &bench{prefix: "sign.", out: &out}
	b.print(figure{name: "build.pdf", values: []float64{1}, unit: "1/cpu-s"})
	if out.Len() != 0 {
		t.Errorf("printed %q", out.String())
	}
}
