package result

import "slices"

// A Failure is a kind of error that attempts to deliver a batch have ended with.
type Failure struct {
	Kind  string `json:"kind"`  // FC's errorType, or 429
	Count int64  `json:"count"` // attempts
	First string `json:"first"` // what the first of them said
}

// Failures are in order of their first.
type Failures []Failure

const (
	failureKinds = 20   // at most, as a function can make up types
	failureText  = 2000 // bytes of First at most
)

// Add counts an attempt.
func (f *Failures) Add(kind, text string) {
	i := slices.IndexFunc(*f, func(f Failure) bool { return f.Kind == kind })
	if i < 0 && len(*f) >= failureKinds && kind != "others" {
		f.Add("others", text)
		return
	}
	if i < 0 {
		if len(text) > failureText {
			text = text[:failureText] + "…"
		}
		i = len(*f)
		*f = append(*f, Failure{Kind: kind, First: text})
	}
	(*f)[i].Count++
}
