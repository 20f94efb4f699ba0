// Package tuitest plays journeys: text files that say what a person types and what the screen must then show.
//
// One journey runs on three kinds of terminal: Headless (the screen struct alone, in this process), Pty (the real
// program in a pseudo terminal, judged by Emulator) and Tmux (the real program in tmux, judged by tmux). Nothing
// sleeps: a journey waits until the screen shows what it expects, and prints the last frame when that never comes.
//
// The emulator measures widths by another library than package tui does, so that an error in one shows up in the
// other. SVG draws a captured screen for people. Start reading at Journey (journey.go) and Terminal (terminal.go).
package tuitest
