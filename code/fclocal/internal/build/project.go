package build

import (
	"context"
	"errors"
	"io"

	"fclocal/internal/config"
	"fclocal/internal/failure"
)

// Project is the function's program of a project: built for this machine, or with
// existing the one that lies in codeUri. That the source does not compile is a
// failure; output has then said why.
func Project(ctx context.Context, project *config.Project, existing bool, output io.Writer) (Binary, error) {
	if existing {
		return Existing(project.Code(), project.Function.Handler)
	}
	binary, err := Function(ctx, project.Code(), project.Dir, project.Function.Handler, output)
	var exit interface{ ExitCode() int }
	if errors.As(err, &exit) {
		return binary, failure.Of(err)
	}
	return binary, err
}
