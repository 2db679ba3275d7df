package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"fclocal/internal/config"
	"fclocal/internal/escape"
	"fclocal/internal/failure"
)

func newCheckCommand(options *globalOptions) *cobra.Command {
	var asJSON, fc3, strict bool
	command := &cobra.Command{
		Use:   "check",
		Short: "Say everything that is wrong with s.yaml",
		Long: `check reads s.yaml and says everything that is wrong with it at once, with the
line and a caret under the place: also what only s deploy or FC refuses, such as a
role that is a placeholder, which the other commands do without. It warns of what
deploys but does not do what it seems to. Problems go to stdout, the counts to stderr.

Exit codes: 0 no errors (there may be warnings), 2 errors, or no s.yaml; with
--strict also warnings.`,
		Example: `  fclocal check
  fclocal check -t ../other/s.yaml
  fclocal check --fc3
  fclocal check --json | jq -r '.problems[] | select(.severity == "error") | .message'`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			path, err := options.path()
			if err != nil {
				return err
			}
			_, problems, err := config.Load(path, config.Options{Deploy: true, FC3: fc3, Function: options.function})
			if err != nil {
				return err
			}
			if asJSON {
				err = config.RenderJSON(command.OutOrStdout(), path, problems)
			} else {
				err = config.Render(command.OutOrStdout(), problems)
			}
			if err != nil {
				return failure.Of(err)
			}
			summary := escape.Line(path) + ": " + config.Summary(problems)
			switch errorCount, warnings := config.Count(problems); {
			case errorCount > 0:
				return errors.New(summary)
			case strict && warnings > 0:
				return errors.New(summary + "; --strict allows none")
			}
			fmt.Fprintln(command.ErrOrStderr(), "fclocal:", summary)
			return nil
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print the problems as JSON")
	command.Flags().BoolVar(&fc3, "fc3", false, "also warn of what changes when the function moves to FC 3.0")
	command.Flags().BoolVar(&strict, "strict", false, "fail on warnings, such as placeholders, too")
	return command
}
