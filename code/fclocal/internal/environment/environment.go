// Package environment gives a function what its environment has beside s.yaml:
// variables, and real credentials, when they are asked for.
package environment

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/joho/godotenv"
	"github.com/spf13/cobra"

	"fclocal/internal/config"
	"fclocal/internal/files"
)

// maxFile is the size of an env file in bytes: a function's whole environment has 4 KB.
const maxFile = 1 << 20

// Options are the options of all commands that run the function.
type Options struct {
	Variables   []string // NAME=VALUE, or NAME: as it is in this process's environment
	Files       []string // of variables; those of a later one count, and Variables before all
	Access      string   // an alias that s config has stored; "" for none
	Credentials string   // env: those of this process's environment; "" for none
}

// names are the options'.
var names = []string{"env", "env-file", "access", "credentials"}

// AddTo adds the options to a command.
func (o *Options) AddTo(command *cobra.Command) {
	flags := command.Flags()
	flags.StringArrayVar(&o.Variables, "env", nil, "set an environment variable of the function, `NAME=VALUE`, or NAME to take fclocal's own; may be repeated")
	flags.StringArrayVar(&o.Files, "env-file", nil, "set those of `FILE`, a NAME=VALUE a line; may be repeated")
	flags.StringVar(&o.Access, "access", "", "give the function the credentials that s config has stored as `ALIAS`")
	flags.StringVar(&o.Credentials, "credentials", "", "`env`: give the function those of fclocal's own ALIBABA_CLOUD_ACCESS_KEY_ID, ..._SECRET and ALIBABA_CLOUD_SECURITY_TOKEN")
	command.RegisterFlagCompletionFunc("env", cobra.NoFileCompletions)
	command.RegisterFlagCompletionFunc("credentials", cobra.FixedCompletions([]string{"env"}, cobra.ShellCompDirectiveNoFileComp))
	command.RegisterFlagCompletionFunc("access", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return aliases(), cobra.ShellCompDirectiveNoFileComp
	})
	command.MarkFlagsMutuallyExclusive("access", "credentials")
}

// Given says whether one of the options is there; changed tells it of each.
func Given(changed func(option string) bool) bool {
	for _, name := range names {
		if changed(name) {
			return true
		}
	}
	return false
}

// Apply gives the projects' functions what the options say. No error shows a value.
func (o *Options) Apply(projects ...*config.Project) error {
	variables, err := o.variables()
	if err != nil {
		return err
	}
	credentials, err := o.credentials()
	if err != nil {
		return err
	}
	for _, p := range projects {
		if err := p.AddVariables(variables); err != nil {
			return fmt.Errorf("--env: %w", err)
		}
		p.Credentials = credentials
	}
	return nil
}

func (o *Options) variables() (map[string]string, error) {
	variables := map[string]string{}
	for _, path := range o.Files {
		content, err := files.Read(path, maxFile)
		if err != nil {
			return nil, fmt.Errorf("--env-file: %w", err)
		}
		more, err := godotenv.UnmarshalBytes(content)
		if err != nil { // whose text may have values in it
			return nil, fmt.Errorf("--env-file: %s:%d: it must be NAME=VALUE", path, faultyLine(content))
		}
		for name, value := range more {
			variables[name] = value
		}
	}
	for _, text := range o.Variables {
		name, value, given := strings.Cut(text, "=")
		if !given {
			if value, given = os.LookupEnv(name); !given {
				return nil, fmt.Errorf("--env %s: fclocal's own environment has no such variable; NAME=VALUE gives it one", name)
			}
		}
		variables[name] = value
	}
	return variables, nil
}

// faultyLine is the number of the first line that is no variable's: of the one behind
// the most lines that can be read.
func faultyLine(content []byte) int {
	lines := bytes.SplitAfter(content, []byte("\n"))
	good := 0
	for i := range min(len(lines), 1000) {
		if _, err := godotenv.UnmarshalBytes(bytes.Join(lines[:i+1], nil)); err == nil {
			good = i + 1
		}
	}
	return good + 1
}

// credentials are empty if there are none.
func (o *Options) credentials() (config.Credentials, error) {
	switch {
	case o.Access != "":
		return stored(o.Access)
	case o.Credentials == "env":
		return ownCredentials()
	case o.Credentials != "":
		return config.Credentials{}, fmt.Errorf("--credentials %q: it must be env; --access ALIAS takes what s config has stored", o.Credentials)
	}
	return config.Credentials{}, nil
}

// ownCredentials are those of this process's environment.
func ownCredentials() (config.Credentials, error) {
	for _, name := range []string{"ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"} {
		if os.Getenv(name) == "" {
			return config.Credentials{}, errors.New("--credentials env: " + name + " is not set in fclocal's own environment")
		}
	}
	return config.Credentials{
		AccessKeyID:     config.Secret(os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_ID")),
		AccessKeySecret: config.Secret(os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET")),
		SecurityToken:   config.Secret(os.Getenv("ALIBABA_CLOUD_SECURITY_TOKEN")),
	}, nil
}
