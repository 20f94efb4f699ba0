package demo

const childVar = "COUNTERSIGN_DEMO_CHILD"

func playChild(string) int { return 2 }
