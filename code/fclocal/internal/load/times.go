package load

import (
	"fmt"

	"github.com/spf13/cobra"

	"fclocal/internal/option"
	"fclocal/internal/plan"
)

// Times are the options of measured times of the function.
type Times struct {
	file string
	of   string
}

var timesOf = []string{"call", "event"}

// AddTo adds the options to a command.
func (t *Times) AddTo(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&t.file, "times", "", "calls take any of the measured times in `FILE`, one a line: 12ms, 1.5s, or milliseconds")
	flags.StringVar(&t.of, "times-of", timesOf[0], "they are those of a `call|event`: in place of --call-time, or of --event-time")
	command.RegisterFlagCompletionFunc("times-of", cobra.FixedCompletions(timesOf, cobra.ShellCompDirectiveNoFileComp))
}

// Given says whether there are any.
func (t *Times) Given() bool { return t.file != "" }

// Read finds options that do not go together, and reads the times.
func (t *Times) Read(given func(option string) bool) (plan.Times, error) {
	if err := option.Check(
		option.Not(t.of != "call" && t.of != "event", fmt.Sprintf("--times-of %s: it must be call or event", t.of)),
		option.Not(given("times-of") && !t.Given(), "--times-of is for --times"),
		option.Not(t.Given() && given("measure"), "--times and --measure exclude each other: give one of them"),
		option.Not(t.Given() && given(t.of+"-time"), "--times gives what --"+t.of+"-time would: leave one of them out"),
	); err != nil || !t.Given() {
		return plan.Times{}, err
	}
	samples, err := plan.ReadTimes(t.file)
	return plan.Times{Samples: samples, OfEvents: t.of == "event"}, err
}
