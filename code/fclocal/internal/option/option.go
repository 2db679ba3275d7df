// Package option checks options of the command line.
package option

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// A Rule is broken by some options.
type Rule struct {
	Broken bool
	Say    string
}

// Not is a rule that is broken if something is so, and what to say then.
func Not(so bool, say string) Rule { return Rule{so, say} }

// Check is an error for the first rule that is broken.
func Check(rules ...Rule) error {
	for _, r := range rules {
		if r.Broken {
			return errors.New(r.Say)
		}
	}
	return nil
}

// From is the rule that an option has a finite value of least or more.
func From[T int | int64 | float64 | time.Duration](name string, value, least T) Rule {
	return Rule{!(value >= least) || math.IsInf(float64(value), 1), fmt.Sprintf("%s %v: it must be %v or more", name, value, float64(least))}
}

// Between is the rule that an option has a value of least to most.
func Between[T float64 | time.Duration](name string, value, least, most T) Rule {
	return Rule{!(value >= least && value <= most), fmt.Sprintf("%s %v: it must be from %v to %v", name, value, least, most)}
}
