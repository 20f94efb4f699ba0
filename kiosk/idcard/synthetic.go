package idcard

import (
	"fmt"
	"strings"
)

// Person is an invented person, for the demo and for tests.
type Person struct {
	Number  string // personal number, 12 digits
	Old     string // number of the earlier card, may be empty
	Name    string // family name first, as "NGUYỄN VĂN THỬ"
	Birth   string // ISO
	Sex     string // "M" or "F"
	Address string
	Issued  string // ISO
	Expires string // ISO
}

// QR returns what the QR of this person's card holds.
func (p Person) QR() string {
	sex := "Nam"
	if p.Sex == "F" {
		sex = "Nữ"
	}
	return strings.Join([]string{p.Number, p.Old, p.Name, compactDate(p.Birth), sex, p.Address, compactDate(p.Issued)}, "|")
}

// TD1 returns the machine-readable zone on the back of this person's card, three lines. The number must have 12 digits
// and the dates must be whole.
func (p Person) TD1() string {
	l1 := "IDVNM" + p.Number[3:] + string(mrzDigit(p.Number[3:])) + p.Number + "<<"
	l1 += string(mrzDigit(l1[15:29]))
	birth, expires := mrzPrinted(p.Birth), mrzPrinted(p.Expires)
	l2 := birth + string(mrzDigit(birth)) + p.Sex + expires + string(mrzDigit(expires)) + "VNM" + strings.Repeat("<", 11)
	l2 += string(mrzDigit(l1[5:30] + l2[0:7] + l2[8:15] + l2[18:29]))
	words := strings.Fields(latin(p.Name))
	l3 := words[0] + "<<" + strings.Join(words[1:], "<") + strings.Repeat("<", 30)
	return l1 + "\n" + l2 + "\n" + l3[:30]
}

// compactDate writes an ISO date as ddMMyyyy.
func compactDate(iso string) string {
	return fmt.Sprintf("%s%s%s", iso[8:10], iso[5:7], iso[0:4])
}

// mrzPrinted writes an ISO date as yyMMdd.
func mrzPrinted(iso string) string { return iso[2:4] + iso[5:7] + iso[8:10] }
