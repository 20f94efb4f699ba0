package cms

import "bytes"

// smArc is how the object identifiers of China's algorithms begin in DER: 1.2.156.10197.1, below which are SM2 and SM3.
var smArc = []byte{0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01}

// NamesSM reports whether a message that Parse does not read names SM2 or SM3 (GB/T 32918, GB/T 32905). Nothing here
// verifies these, and that is something else than a message that is broken.
func NamesSM(message []byte) bool { return bytes.Contains(message, smArc) }
