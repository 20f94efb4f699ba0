package message

import (
	"regexp"
	"sync"
)

// lazily compiles a pattern when it is first used: most commands of the program never read a mail.
func lazily(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}
