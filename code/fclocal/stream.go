package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"fclocal/internal/build"
	"fclocal/internal/clientconfig"
	"fclocal/internal/config"
	"fclocal/internal/deadletter"
	"fclocal/internal/debugger"
	"fclocal/internal/escape"
	"fclocal/internal/failure"
	"fclocal/internal/instance"
	"fclocal/internal/interrupt"
	"fclocal/internal/kafka"
	"fclocal/internal/option"
	"fclocal/internal/report"
	"fclocal/internal/result"
	"fclocal/internal/stream"
	"fclocal/internal/trigger"
	"fclocal/internal/trouble"
	"fclocal/internal/watch"
)

// longestEventTime is what a trigger allows a call to take. Times any larger would
// overflow with the events of a batch.
const longestEventTime = config.LongestTriggerCall * time.Second

// The values of --isolation, as Kafka has them.
const readCommitted, readUncommitted = "read_committed", "read_uncommitted"

// streamOptions are the options of stream.
type streamOptions struct {
	runsOptions

	// What is delivered.
	number     int
	backlog    int
	messages   string
	format     kafka.Format
	rate       float64
	partitions int
	dataDir    string
	acceptLoss bool
	listen     []string
	advertise  []string

	// A real cluster.
	cluster clientconfig.Options
	group   string

	// How it runs, and ends.
	untilIdle  time.Duration
	untilEnd   bool
	from       string
	isolation  string
	eventTime  time.Duration
	retryScale float64
	trouble    trouble.Trouble
	seed       uint64
	instances  instanceOptions
	cpu        instance.CPU
	noBuild    bool
	debug      debugOption
	race       raceOption
	debugger   *debugger.Debugger
	watch      bool

	// What comes out.
	logs        string
	deadLetters string
	failOn      []string
}

