// Package tui is the wall between the screens and the terminal: the only importer of bubbletea and lipgloss.
//
// A screen is a plain struct (Screen): it takes events, returns commands to be run outside, and draws on a Canvas.
// It never writes to the terminal and never reads from it.
//
// Invariants:
//   - Every string passes Sanitize on its way to a cell, so nothing from outside can move the cursor, change colours
//     or reverse the reading order.
//   - A cell holds one grapheme cluster in NFC; a wide one owns two cells. East Asian ambiguous width counts as one.
//   - The real cursor stands where the screen put it with SetCaret, or is hidden.
//   - A screen that does not change writes nothing. What changed is written cell by cell in one synchronised update.
//   - The terminal is restored however Run ends. A stop signal is read as the lock key; a lost terminal ends Run.
//
// Bytes from the terminal become events in decoder (decode.go), a Canvas becomes bytes in painter (paint.go and
// output.go), Theme (theme.go) turns meanings into colours. Start reading at Screen (screen.go), then Run (run.go).
package tui
