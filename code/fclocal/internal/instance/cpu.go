package instance

import (
	"fmt"
	"math"
	"runtime"
	"strconv"

	"fclocal/internal/config"
	"fclocal/internal/process"
	"fclocal/internal/result"
)

// CPU is what a vCPU is on this machine.
type CPU struct {
	Unlimited bool    // instances may use all of the machine
	Speed     float64 // of a vCPU, in cores of this machine: above 0
}

// Cores is what an instance of the project may use; 0: there is no limit.
func (c CPU) Cores(p *config.Project) float64 {
	cores := p.Function.CPU * c.Speed
	if c.Unlimited || !process.Limits || cores >= float64(runtime.NumCPU()) {
		return 0
	}
	return cores
}

// Limit says of the project's instances how their cpu is limited, or why not.
func (c CPU) Limit(p *config.Project) string {
	vCPU := strconv.FormatFloat(p.Function.CPU, 'g', -1, 64)
	switch {
	case c.Unlimited:
		return "cpu is not limited: --no-cpu-limit"
	case p.Function.CPU == 0:
		return "cpu is not limited: s.yaml has none"
	case !process.Limits:
		return "cpu is not limited: " + runtime.GOOS + " does not tell what a process uses"
	case c.Cores(p) == 0:
		return fmt.Sprintf("cpu is not limited: %s vCPU are all of this machine's %d cores", vCPU, runtime.NumCPU())
	}
	each := math.Round(c.Cores(p)*1000*result.Milliseconds(process.Period)) / 1000
	return fmt.Sprintf("cpu is limited to %s vCPU: %g ms of CPU time in each %g ms, by stopping and continuing the function", vCPU, each, result.Milliseconds(process.Period))
}
