package intake

import (
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

// Offices is the dated table of the State Treasury's offices by their four-digit code (SHKB).
type Offices struct {
	Version string
	rows    map[string][]office
}

type office struct {
	Code      string `yaml:"code"`
	Name      string `yaml:"name"`
	ValidFrom string `yaml:"valid_from"`
	ValidTo   string `yaml:"valid_to"`
}

// LoadOffices reads data/treasury.yaml.
func LoadOffices(files fs.FS) (*Offices, error) {
	data, err := fs.ReadFile(files, "data/treasury.yaml")
	if err != nil {
		return nil, fmt.Errorf("read the treasury's offices: %w", err)
	}
	var file struct {
		Version string   `yaml:"version"`
		Offices []office `yaml:"offices"`
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("read the treasury's offices: %w", err)
	}
	o := &Offices{Version: file.Version, rows: map[string][]office{}}
	for _, row := range file.Offices {
		if len(row.Code) != 4 || row.Name == "" {
			return nil, fmt.Errorf("read the treasury's offices: %q needs a code of four digits and a name", row.Code)
		}
		o.rows[row.Code] = append(o.rows[row.Code], row)
	}
	if len(o.rows) == 0 {
		return nil, fmt.Errorf("read the treasury's offices: the table is empty")
	}
	return o, nil
}

// name returns the name that a code had on a day; "" when it had none.
func (o *Offices) name(code string, on time.Time) string {
	day := on.Format(time.DateOnly)
	for _, row := range o.rows[code] {
		if row.ValidFrom <= day && (row.ValidTo == "" || day <= row.ValidTo) {
			return row.Name
		}
	}
	return ""
}

// province returns the code of the province that an office lies in: 10 and every fiftieth after it. Codes below 10 are
// central offices and stand for themselves.
func province(code string) string {
	n, err := strconv.Atoi(code)
	if err != nil || n < 10 {
		return code
	}
	return fmt.Sprintf("%04d", n-(n-10)%50)
}
