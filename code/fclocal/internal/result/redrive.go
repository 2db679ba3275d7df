package result

// A Redrive is what became of the dead letters of a file, to which those of a topic may
// have been added before.
type Redrive struct {
	Topic     string `json:"topic,omitempty"`
	Taken     int    `json:"taken"`   // letters that came from the topic
	Skipped   int    `json:"skipped"` // records of it that are none
	File      string `json:"file"`
	Letters   int    `json:"letters"`   // in the file, then
	Delivered int    `json:"delivered"` // and are no longer in it
	Failed    int    `json:"failed"`    // again
	Untried   int    `json:"untried"`   // as the redrive was stopped
	CutShort  int    `json:"cutShort"`  // lines of which the end is missing
	Calls     int    `json:"calls"`

	Failures Failures `json:"failures"` // of calls
}

// Done says whether all letters have been delivered.
func (r Redrive) Done() bool { return r.Failed+r.Untried+r.CutShort == 0 }
