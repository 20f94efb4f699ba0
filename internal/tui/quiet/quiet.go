// Package quiet keeps bubbletea from asking the terminal a question before main runs.
//
// Bubbletea v1's package initialiser asks for the terminal's background colour and waits up to five seconds for an
// answer. Go initialises packages that are ready in the order of their import paths, so this package, which needs
// nothing but lipgloss and whose path ("countersign/…") sorts before "github.com/charmbracelet/bubbletea", runs
// first and settles the question. Invariant: the module path keeps sorting before bubbletea's; a test that runs a
// real binary in a terminal holds it.
package quiet

import "github.com/charmbracelet/lipgloss"

func init() { lipgloss.SetHasDarkBackground(true) }
