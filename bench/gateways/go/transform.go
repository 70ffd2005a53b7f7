package main

import (
	"maps"
	"slices"
)

// transform edits the top level of a payload.
type transform struct {
	remove []string
	rename []renaming
	set    map[string]any
}

type renaming struct{ from, to string }

type transformSpec struct {
	Remove []string          `json:"remove"`
	Rename map[string]string `json:"rename"`
	Set    map[string]any    `json:"set"`
}

func newTransform(spec transformSpec) transform {
	t := transform{remove: spec.Remove, set: spec.Set}
	// Two members may get the same name: the order must not depend on the map.
	for _, from := range slices.Sorted(maps.Keys(spec.Rename)) {
		t.rename = append(t.rename, renaming{from, spec.Rename[from]})
	}
	return t
}

// apply edits the payload in place. All renamings happen at once, so that two members can change places.
func (t *transform) apply(payload map[string]any) {
	for _, name := range t.remove {
		delete(payload, name)
	}
	type member struct {
		name  string
		value any
	}
	var renamed []member
	for _, renaming := range t.rename {
		if value, present := payload[renaming.from]; present {
			delete(payload, renaming.from)
			renamed = append(renamed, member{renaming.to, value})
		}
	}
	for _, member := range renamed {
		payload[member.name] = member.value
	}
	for name, value := range t.set {
		payload[name] = value
	}
}
