package result

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"fclocal/internal/trigger"
)

// Input is what went into a run.
type Input struct {
	Settings Settings `json:"settings"`
	Load     Load     `json:"load"`
	Function Function `json:"function"`
	Account  Account  `json:"account"`
	Trouble  *Trouble `json:"trouble,omitempty"` // nil if nothing was to go wrong
}

// Settings are those of s.yaml that a run had, in the order in which they are
// shown.
type Settings []Setting

// A Setting is one of s.yaml's.
type Setting struct {
	Name   string // in s.yaml
	Value  any    // int, float64, bool or string
	Unit   string // of a number: MB, s; may be ""
	Hidden bool   // not worth showing unless runs differ in it
}

// MarshalJSON writes an object, in the order of the settings.
func (s Settings) MarshalJSON() ([]byte, error) {
	var object bytes.Buffer
	object.WriteByte('{')
	for i, setting := range s {
		if i > 0 {
			object.WriteByte(',')
		}
		name, err := json.Marshal(setting.Name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(setting.Value)
		if err != nil {
			return nil, err
		}
		object.Write(name)
		object.WriteByte(':')
		object.Write(value)
	}
	object.WriteByte('}')
	return object.Bytes(), nil
}

// UnmarshalJSON reads what MarshalJSON has written. Units and what is hidden are
// not in it.
func (s *Settings) UnmarshalJSON(object []byte) error {
	*s = nil
	decoder := json.NewDecoder(bytes.NewReader(object))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return fmt.Errorf("settings are no object: %.40s", object)
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		setting := Setting{Name: name.(string)}
		if err := decoder.Decode(&setting.Value); err != nil {
			return err
		}
		if number, ok := setting.Value.(float64); ok && number == float64(int(number)) {
			setting.Value = int(number)
		}
		*s = append(*s, setting)
	}
	_, err := decoder.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// Value returns the value of a setting, nil if there is none of that name.
func (s Settings) Value(name string) any {
	for _, setting := range s {
		if setting.Name == name {
			return setting.Value
		}
	}
	return nil
}

func (s Settings) whole(name string) int {
	value, _ := s.Value(name).(int)
	return value
}

// Load is what comes to the topic. A stream that others produce for knows only
// its partitions.
type Load struct {
	Partitions      int     `json:"partitions"`                // of the topic
	Backlog         int64   `json:"backlog,omitempty"`         // messages that are there at the start
	Messages        int64   `json:"messages,omitempty"`        // that a stream produces, the backlog not included, or a plan's recording has
	Recording       string  `json:"recording,omitempty"`       // name of the topic or the file that a plan's messages come from
	RatePerSecond   float64 `json:"ratePerSecond,omitempty"`   // messages a second; 0: all at once, or as RateFile says
	RateFile        string  `json:"rateFile,omitempty"`        // name of the file that a day's rates come from
	HighestRate     float64 `json:"highestRate,omitempty"`     // of RateFile, in messages a second
	DurationSeconds float64 `json:"durationSeconds,omitempty"` // for how long a plan's messages come
	EventBytes      int     `json:"eventBytes,omitempty"`      // of a message's event in a call's payload, in a plan; with SizeFile and Recording on average
	SizeFile        string  `json:"sizeFile,omitempty"`        // name of the file that they come from
	Arrivals        string  `json:"arrivals,omitempty"`        // of a plan's messages: even, poisson, bursts or recorded
	Bursts          *Bursts `json:"bursts,omitempty"`          // of arrivals that have them
	Group           int     `json:"group,omitempty"`           // messages that come to a partition at once, where it is more than one
	Skew            float64 `json:"skew,omitempty"`            // exponent of Zipf's law over the partitions; 0: all are even
}

// Bursts are when more comes than on average.
type Bursts struct {
	Rate         float64 `json:"rate"`         // times the mean rate
	ForSeconds   float64 `json:"forSeconds"`   // how long one lasts
	EverySeconds float64 `json:"everySeconds"` // in which there is one
}

// Function is how long the function takes in a plan, in milliseconds: the CPU time
// on one core, which is 0 if it was not measured, and what comes on top. Of a
// stream it is only how much longer than its answer a call lasts.
type Function struct {
	CallTimeMs  float64 `json:"callTimeMs"`
	EventTimeMs float64 `json:"eventTimeMs"` // for each event of a call
	CallCPUMs   float64 `json:"callCPUMs"`
	EventCPUMs  float64 `json:"eventCPUMs"` // for each event of a call

	ColdStartMs   float64 `json:"coldStartMs,omitempty"`   // until a new instance could take its first call
	InitializerMs float64 `json:"initializerMs,omitempty"` // and its initializer after that
	PreStopMs     float64 `json:"preStopMs,omitempty"`     // of an instance, before its end
	Spread        float64 `json:"spread,omitempty"`        // by how much of themselves times differ at most, 0 to 1

	Times *Times `json:"times,omitempty"` // that were measured, on top of these

	// What CallTimeMs and EventTimeMs have of the user, beside what was measured.
	GivenCallMs  float64 `json:"-"`
	GivenEventMs float64 `json:"-"`

	Measured *Measured `json:"-"` // what all runs have been fitted to; nil if the times were given
}

// Times are measured times of the function.
type Times struct {
	File   string  `json:"file"`   // name
	Of     string  `json:"of"`     // call or event
	MeanMs float64 `json:"meanMs"` // milliseconds
}

// Account is what the account may have in a region, and what else is not in
// s.yaml.
type Account struct {
	MaxInstances       int     `json:"maxInstances"`
	InstanceBurst      int     `json:"instanceBurst"`      // of those, that may exist at once
	InstanceGrowth     int     `json:"instanceGrowth"`     // that each minute may bring more
	IdleTimeoutSeconds float64 `json:"idleTimeoutSeconds"` // after which an instance goes away; 0: never
	RetryScale         float64 `json:"retryScale"`         // that multiplies the waits before retries
	Seed               uint64  `json:"seed"`               // of all chance
}

// AccountOf is what the rules have of the account.
func AccountOf(rules trigger.Config) Account {
	a := Account{
		MaxInstances: rules.MaxInstances, InstanceBurst: rules.InstanceBurst, InstanceGrowth: rules.InstanceGrowth,
		IdleTimeoutSeconds: rules.IdleTimeout.Seconds(), RetryScale: rules.RetryScale, Seed: rules.Seed,
	}
	if a.InstanceBurst == 0 {
		a.InstanceBurst = a.MaxInstances
	}
	return a
}

// Milliseconds is a duration as results have it.
func Milliseconds(d time.Duration) float64 { return milliseconds(d) }
