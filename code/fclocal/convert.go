package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"fclocal/internal/config"
	"fclocal/internal/convert"
	"fclocal/internal/escape"
	"fclocal/internal/failure"
)

func newConvertCommand(options *globalOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "convert",
		Short: "Print FC 2.0's s.yaml as FC 3.0's",
		Long: `convert prints the s.yaml of FC 3.0 that deploys the same functions and triggers as
FC 2.0's, comments kept. What has no counterpart there, or must be decided, goes to
stderr. The file itself is not changed.

Exit codes: 0 good, 2 no s.yaml of FC 2.0.`,
		Example: `  fclocal convert >s3.yaml && fclocal check -t s3.yaml`,
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			path, err := options.path()
			if err != nil {
				return err
			}
			document, source, problems, err := config.Parse(path)
			if err != nil {
				return err
			}
			if document == nil {
				if err := config.Render(command.ErrOrStderr(), problems); err != nil {
					return failure.Of(err)
				}
				return fmt.Errorf("%s: %s", path, config.Summary(problems))
			}
			text, notes, err := convert.ToFC3(document, source)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			for _, note := range notes {
				fmt.Fprintf(command.ErrOrStderr(), "%s:%d: %s\n", escape.Line(path), note.Line, escape.Line(note.Message))
			}
			_, err = command.OutOrStdout().Write(text)
			return failure.Of(err)
		},
	}
}
