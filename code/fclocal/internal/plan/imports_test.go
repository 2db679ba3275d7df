package plan

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The simulator is pure: it links nothing that starts processes, talks to the
// network or draws.
func TestImports(t *testing.T) {
	output, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(output))
	for _, forbidden := range []string{"os/exec", "net", "net/http", "image", "html/template"} {
		if slices.Contains(packages, forbidden) {
			t.Errorf("plan links %s", forbidden)
		}
	}
	for _, own := range []string{"report", "stream", "kafka", "instance", "runtimeapi", "measure"} {
		if slices.Contains(packages, "fclocal/internal/"+own) {
			t.Errorf("plan links package %s", own)
		}
	}
	if !slices.Contains(packages, "fclocal/internal/trigger") {
		t.Errorf("plan does not link the rules: %s", packages)
	}
}
