package pdf

// Field is a form field without children, as of one revision.
type Field struct {
	Name   string // the whole name, its parts joined by dots
	Type   string // /Sig, /Tx …, inherited or its own, without the slash
	Object Object
	Value  Value // its /V, Null when it is empty
}

// Fields returns the form's fields as of a revision, in order. Entries of its list that are no fields are left out.
// Two signature fields of one name, or a signature field and another, are an error: readers differ in which one counts.
func (f *File) Fields(revision int) ([]Field, error) {
	root, err := f.Resolve(f.Revisions[revision].Trailer.Get("Root"), revision)
	if err != nil {
		return nil, err
	}
	form, err := f.Resolve(root.Get("AcroForm"), revision)
	if err != nil {
		return nil, err
	}
	list, err := f.Resolve(form.Get("Fields"), revision)
	if err != nil {
		return nil, err
	}
	w := fieldWalk{file: f, revision: revision, seen: make(map[int64]bool), fields: make([]Field, 0, min(len(list.Items), 16))}
	for _, item := range list.Items {
		if err := w.walk(item, "", "", 0); err != nil {
			return nil, err
		}
	}
	names := make(map[string]string, len(w.fields))
	for _, field := range w.fields {
		if typ, twice := names[field.Name]; twice && (typ == "Sig" || field.Type == "Sig") {
			return nil, malformed(field.Object.Span.Start, "two form fields have the name %q", field.Name)
		}
		names[field.Name] = field.Type
	}
	return w.fields, nil
}

type fieldWalk struct {
	file     *File
	revision int
	seen     map[int64]bool
	fields   []Field
}

func (w *fieldWalk) walk(ref Value, name, typ string, depth int) error {
	if ref.Kind == Null {
		return nil
	}
	if ref.Kind != Reference {
		return malformed(ref.Start, "a form field is not a reference")
	}
	if depth > maxDepth || w.seen[ref.Int] {
		return malformed(ref.Start, "form fields go in a circle")
	}
	w.seen[ref.Int] = true
	if w.file.budget--; w.file.budget < 0 {
		return tooLarge(ref.Start, "it has more than %d values", maxValues)
	}
	o, err := w.file.Object(int(ref.Int), w.revision)
	if err != nil {
		return err
	}
	if o.Value.Kind == Null {
		return nil // it was deleted, which is no harm
	}
	if o.Value.Kind != Dict {
		return malformed(o.Span.Start, "form field %d is not a dictionary", ref.Int)
	}
	if part := o.Value.Get("T"); part.Kind == String {
		if name != "" {
			name += "."
		}
		name += part.Text()
	}
	if t := o.Value.Get("FT"); t.Kind == Name {
		typ = string(t.Raw)
	}
	kids, err := w.file.Resolve(o.Value.Get("Kids"), w.revision)
	if err != nil {
		return err
	}
	inner := false // kids with names are fields; kids without are only the field's widgets
	for _, kid := range kids.Items {
		k, err := w.file.Resolve(kid, w.revision)
		if err != nil {
			return err
		}
		inner = inner || k.Get("T").Kind != Null
	}
	if !inner {
		value, err := w.file.Resolve(o.Value.Get("V"), w.revision)
		if err != nil {
			return err
		}
		w.fields = append(w.fields, Field{Name: name, Type: typ, Object: o, Value: value})
		return nil
	}
	for _, kid := range kids.Items {
		if err := w.walk(kid, name, typ, depth+1); err != nil {
			return err
		}
	}
	return nil
}
