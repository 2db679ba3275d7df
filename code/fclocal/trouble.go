package main

import (
	"github.com/spf13/pflag"

	"fclocal/internal/trouble"
)

// troubleFlags add what is to go wrong on purpose, and the seed of all chance.
func troubleFlags(flags *pflag.FlagSet, t *trouble.Trouble, seed *uint64) {
	flags.Var(&t.Outages, "outage", "no call reaches the function in the times `FROM-TO,...` since the start, such as 10s-70s; may be repeated")
	flags.Float64Var(&t.ErrorRate, "error-rate", 0, "`F` of the calls fail when the function has answered, 0 to 1")
	flags.DurationVar(&t.Slow, "slow", 0, "each call lasts `D` longer")
	flags.DurationVar(&t.KillInstances, "kill-instances", 0, "each instance is killed, after `D` on average; 0: none is")
	flags.Uint64Var(seed, "seed", 0, "`N` from which all chance comes")
}
