package pdf

import "fmt"

// EmbeddedFile returns the attachment with the given name, from the name tree of embedded files. It returns
// ErrNoAttachment when there is none, and an error when the name is there twice.
func EmbeddedFile(f *File, name string) ([]byte, error) {
	last := len(f.Revisions) - 1
	names, err := f.Resolve(f.Catalog().Get("Names"), last)
	if err != nil {
		return nil, err
	}
	t := nameTree{file: f, revision: last, name: name}
	if tree := names.Get("EmbeddedFiles"); tree.Kind != Null {
		if err := t.walk(tree, 0); err != nil {
			return nil, err
		}
	}
	switch len(t.found) {
	case 0:
		return nil, fmt.Errorf("attachment %q: %w", name, ErrNoAttachment)
	case 1:
		return f.Decode(t.found[0], last)
	}
	return nil, malformed(t.found[1].Start, "two attachments have the name %q", name)
}

type nameTree struct {
	file     *File
	revision int
	name     string
	nodes    int
	found    []Value
}

func (t *nameTree) walk(node Value, depth int) error {
	if t.nodes++; depth > maxDepth || t.nodes > 1<<14 {
		return tooLarge(node.Start, "the tree of attachments is too deep or too wide")
	}
	node, err := t.file.Resolve(node, t.revision)
	if err != nil {
		return err
	}
	kids, err := t.file.Resolve(node.Get("Kids"), t.revision)
	if err != nil {
		return err
	}
	for _, kid := range kids.Items {
		if err := t.walk(kid, depth+1); err != nil {
			return err
		}
	}
	leaves, err := t.file.Resolve(node.Get("Names"), t.revision)
	if err != nil {
		return err
	}
	for i := 0; i+1 < len(leaves.Items); i += 2 {
		if err := t.leaf(leaves.Items[i], leaves.Items[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// leaf keeps the stream of a file specification that has the wanted name, by its key or its own.
func (t *nameTree) leaf(key, spec Value) error {
	spec, err := t.file.Resolve(spec, t.revision)
	if err != nil {
		return err
	}
	if key.Text() != t.name && spec.Get("UF").Text() != t.name && spec.Get("F").Text() != t.name {
		return nil
	}
	streams, err := t.file.Resolve(spec.Get("EF"), t.revision)
	if err != nil {
		return err
	}
	stream, err := t.file.Resolve(streams.Get("F"), t.revision)
	if err != nil {
		return err
	}
	if stream.Kind != Stream {
		return malformed(spec.Start, "attachment %q has no data", t.name)
	}
	t.found = append(t.found, stream)
	return nil
}
