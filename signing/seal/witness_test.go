package seal_test

import (
	"context"
	"testing"

	"countersign/internal/fault"
	"countersign/signing"
	"countersign/signing/seal"
)

// byHand allows handwriting for service 11 alone.
func byHand(service string) signing.Rank {
	if service == "11" {
		return signing.Witnessed
	}
	return signing.OneTimeCode
}

func TestSealsStandOnAWitnessedHandwritingOnlyWhereItIsAllowed(t *testing.T) {
	for _, c := range []struct {
		name  string
		least func(service string) signing.Rank
		spoil func(*seal.Order)
		want  string
	}{
		{"allowed for this service", byHand, nil, ""},
		{"nothing is said of it", nil, nil, "seal.rank"},
		{"another service", func(string) signing.Rank { return signing.OneTimeCode }, nil, "seal.rank"},
		{"witnessed for another order", byHand, func(r *seal.Order) { r.ID += "1" }, "seal.consent"},
		{"witnessed on other evidence", byHand, func(r *seal.Order) { r.Consent.Evidence[0] ^= 1 }, "seal.consent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := open(t)
			var err error
			if o.customer, err = o.world.Ceremony().Witness(context.Background(), o.world.Handwritten(t, o.base)); err != nil {
				t.Fatal(err)
			}
			o.Least = c.least
			order := o.order(t)
			if c.spoil != nil {
				c.spoil(&order)
			}
			r, err := o.Apply(context.Background(), order)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				o.world.Accepted(t, r.Document, 4)
				return
			}
			if !fault.Is(err, c.want) || r.Document != nil || len(o.book.uses) != 0 {
				t.Errorf("got %v with %d uses booked, want %s", err, len(o.book.uses), c.want)
			}
		})
	}
}

func TestACodeDoesNotDoWhereTheCustomersOwnKeyIsAskedFor(t *testing.T) {
	o := open(t)
	o.Least = func(string) signing.Rank { return signing.OwnKey }
	if _, err := o.Apply(context.Background(), o.order(t)); !fault.Is(err, "seal.rank") {
		t.Errorf("got %v", err)
	}
}
