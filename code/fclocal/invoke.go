package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/spf13/cobra"

	"fclocal/internal/build"
	"fclocal/internal/config"
	"fclocal/internal/failure"
	"fclocal/internal/instance"
	"fclocal/internal/runtimeapi"
	"fclocal/internal/trigger"
)

// invokeOptions are the options of invoke.
type invokeOptions struct {
	*globalOptions
	file    string // -f
	event   string // -e
	noBuild bool   // --no-build
}

func newInvokeCommand(global *globalOptions) *cobra.Command {
	options := invokeOptions{globalOptions: global}
	command := &cobra.Command{
		Use:   "invoke",
		Short: "Call the function once, as `s local invoke` does, without Docker",
		Long: `invoke builds the function for this machine, runs it as Function Compute would,
calls it once with an event and ends it.

The result goes to stdout; the function's logs and FC's summary go to stderr.
timeout and memorySize of s.yaml are enforced. A call that fails prints FC's
error JSON and ends with exit code 1.

The function gets s.yaml's environmentVariables and FC's own variables, and
nothing else of this machine's environment. cpu is not limited.

Linux is where everything holds. On macOS and Windows memorySize is not enforced
and the memory used is not shown, and a function goes on running when fclocal is
killed without a chance to end it (kill -9).`,
		Example: `  fclocal invoke                          # with the project's event.json
  fclocal invoke -f code/testdata/three.json | jq .
  fclocal invoke -e '[]'
  kcat ... | fclocal invoke -f -          # the event comes from stdin
  fclocal invoke --no-build               # what s deploy would upload`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return invoke(cmd.Context(), options, cmd.Flags().Changed("event"), cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	command.Flags().StringVarP(&options.file, "event-file", "f", "", "read the event from `FILE`, or from stdin for - (default event.json beside s.yaml)")
	command.Flags().StringVarP(&options.event, "event", "e", "", "the event itself")
	command.Flags().BoolVar(&options.noBuild, "no-build", false, "run the program that lies in codeUri")
	command.MarkFlagsMutuallyExclusive("event-file", "event")
	return command
}

func invoke(ctx context.Context, options invokeOptions, eventGiven bool, stdin io.Reader, stdout, stderr io.Writer) error {
	project, err := options.load(nil, stderr)
	if err != nil {
		return err
	}
	event := []byte(options.event)
	if !eventGiven {
		if event, err = readEvent(options.file, project, stdin); err != nil {
			return err
		}
	}
	if len(event) > trigger.BodyLimitSynchronous {
		return fmt.Errorf("the event has %d bytes; a synchronous call takes %d (32 MB) at most", len(event), trigger.BodyLimitSynchronous)
	}
	binary, err := build.Project(ctx, project, options.noBuild, stderr)
	if err != nil {
		return err
	}

	server, err := runtimeapi.Listen()
	if err != nil {
		binary.Release()
		return failure.Of(err)
	}
	defer server.Close()
	process, err := instance.Start(server, instance.Spec{
		Project: project,
		Binary:  binary.Path,
		CodeDir: project.CodeDirectory(binary.Path),
		ID:      "c-" + uuid(),
		Logs:    stderr,
	})
	binary.Release()
	if err != nil {
		return err
	}
	defer process.Stop()

	requestID := uuid()
	result, err := process.Invoke(ctx, requestID, event)
	if err != nil {
		return failure.New("interrupted")
	}
	process.Stop() // its logs are complete then
	printSummary(stderr, requestID, result, project, process.PeakMemory())
	output := result.Payload
	if result.Error != nil {
		output = result.Error.JSON
	}
	if _, err := stdout.Write(append(output, '\n')); err != nil {
		return failure.Of(fmt.Errorf("the result cannot be written: %w", err))
	}
	if result.Error != nil {
		return errFailed
	}
	return nil
}

// printSummary prints FC's line about a call.
func printSummary(w io.Writer, requestID string, result instance.Result, project *config.Project, peak int64) {
	memory := "unknown"
	if peak > 0 {
		memory = fmt.Sprintf("%.2f MB", float64(peak)/(1<<20))
	}
	milliseconds := result.Duration.Seconds() * 1000
	fmt.Fprintf(w, "RequestId: %s, Duration: %.2f ms, Billed Duration: %.0f ms, Memory Size: %d MB, Max Memory Used: %s, Init Duration: %.2f ms\n",
		requestID, milliseconds, math.Ceil(milliseconds), project.Function.MemorySize, memory, result.Init.Seconds()*1000)
}

func readEvent(file string, project *config.Project, stdin io.Reader) ([]byte, error) {
	switch file {
	case "-":
		event, err := io.ReadAll(io.LimitReader(stdin, trigger.BodyLimitSynchronous+1))
		if err != nil {
			return nil, fmt.Errorf("the event cannot be read from stdin: %w", err)
		}
		return event, nil
	case "":
		file = project.EventFile()
	}
	event, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the event cannot be read: %w; -f FILE names another", err)
	}
	return event, nil
}

// uuid is a random UUID, as FC gives its requests.
func uuid() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
