package build

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"fclocal/internal/config"
)

// sdk is the package that a go1 function is linked with.
const sdk = "github.com/aliyun/fc-runtime-go-sdk/fc."

// errHTTP is of a function that FC calls by HTTP triggers only.
var errHTTP = errors.New("the function handles HTTP requests (fc.StartHttp), which FC sends it by an HTTP trigger; fclocal runs functions that take events (fc.Start)")

// inspect says what does not fit between a go1 program and s.yaml. FC itself says
// nothing of it.
func inspect(project *config.Project, path string, output io.Writer) error {
	program, err := os.ReadFile(path)
	if err != nil {
		return nil // that it cannot be run is said when it is
	}
	// Go keeps the names of all functions that are linked, also of those that are
	// inlined and in programs without symbols.
	links := func(name string) bool { return bytes.Contains(program, []byte("\x00"+sdk+name+"\x00")) }
	if !links("StartHandlerWithContext") {
		return nil // it is something else, or has other names
	}
	if links("StartHttp") && !links("Start") && !links("StartHandler") {
		return errHTTP
	}
	f := project.Function
	for _, hook := range []struct {
		key, register string
		configured    bool
	}{
		{"initializer", "RegisterInitializerFunction", f.Initializer != ""},
		{"instanceLifecycleConfig.preFreeze", "RegisterPreFreezeFunction", f.PreFreeze.Handler != ""},
		{"instanceLifecycleConfig.preStop", "RegisterPreStopFunction", f.PreStop.Handler != ""},
	} {
		switch registered := links(hook.register); {
		case registered && !hook.configured:
			fmt.Fprintf(output, "fclocal: the function calls fc.%s, but %s has no %s: FC does not run that hook\n", hook.register, project.File, hook.key)
		case !registered && hook.configured:
			fmt.Fprintf(output, "fclocal: %s has %s, but the function does not call fc.%s: FC's call of that hook fails\n", project.File, hook.key, hook.register)
		}
	}
	return nil
}
