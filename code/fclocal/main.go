// Command fclocal runs a Function Compute function and its Kafka trigger on
// one's own machine, from the s.yaml that deploys them.
//
// This file holds what all commands share; each command has a file of its own,
// and what they do lives under internal/.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"fclocal/internal/bill"
	"fclocal/internal/build"
	"fclocal/internal/config"
	"fclocal/internal/environment"
	"fclocal/internal/escape"
	"fclocal/internal/failure"
	"fclocal/internal/help"
	"fclocal/internal/interrupt"
	"fclocal/internal/process"
)

// Exit codes, the same for every command.
const (
	exitOK     = 0
	exitFailed = 1 // the function or the stream failed
	exitUsage  = 2 // wrong usage or configuration
)

// errFailed ends a command with exitFailed; all there is to say has been said.
var errFailed = failure.New("failed")

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run executes one command line and returns its exit code. The first SIGINT,
// SIGTERM or SIGHUP cancels the command's context; see package interrupt.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, signals := interrupt.Listen(context.Background(), func() {
		fmt.Fprintln(stderr, "fclocal: killed, as it did not end by itself")
		os.Exit(exitFailed)
	})
	defer signals.Stop()
	defer process.KillOrphans()
	root := newRootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if !errors.Is(err, errFailed) {
		fmt.Fprintln(stderr, "fclocal:", escape.Text(failure.Explain(err)))
	}
	if failure.Is(err) {
		return exitFailed
	}
	return exitUsage
}

// globalOptions are the options of every command.
type globalOptions struct {
	template string // -t: the s.yaml to use; "" is the nearest one
	function string // --function: which of several

	environment environment.Options // of commands that run the function

	anyConcurrency bool // instanceConcurrency is what --set says, also where FC does not heed it
}

func newRootCommand() *cobra.Command {
	var options globalOptions
	root := &cobra.Command{
		Use:   "fclocal",
		Short: "Run a Function Compute function and its Kafka trigger on this machine",
		Long: `fclocal runs a Function Compute function and its Kafka trigger on this machine,
from the s.yaml that deploys them, with no Docker and no cloud account.

It uses the s.yaml in the current directory or the nearest one above it.
code/fclocal/README.md is the manual.

Exit codes: 0 good, 1 the function, the stream or the comparison failed, 2 wrong
usage or configuration.`,
		Version:       build.Version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().StringVarP(&options.template, "template", "t", "", "use this `FILE` instead of the nearest s.yaml")
	root.PersistentFlags().StringVar(&options.function, "function", "", "use the function `NAME` of an s.yaml with several: its name, or the key that it stands under")
	root.AddCommand(&cobra.Command{Use: "version", Short: "Print the version", Args: cobra.NoArgs, Run: func(cmd *cobra.Command, _ []string) { fmt.Fprintln(cmd.OutOrStdout(), "fclocal", build.Version()) }})
	root.AddCommand(newCheckCommand(&options), newInvokeCommand(&options), newStreamCommand(&options), newServeCommand(&options),
		newPlanCommand(&options), newCalibrateCommand(&options), newRedriveCommand(&options), newConvertCommand(&options),
		&cobra.Command{Use: "settings", Short: "The settings of s.yaml that --set overrides", Long: "Settings of s.yaml that --set overrides, by name, with their place in FC 2.0's file.\nIn FC 3.0's file function is props itself, and config is triggerConfig:\n\n" + config.Describe()},
		&cobra.Command{Use: "prices", Short: "The prices that bills are made of", Long: bill.BuiltIn})
	help.Strict(root)
	return root
}
