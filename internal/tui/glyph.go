package tui

// Glyphs are the signs that the screens use beside words. Screens may write the full set's characters in their texts:
// on a terminal that can't show them the Canvas puts the ASCII twin in the same cell.
type Glyphs struct {
	Focus, Saved, Failed, Error, Waiting, Empty string
	Filled, ReadOnly, Edited, Objection, Note   string
	Up, Down, Cut                               string
	Across, Along                               string // ─ │
	TopLeft, TopRight, BottomLeft, BottomRight  string
	Full, Light                                 string // the amount read: █ ░
}

// FullGlyphs is the set for terminals that show Vietnamese right.
func FullGlyphs() Glyphs {
	return Glyphs{
		Focus: "▸", Saved: "✓", Failed: "✗", Error: "!", Waiting: "~", Empty: "▫",
		Filled: "◦", ReadOnly: "=", Edited: "*", Objection: "?", Note: "▪",
		Up: "▴", Down: "▾", Cut: "..", Across: "─", Along: "│",
		TopLeft: "┌", TopRight: "┐", BottomLeft: "└", BottomRight: "┘", Full: "█", Light: "░",
	}
}

// ASCIIGlyphs is the set for terminals that draw ambiguous characters two cells wide.
func ASCIIGlyphs() Glyphs {
	return Glyphs{
		Focus: ">", Saved: "+", Failed: "x", Error: "!", Waiting: "~", Empty: "_",
		Filled: "o", ReadOnly: "=", Edited: "*", Objection: "?", Note: "i",
		Up: "^", Down: "v", Cut: "..", Across: "-", Along: "|",
		TopLeft: "+", TopRight: "+", BottomLeft: "+", BottomRight: "+", Full: "#", Light: ".",
	}
}

// asciiTwin returns what stands for a character of the full set on a terminal that has only ASCII signs.
func asciiTwin(cluster string) string {
	switch cluster {
	case "▸":
		return ">"
	case "✓":
		return "+"
	case "✗":
		return "x"
	case "▫":
		return "_"
	case "◦":
		return "o"
	case "▪":
		return "i"
	case "▴":
		return "^"
	case "▾":
		return "v"
	case "─":
		return "-"
	case "│":
		return "|"
	case "┌", "┐", "└", "┘", "├", "┤", "┬", "┴", "┼":
		return "+"
	case "█", "▓":
		return "#"
	case "▒":
		return ":"
	case "░":
		return "."
	}
	return cluster
}
