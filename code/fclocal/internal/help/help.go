// Package help makes the command `help` fail for what there is no help on.
package help

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// Strict makes `help` of all commands that root has by now an error for a name that is
// none. By itself it says so and ends as if all were good.
func Strict(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	i := slices.IndexFunc(root.Commands(), func(c *cobra.Command) bool { return c.Name() == "help" })
	root.Commands()[i].Args = func(_ *cobra.Command, args []string) error {
		command, rest, err := root.Find(args)
		if err == nil && len(rest) == 0 {
			return nil
		}
		if command == nil {
			command = root
		}
		var known []string
		for _, c := range command.Commands() {
			if c.IsAvailableCommand() || c.IsAdditionalHelpTopicCommand() || c.Name() == "help" {
				known = append(known, c.Name())
			}
		}
		about := strings.Join(args, " ")
		if len(known) == 0 {
			return fmt.Errorf("no help on %q; known is %q", about, strings.TrimPrefix(command.CommandPath(), root.Name()+" "))
		}
		return fmt.Errorf("no help on %q; known are %s", about, strings.Join(known, ", "))
	}
}
