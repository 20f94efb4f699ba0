package verify

import "countersign/signing/pdf"

// index knows who refers to which object in any revision. It is made once for a file, so that judging fifty revisions
// costs as much as reading them.
type index struct {
	users map[int][]int // by object number, the numbers of the objects that refer to it
	first map[int]int   // by object number, the first revision in which something refers to it
}

func (v *verification) references() *index {
	if v.index != nil {
		return v.index
	}
	x := &index{users: make(map[int][]int), first: make(map[int]int)}
	for k, r := range v.file.Revisions {
		for _, p := range r.Trailer.Pairs {
			if key := string(p.Key); key != "Prev" && key != "XRefStm" {
				x.add(p.Value, 0, k)
			}
		}
		for _, e := range r.Entries {
			if e.Free {
				continue
			}
			o, err := v.file.Object(e.Num, k)
			if err != nil || o.Value.Get("Type").Is("XRef") {
				continue // it is the trailer
			}
			x.add(o.Value, e.Num, k)
		}
	}
	v.index = x
	return x
}

// add notes the references in a value that user, 0 for a trailer, holds as of revision k.
func (x *index) add(value pdf.Value, user, k int) {
	for i := range value.Items {
		x.add(value.Items[i], user, k)
	}
	for i := range value.Pairs {
		x.add(value.Pairs[i].Value, user, k)
	}
	if value.Kind != pdf.Reference {
		return
	}
	num := int(value.Int)
	if list := x.users[num]; len(list) == 0 || list[len(list)-1] != user {
		x.users[num] = append(list, user)
	}
	if _, ok := x.first[num]; !ok {
		x.first[num] = k
	}
}

// prepared reports whether an object that revision k is the first to write was referred to before: whoever made the
// signed document left a place that the update fills.
func (x *index) prepared(num, k int) bool {
	first, ok := x.first[num]
	return ok && first < k
}

// onlyUsedBy reports whether nothing but the given objects ever referred to an object.
func (x *index) onlyUsedBy(num int, allowed func(user int) bool) bool {
	for _, user := range x.users[num] {
		if !allowed(user) {
			return false
		}
	}
	return true
}
