package main

import (
	"encoding/json"
	"unicode/utf8"
)

const deepestNesting = 127

// parseJSON reads one JSON text into the types that encoding/json has for any.
//
// Unlike a struct, a map keeps the names of members apart by case, and the last of duplicate members replaces the others whole.
func parseJSON(text []byte) (value any, ok bool) {
	// encoding/json would mend invalid UTF-8 and accept deeper nesting.
	if !utf8.Valid(text) || nesting(text) > deepestNesting {
		return nil, false
	}
	err := json.Unmarshal(text, &value)
	return value, err == nil
}

// nesting counts the levels of arrays and objects of a JSON text.
func nesting(text []byte) int {
	depth, deepest := 0, 0
	inString := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inString:
			if c == '\\' {
				i++
			} else if c == '"' {
				inString = false
			}
		case c == '"':
			inString = true
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}