func newStreamCommand(global *globalOptions) *cobra.Command {
	options := streamOptions{runsOptions: runsOptions{globalOptions: global}}
	command := &cobra.Command{
		Use:   "stream",
		Short: "Run the whole trigger: Kafka records, through an event stream, into the function",
		Long: `stream runs the Kafka trigger of s.yaml: Kafka records flow through an event
stream with s.yaml's settings into processes of the function, which start as
Function Compute's instances do.

The records are made from event.json and go through a Kafka cluster inside of
fclocal. --listen lets other clients produce there. --brokers or --kafka-config
reads from a real cluster, by the consumer group <ConsumerGroup>-fclocal unless
--group says another. What is secret comes from files or the environment.

Figures go to stdout, all else to stderr. The first Ctrl-C makes no new calls,
waits for those in flight and commits offsets; the second stops at once.

Exit codes: 0 good; 1 a batch with errorsTolerance NONE stopped the stream, or
messages are missing, or the cluster was away for too long, or --race found a
data race; 2 wrong usage or configuration.`,
		Example: `  fclocal stream
  fclocal stream -n 130 --event-time 500ms --set CountBasedWindow=1 --set instanceConcurrency=26,13,5,2,1
  fclocal stream --messages orders.jsonl.gz --rate 50 --partitions 4 --set maximumTasks=1,2,4
  fclocal stream --rate 100 --outage 10s-70s --set PushRetryStrategy=BACKOFF_RETRY,EXPONENTIAL_DECAY_RETRY
  fclocal stream --listen 127.0.0.1:9092 --data-dir kafka
  fclocal stream --listen 127.0.0.1:9092 --watch
  fclocal stream --listen 127.0.0.1:9092,127.0.0.1:9093 --advertise 127.0.0.1:9092,host.docker.internal:9093
  fclocal stream --kafka-config client.properties --until-idle 10s
  fclocal stream --brokers 127.0.0.1:9092 --until-idle 10s --json | jq '.runs[0].delivered'`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runStreams(cmd.Context(), options, cmd.Flags().Changed, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := options.addTo(command)
	flags.IntVarP(&options.number, "messages-number", "n", 1000, "produce `N` messages made from event.json's value")
	flags.IntVar(&options.backlog, "backlog", 0, "`N` such messages are in the topic before the stream starts; latencies count from there")
	flags.StringVar(&options.messages, "messages", "", "produce the messages of `FILE`: a JSON value a line, what kcat -J writes, or another --messages-format; gzip, too")
	flags.Var(&options.format, "messages-format", "how to read it: auto, text, object, kcat, console, or console:FIELD,... as kafka-console-consumer writes them")
	flags.Float64Var(&options.rate, "rate", 0, "produce `N` messages a second; 0: all at once")
	flags.IntVar(&options.partitions, "partitions", 1, "partitions of the topic, `N`")
	flags.StringVar(&options.dataDir, "data-dir", "", "keep the embedded Kafka in `DIR` between runs")
	flags.BoolVar(&options.acceptLoss, "accept-loss", false, "go on where records in --data-dir are damaged")
	flags.StringSliceVar(&options.listen, "listen", nil, "let Kafka clients produce to `HOST:PORT,...`")
	flags.StringSliceVar(&options.advertise, "advertise", nil, "tell clients of --listen to connect to `HOST:PORT,...`, one for each")
	options.cluster.AddTo(command)
	flags.StringVar(&options.group, "group", "", "consumer `GROUP` (default s.yaml's ConsumerGroup and -fclocal)")
	flags.StringVar(&options.from, "from", "", "begin at beginning, end, a time or an offset, `WHERE`, instead of where the group is")
	flags.StringVar(&options.isolation, "isolation", readCommitted, "read_committed or read_uncommitted: records of open and aborted transactions, too")
	flags.DurationVar(&options.untilIdle, "until-idle", 0, "end when for `D` nothing arrived, and all that is in the topic is finished")
	flags.BoolVar(&options.untilEnd, "until-end", false, "end when all that was in the topic at the start is finished")
	flags.DurationVar(&options.eventTime, "event-time", 0, "a call keeps its slot for `D` per event after the function's answer")
	flags.Float64Var(&options.retryScale, "retry-scale", 1, "multiply the waits before retries by `F`")
	troubleFlags(flags, &options.trouble, &options.seed)
	options.instances.addTo(flags)
	noBuildFlag(flags, &options.noBuild)
	options.debug.addTo(command)
	options.race.addTo(command)
	watchFlag(flags, &options.watch, "go on with the function, s.yaml and event.json as they are whenever you save them, until Ctrl-C")
	cpuFlags(command, &options.cpu)
	global.environment.AddTo(command)
	flags.StringVar(&options.logs, "logs", "", "write the function's logs to `DIR` (default a temporary directory)")
	flags.StringVar(&options.deadLetters, "dead-letters", "", "append dead letters to `FILE`, as JSON lines")
	failOnFlag(command, &options.failOn)
	command.RegisterFlagCompletionFunc("messages-format", cobra.FixedCompletions(kafka.FormatNames(), cobra.ShellCompDirectiveNoSpace|cobra.ShellCompDirectiveNoFileComp))
	command.MarkFlagsMutuallyExclusive("messages-number", "messages", "backlog")
	command.RegisterFlagCompletionFunc("isolation", cobra.FixedCompletions([]string{readCommitted, readUncommitted}, cobra.ShellCompDirectiveNoFileComp))
	command.MarkFlagsMutuallyExclusive("rate", "backlog")
	command.MarkFlagsMutuallyExclusive("kill-instances", "debug")
	command.MarkFlagsMutuallyExclusive("until-idle", "until-end")
	return command
}

// check finds options that do not go together.
func (o *streamOptions) check(combinations int, given func(option string) bool) error {
	real, own := o.cluster.Given(), o.dataDir != "" || len(o.listen) > 0
	return option.Check(
		option.From("-n", o.number, 0), option.From("--rate", o.rate, 0), option.From("--backlog", o.backlog, 0), option.From("--retry-scale", o.retryScale, 0),
		option.Between("--event-time", o.eventTime, 0, longestEventTime), option.From("--until-idle", o.untilIdle, 0), vCPUSpeed(o.cpu.Speed),
		option.Not(given("messages-format") && o.messages == "", "--messages-format is for --messages"),
		option.Not(real && own, "--brokers and --kafka-config name a cluster of its own: leave --data-dir and --listen out"),
		option.Not(real && slices.ContainsFunc([]string{"messages-number", "messages", "backlog", "rate", "partitions"}, given), "nothing is produced into a real cluster: leave -n, --messages, --backlog, --rate and --partitions out"),
		option.Not(o.acceptLoss && o.dataDir == "", "--accept-loss is for --data-dir"),
		option.Not(!real && o.dataDir == "" && given("from"), "--from is for --brokers and --data-dir"),
		option.Not(o.group != "" && given("from"), "--from moves a consumer group, so it is for fclocal's own alone: leave --group out"),
		option.Not(o.isolation != readCommitted && o.isolation != readUncommitted, "--isolation "+o.isolation+": it must be "+readCommitted+" or "+readUncommitted),
		option.Not(len(o.advertise) > 0 && len(o.advertise) != len(o.listen), fmt.Sprintf("%d --listen and %d --advertise: there must be one for each, in the same order", len(o.listen), len(o.advertise))),
		option.Not(combinations > 1 && (real || own), "several runs each take a fresh topic: leave --brokers, --kafka-config, --data-dir and --listen out"),
	)
}

func runStreams(ctx context.Context, options streamOptions, given func(option string) bool, stdout, stderr io.Writer) error {
	overrides, err := config.Combinations(options.set)
	if err != nil {
		return err
	}
	if err := cmp.Or(options.cluster.Check(), options.check(len(overrides), given), options.instances.check(given), options.trouble.Check()); err != nil {
		return err
	}
	if err := option.Check(append(watchRules(options.watch, given),
		option.Not(options.watch && len(overrides) > 1, "--watch is for one run: give each --set one value"),
		option.Not(options.watch && given("backlog"), "--watch produces messages whenever something has changed, and --backlog before the stream starts: leave one of them out"),
	)...); err != nil {
		return err
	}
	switch {
	case given("backlog"):
		options.number = options.backlog
	case (len(options.listen) > 0 || options.cluster.Given()) && !given("messages-number"):
		options.number = 0
	}
	var from *kafka.From
	if options.from != "" {
		if from, err = kafka.ParseFrom(options.from); err != nil {
			return fmt.Errorf("--from %w", err)
		}
	}
	conditions, err := result.ParseConditions(options.failOn)
	if err != nil {
		return fmt.Errorf("--fail-on %w", err)
	}
	projects, err := options.projects(stderr)
	if err != nil {
		return err
	}
	for _, project := range projects {
		if !project.Trigger.Enable {
			return fmt.Errorf("triggerEnable of %s is false: on FC the event stream is stopped; --set triggerEnable=true runs it", project.File)
		}
	}
	s := streams{options: options, from: from, stderr: stderr, progress: report.NewProgress(stderr)}
	var binary build.Binary
	if options.watch {
		s.changes, err = options.newWatch(ctx, projects[0], overrides[0], options.eventFiles(projects[0]), true, aside{stderr, s.progress})
		if err != nil {
			return err
		}
		defer s.changes.Close()
		first, err := s.changes.Next(ctx, nil)
		if err != nil {
			return err
		}
		projects[0], binary = first.Project, *first.Program
	} else if binary, s.options.debugger, err = options.debug.program(ctx, projects[0], options.noBuild, &s.options.race, &s.options.cpu, stderr); err != nil {
		return err
	}
	defer binary.Release()
	logs, logsWritten, err := stream.Logs(options.logs)
	if err != nil {
		return err
	}
	defer logsWritten()
	if options.deadLetters != "" {
		file, err := deadletter.Append(options.deadLetters)
		if err != nil {
			return fmt.Errorf("dead letters cannot be written: %w", err)
		}
		if file.Mended {
			fmt.Fprintf(stderr, "fclocal: the last line of %s was cut short, by a kill maybe: new ones begin below it\n", options.deadLetters)
		}
		defer file.Close()
		s.deadLetters = file
	}
	ctx, signals := interrupt.Drain(ctx)
	s.drain = signals.First

	var runs []result.Run
	for i, project := range projects {
		label, runLogs := "", logs
		if len(projects) > 1 {
			label, runLogs = fmt.Sprintf("run %d of %d", i+1, len(projects)), filepath.Join(logs, fmt.Sprintf("run-%d", i+1))
			if err := os.MkdirAll(runLogs, 0o755); err != nil {
				return failure.Of(err)
			}
		}
		run, runErr := s.run(ctx, project, binary, runLogs, label)
		err = clearLine(s.progress, runErr)
		if run.Settings != nil { // it had begun
			s.options.bill.Charge(&run)
			runs = append(runs, run)
		}
		if err != nil || signals.Asked() {
			break
		}
	}
	if runs == nil {
		return err
	}
	if showErr := options.show(stdout, runs); err == nil {
		err = showErr
	}
	fmt.Fprintln(stderr, "fclocal: the function's logs are in", logs)
	for _, line := range result.Notes(runs) {
		fmt.Fprintln(stderr, "fclocal:", escape.Line(line))
	}
	for _, run := range runs {
		report.Races(stderr, run.Races)
		lines, failed := run.Verdict()
		for _, line := range lines {
			fmt.Fprintln(stderr, "fclocal:", escape.Line(line))
		}
		if failed {
			err = errors.Join(err, errFailed)
		}
	}
	return errors.Join(err, result.FailOn(runs, conditions))
}

// streams are what all runs of the command share.
type streams struct {
	options     streamOptions
	deadLetters *deadletter.Writer
	from        *kafka.From
	drain       <-chan struct{}
	changes     *watch.Watch // nil without --watch
	progress    *report.Progress
	stderr      io.Writer
}

// tell tells something on a line of its own.
func (s *streams) tell(what string) {
	s.progress.Clear()
	fmt.Fprintln(s.stderr, "fclocal:", escape.Text(what))
}

// run is one of them.
func (s *streams) run(ctx context.Context, project *config.Project, binary build.Binary, logs, label string) (result.Run, error) {
	o := s.options
	rules := func(p *config.Project) trigger.Config {
		rules := o.instances.rules(p.Rules())
		rules.RetryScale, rules.Seed = o.retryScale, o.seed
		if o.debugger != nil {
			rules = rules.OneInstance()
		}
		return rules
	}
	options := stream.Options{
		Project: project, Rules: rules(project), Binary: binary.Path, Args: binary.Args, Logs: logs, Group: o.group, CPU: o.cpu, Debugger: o.debugger, Race: o.race.detector, EventTime: o.eventTime, Trouble: o.trouble,
		DeadLetters: s.deadLetters, UntilIdle: o.untilIdle, UntilEnd: o.untilEnd, Drain: s.drain,
		BrokerTimeout: o.cluster.Timeout, From: s.from, ReadUncommitted: o.isolation == readUncommitted,
		Notice: s.tell,
		Progress: func(state result.State) {
			state.Label = label
			s.progress.Stream(state)
		},
	}
	if s.changes != nil {
		options.Next = next(s.changes, rules)
	}
	if o.cluster.Given() {
		cluster, notes, err := o.cluster.Cluster()
		if err != nil {
			return result.Run{}, err
		}
		for _, note := range notes {
			fmt.Fprintln(s.stderr, "fclocal:", escape.Line(note))
		}
		return stream.Run(ctx, options, cluster)
	}
	return stream.RunEmbedded(ctx, options, stream.Embedded{
		Messages: o.messages, Format: o.format, Number: o.number, Backlog: o.backlog > 0, Rate: o.rate,
		Partitions: o.partitions, DataDir: o.dataDir, AcceptLoss: o.acceptLoss, Listen: o.listeners(),
		Lost:     s.tell,
		FromKcat: func() { fmt.Fprintf(s.stderr, "fclocal: %s is read as what kcat -J writes\n", o.messages) },
		Listening: func(at kafka.Listener, topic string) {
			fmt.Fprintf(s.stderr, "fclocal: Kafka clients may produce to topic %q at %s\n", topic, at)
		},
	})
}

// eventFiles are those that messages are made of.
func (o *streamOptions) eventFiles(project *config.Project) []string {
	switch {
	case o.messages != "":
		return []string{o.messages}
	case o.number > 0:
		return []string{project.EventFile()}
	}
	return nil
}

// listeners are those of --listen, with what --advertise tells their clients.
func (o *streamOptions) listeners() []kafka.Listener {
	listeners := make([]kafka.Listener, len(o.listen))
	for i, address := range o.listen {
		listeners[i].Address = address
		if o.advertise != nil {
			listeners[i].Advertise = o.advertise[i]
		}
	}
	return listeners
}
