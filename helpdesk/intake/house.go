package intake

import (
	"fmt"
	"io/fs"

	"go.yaml.in/yaml/v3"
)

// House is how the organisation is known outside.
type House struct {
	Version     string   `yaml:"version"`
	Mailbox     string   `yaml:"mailbox"`
	Domains     []string `yaml:"domains"` // from which staff send
	Names       []string `yaml:"names"`   // that strangers must not carry
	Queues      []string `yaml:"queues"`  // behind # in a subject
	Switchboard string   `yaml:"switchboard"`
	Extensions  []string `yaml:"extensions"`
}

// LoadHouse reads helpdesk/house.yaml.
func LoadHouse(files fs.FS) (*House, error) {
	data, err := fs.ReadFile(files, "helpdesk/house.yaml")
	if err != nil {
		return nil, fmt.Errorf("read how the house is known: %w", err)
	}
	h := &House{}
	if err := yaml.Unmarshal(data, h); err != nil {
		return nil, fmt.Errorf("read how the house is known: %w", err)
	}
	if h.Mailbox == "" || len(h.Domains) == 0 || len(h.Queues) == 0 {
		return nil, fmt.Errorf("read how the house is known: mailbox, domains and queues are all needed")
	}
	return h, nil
}
