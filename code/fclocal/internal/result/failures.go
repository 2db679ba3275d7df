package result

import (
	"slices"

	"fclocal/internal/trouble"
)

// A Failure is a kind of error that attempts to deliver a batch have ended with.
type Failure struct {
	Kind  string `json:"kind"`  // FC's errorType, or 429
	Count int64  `json:"count"` // attempts
	First string `json:"first"` // what the first of them said

	OnPurpose bool `json:"onPurpose,omitempty"` // as Trouble says, and not the function's own
}

// Failures are in order of their first.
type Failures []Failure

const (
	failureKinds = 20   // at most, as a function can make up types
	failureText  = 2000 // bytes of First at most
)

// AddOnPurpose counts an attempt that was to fail.
func (f *Failures) AddOnPurpose(err *trouble.Error) {
	i := slices.IndexFunc(*f, func(f Failure) bool { return f.OnPurpose && f.Kind == err.Kind })
	if i < 0 {
		i = len(*f)
		*f = append(*f, Failure{Kind: err.Kind, First: err.Text, OnPurpose: true})
	}
	(*f)[i].Count++
}

// onPurpose is how many attempts failed on purpose, of how many.
func (f Failures) onPurpose() (onPurpose, all int64) {
	for _, failure := range f {
		all += failure.Count
		if failure.OnPurpose {
			onPurpose += failure.Count
		}
	}
	return onPurpose, all
}

// Add counts an attempt.
func (f *Failures) Add(kind, text string) {
	i := slices.IndexFunc(*f, func(f Failure) bool { return f.Kind == kind && !f.OnPurpose })
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
