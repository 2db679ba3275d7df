package instance

import (
	"cmp"
	"fmt"
	"math"
	"runtime"
	"strconv"
	"time"

	"fclocal/internal/config"
	"fclocal/internal/process"
	"fclocal/internal/result"
)

// CPU is what a vCPU is on this machine.
type CPU struct {
	Unlimited bool    // instances may use all of the machine
	Debugged  bool    // likewise, as they run under a debugger
	Raced     bool    // likewise, as the race detector takes more than the function
	Speed     float64 // of a vCPU, in cores of this machine; 0: 1
}

func (c CPU) speed() float64 { return cmp.Or(c.Speed, 1) }

// Cores is what an instance of the project may use; 0: there is no limit.
func (c CPU) Cores(p *config.Project) float64 {
	cores := p.Function.CPU * c.speed()
	if c.Unlimited || c.Debugged || c.Raced || !process.Limits || cores >= float64(runtime.NumCPU()) {
		return 0
	}
	return cores
}

// Share is how many vCPU were used, with so much CPU time of this machine's cores.
func (c CPU) Share(used, passed time.Duration) float64 {
	if passed <= 0 {
		return 0
	}
	return used.Seconds() / passed.Seconds() / c.speed()
}

// Limit says of the project's instances how their cpu is limited, or why not.
func (c CPU) Limit(p *config.Project) string {
	vCPU := strconv.FormatFloat(p.Function.CPU, 'g', -1, 64)
	switch {
	case c.Debugged:
		return "cpu, memorySize and time are not limited: --debug"
	case c.Raced:
		return "cpu and memorySize are not limited: --race"
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
