package mail

// Level is how well the sender of a mail is proven. The order of the constants is from best to worst.
type Level string

// The levels. Only Signed and Aligned prove the address in From; whether it is a known one is the helpdesk's to say.
const (
	LevelSigned   Level = "signed"   // a trusted certificate that names the address in From signed the whole mail
	LevelAligned  Level = "aligned"  // DMARC: the domain in From sent it
	LevelUnproven Level = "unproven" // nothing proves the address in From, nothing speaks against it
	LevelSuspect  Level = "suspect"  // something speaks against it: see the reasons
	LevelForged   Level = "forged"   // it claims to be our staff or a domain that says it did not send it
)

// Proven reports whether the address in From is proven.
func (l Level) Proven() bool { return l == LevelSigned || l == LevelAligned }

// Result is the outcome of one check in the words of RFC 8601 §2.7, and "unchecked" when nobody could check.
type Result string

// The results.
const (
	ResultNone      Result = "none"
	ResultPass      Result = "pass"
	ResultFail      Result = "fail"
	ResultSoftFail  Result = "softfail"
	ResultNeutral   Result = "neutral"
	ResultPolicy    Result = "policy"
	ResultTempError Result = "temperror"
	ResultPermError Result = "permerror"
	ResultUnchecked Result = "unchecked"
)

// Reason is one thing that made or lowered a level. Code is stable and lower case; its sentence is in the catalogues
// under "mail.reason." + Code. Args may hold addresses of strangers.
type Reason struct {
	Code string
	Args map[string]string
	Bad  bool // speaks against the sender
}

// Verdict is who sent a mail, as far as it can be known.
type Verdict struct {
	Level   Level
	DKIM    Result
	SPF     Result
	DMARC   Result
	Source  string   // who checked: "border" (our own mail server's header), "own", or "" when nobody could
	Domain  string   // the domain that DKIM or SPF proved and that is aligned with From; "" when none is
	Signers []string // domains with a valid DKIM signature
	SMIME   SMIME
	Reasons []Reason
}

// Because reports whether the verdict has the reason.
func (v Verdict) Because(code string) bool {
	for _, r := range v.Reasons {
		if r.Code == code {
			return true
		}
	}
	return false
}

// SMIMEStatus is what is true of a mail's S/MIME signature.
type SMIMEStatus string

// The statuses. Valid says that the whole mail as it is shown was signed with the key of Signer; it says nothing about
// who that is: MatchesFrom and Trusted do.
const (
	SMIMENone        SMIMEStatus = "none"
	SMIMEValid       SMIMEStatus = "valid"
	SMIMEInvalid     SMIMEStatus = "invalid"   // changed, or not made with the signer's key, or by a certificate that may not
	SMIMEWeak        SMIMEStatus = "weak"      // holds, but by means that can be forged: SHA-1, MD5, RSA below 2048 bits
	SMIMEPartial     SMIMEStatus = "partial"   // holds, but for a part of what is shown
	SMIMEEncrypted   SMIMEStatus = "encrypted" // can't be read here; nothing is known about signatures inside
	SMIMEUnsupported SMIMEStatus = "unsupported"
)

// SMIME is the truth about a mail's S/MIME signature.
type SMIME struct {
	Status      SMIMEStatus
	Signer      string // address of the signer's certificate, else its common name; "" when there is none
	MatchesFrom bool   // From is exactly one address, and the certificate names it
	Trusted     bool   // the certificate's chain ends in a root that we were given, and was good at the time
	Reasons     []Reason
}

// Proves reports whether the signature proves the address in From.
func (s SMIME) Proves() bool { return s.Status == SMIMEValid && s.MatchesFrom && s.Trusted }
