package main

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// A rule is broken by some options.
type rule struct {
	broken bool
	say    string
}

// firstBroken is an error for the first rule that is broken.
func firstBroken(rules []rule) error {
	for _, r := range rules {
		if r.broken {
			return errors.New(r.say)
		}
	}
	return nil
}

// from is the rule that an option has a finite value of least or more.
func from[T int | int64 | float64 | time.Duration](name string, value, least T) rule {
	return rule{!(value >= least) || math.IsInf(float64(value), 1), fmt.Sprintf("%s %v: it must be %v or more", name, value, float64(least))}
}

// between is the rule that an option has a value of least to most.
func between(name string, value, least, most float64) rule {
	return rule{!(value >= least && value <= most), fmt.Sprintf("%s %v: it must be from %v to %v", name, value, least, most)}
}
