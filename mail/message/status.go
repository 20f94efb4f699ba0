package message

import (
	"strings"

	m "countersign/mail"
)

// readStatus reads a delivery report in the standard's form (RFC 3464).
func readStatus(out *m.Message) bool {
	part := find(out.Root, "message/delivery-status", "message/global-delivery-status")
	data := []byte(nil)
	switch {
	case part != nil:
		data = Content(part)
	case out.Root.Type == "multipart/report" && strings.EqualFold(out.Root.Params["report-type"], "delivery-status"):
		// The part is there under another type.
		out.Root.Walk(func(p *m.Part) bool {
			if data == nil && len(p.Parts) == 0 && hasFinal().Match(p.Body) {
				data = Content(p)
			}
			return p.Type != "message/rfc822"
		})
	default:
		return false
	}
	out.Bounces = recipients(data)
	if len(out.Bounces) == 0 {
		readOldBounce(out)
	}
	if part == nil && len(out.Bounces) == 0 && data == nil {
		return false
	}
	improve(out)
	return true
}

var (
	hasFinal = lazily(`(?im)^(?:final|original)-recipient:`)
	enhanced = lazily(`(?:^|[^0-9.])([245])\.(\d{1,3})\.(\d{1,3})(?:[^0-9.]|\.(?:\s|$)|$)`)
	// A reply code of SMTP, not part of a longer number, a time or an address.
	replyCode = lazily(`(?:^|[\s:(<\[#"'>-])([45][0-7]\d)(?:[\s\-:.,)>#"'\]]|$)`)
)

// recipients reads the blocks about recipients. A missing empty line between two of them is no obstacle.
func recipients(data []byte) []m.Bounce {
	var out []m.Bounce
	for _, block := range statusFields(data) {
		var b, none m.Bounce
		take := func() {
			if b.Recipient == "" {
				b.Recipient, b.Original = b.Original, ""
			}
			if b.Recipient != "" && len(out) < 1000 {
				out = append(out, settle(b))
			}
			b = none
		}
		for _, f := range block {
			switch strings.ToLower(f.Name) {
			case "final-recipient":
				if b.Recipient != "" {
					take()
				}
				b.Recipient = typedAddress(f.Value)
			case "original-recipient":
				if b.Original != "" {
					take()
				}
				b.Original = typedAddress(f.Value)
			case "x-actual-recipient":
				if b.Original == "" {
					b.Original = typedAddress(f.Value)
				}
			case "action":
				b.Action, _, _ = strings.Cut(strings.ToLower(line(stripComments(f.Value))), " ")
			case "status":
				if s := enhancedCode(f.Value); s != "" {
					b.Status = s
				} else if s := derived(f.Value); s != "" {
					b.Status = s
				}
			case "diagnostic-code":
				if b.Diagnostic == "" {
					b.Diagnostic = line(f.Value)
				}
			}
		}
		take()
	}
	return out
}

// typedAddress reads "rfc822; local@domain".
func typedAddress(v string) string {
	if _, after, ok := strings.Cut(v, ";"); ok {
		v = after
	}
	v = strings.TrimSpace(line(stripComments(v)))
	if i := strings.IndexByte(v, '<'); i >= 0 {
		v = strings.TrimSuffix(v[i+1:], ">")
	}
	// X.400 and local deliveries carry no mail address.
	v = strings.Trim(v, `'" `)
	if !strings.Contains(v, "@") && strings.ContainsAny(v, "/|=; ") {
		return ""
	}
	return mailbox(v)
}

func enhancedCode(s string) string {
	if g := enhanced().FindStringSubmatch(s); g != nil {
		return g[1] + "." + g[2] + "." + g[3]
	}
	return ""
}

// derived makes a status of an SMTP reply code (RFC 3463 has no better for most of them).
func derived(s string) string {
	g := replyCode().FindStringSubmatch(s)
	if g == nil {
		return ""
	}
	return g[1][:1] + ".0.0"
}

// settle fills in what a report left out from what it said.
func settle(b m.Bounce) m.Bounce {
	if b.Status == "" {
		if b.Status = enhancedCode(b.Diagnostic); b.Status == "" {
			b.Status = derived(b.Diagnostic)
		}
	}
	switch b.Action {
	case "failed", "delayed", "delivered", "relayed", "expanded":
	case "failure", "expired", "fail", "bounced", "undeliverable":
		b.Action = "failed"
	case "delay", "deferred", "transient":
		b.Action = "delayed"
	default:
		b.Action = map[string]string{"2": "delivered", "4": "delayed", "": "failed", "5": "failed"}[b.Status[:min(1, len(b.Status))]]
	}
	if b.Status == "" {
		b.Status = map[string]string{"failed": "5.0.0", "delayed": "4.0.0"}[b.Action]
		if b.Status == "" {
			b.Status = "2.0.0"
		}
	}
	return b
}

// improve takes an address that is only a local name from the report's own words or header.
func improve(out *m.Message) {
	for i, b := range out.Bounces {
		if strings.Contains(b.Recipient, "@") {
			continue
		}
		if strings.Contains(b.Original, "@") {
			out.Bounces[i].Recipient, out.Bounces[i].Original = b.Original, ""
		}
	}
}
