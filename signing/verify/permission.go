package verify

import "countersign/signing/pdf"

// transform is an entry of a signature's /Reference: what it lets later revisions do (ISO 32000-1 §12.8.2).
type transform struct {
	method string
	params pdf.Value
}

// transforms returns what the signature restricts, as of its own revision.
func (v *verification) transforms(s *found) []transform {
	var out []transform
	list, err := v.file.Resolve(s.dict.Get("Reference"), s.revision)
	if err != nil {
		return nil
	}
	for _, item := range list.Items {
		ref, err1 := v.file.Resolve(item, s.revision)
		params, err2 := v.file.Resolve(ref.Get("TransformParams"), s.revision)
		if err1 != nil || err2 != nil {
			continue
		}
		out = append(out, transform{string(ref.Get("TransformMethod").Raw), params})
	}
	return out
}

// certified returns the least of the permissions that certifications before revision k grant: 1 nothing, 2 forms and
// signatures, 3 annotations too, and 0 when there is none.
func (v *verification) certified(k int) int64 {
	level := int64(0)
	for _, s := range v.found {
		if s.revision < 0 || s.revision >= k {
			continue
		}
		for _, t := range v.transforms(s) {
			if t.method != "DocMDP" {
				continue
			}
			p := int64(2)
			if n := t.params.Get("P"); n.Kind == pdf.Integer {
				p = n.Int
			}
			if level == 0 || p < level {
				level = p
			}
		}
	}
	return level
}

// lockedField reports whether a signature before revision k forbids to change a field (FieldMDP, ISO 32000-1 §12.8.2.4).
func (v *verification) lockedField(name string, k int) bool {
	for _, s := range v.found {
		if s.revision < 0 || s.revision >= k {
			continue
		}
		for _, t := range v.transforms(s) {
			if t.method != "FieldMDP" {
				continue
			}
			named := false
			fields, err := v.file.Resolve(t.params.Get("Fields"), s.revision)
			if err != nil {
				return true
			}
			for _, f := range fields.Items {
				named = named || f.Text() == name
			}
			switch action := t.params.Get("Action"); {
			case action.Is("Include") && !named, action.Is("Exclude") && named:
			default:
				return true // also for All, and for what can't be read
			}
		}
	}
	return false
}
