package result

import (
	"reflect"

	"fclocal/internal/trouble"
)

// Trouble is what went wrong in a run on purpose.
type Trouble struct {
	Outages              []Outage `json:"outages,omitempty"`              // in which no call reached the function
	ErrorRate            float64  `json:"errorRate,omitempty"`            // share of the calls whose answer became an error, 0 to 1
	SlowMs               float64  `json:"slowMs,omitempty"`               // milliseconds that each call lasted longer
	KillInstancesSeconds float64  `json:"killInstancesSeconds,omitempty"` // for how long an instance lived on average; 0: none was killed
}

// An Outage is a time since the begin of the run.
type Outage struct {
	FromSeconds float64 `json:"fromSeconds"`
	ToSeconds   float64 `json:"toSeconds"`
}

// TroubleOf is nil if there is none.
func TroubleOf(t trouble.Trouble) *Trouble {
	of := Trouble{ErrorRate: t.ErrorRate, SlowMs: milliseconds(t.Slow), KillInstancesSeconds: t.KillInstances.Seconds()}
	for _, outage := range t.Outages {
		of.Outages = append(of.Outages, Outage{outage.From.Seconds(), outage.To.Seconds()})
	}
	if reflect.ValueOf(of).IsZero() {
		return nil
	}
	return &of
}
