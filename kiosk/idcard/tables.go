package idcard

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"fmt"
	"sync"
)

//go:embed data/vn-provinces.csv
var provinceFile []byte

//go:embed data/cn-regions.csv
var regionFile []byte

var (
	provinces = sync.OnceValue(func() map[string]string { return codes("vn-provinces.csv", provinceFile) })
	regions   = sync.OnceValue(func() map[string]string { return codes("cn-regions.csv", regionFile) })
)

// codes reads a table of two columns, code and name. The tables are part of the program, so a broken one is a defect
// of the build and stops it.
func codes(name string, data []byte) map[string]string {
	r := csv.NewReader(bytes.NewReader(data))
	r.Comment = '#'
	r.FieldsPerRecord = 2
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 2 {
		panic(fmt.Sprintf("embedded table %s can't be read: %v", name, err))
	}
	out := make(map[string]string, len(rows))
	for _, row := range rows[1:] {
		out[row[0]] = row[1]
	}
	return out
}
