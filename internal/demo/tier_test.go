package demo

import "os"

// faultsVar turns the slow tier on: the full counts of kills and flips.
const faultsVar = "TEST_FAULTS"

func slow() bool { return os.Getenv(faultsVar) != "" }

// holeBytes is how many bytes of each signature's contents are tried bit by bit.
func holeBytes() int {
	if slow() {
		return 200
	}
	return 25
}

// kills is how often the service is killed.
func kills() int {
	if slow() {
		return 100
	}
	return 12
}
