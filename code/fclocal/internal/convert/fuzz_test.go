package convert

import (
	"os"
	"path/filepath"
	"testing"

	"fclocal/internal/config"
)

// No file makes convert fail otherwise than by an error, and what it makes of one can be
// read.
func FuzzToFC3(f *testing.F) {
	own, err := os.ReadFile("../../../../s.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(own))
	f.Add(document("        name: &n s\n        role: {name: r}\n        nasConfig: {mountPoints: [{serverAddr: a, nasDir: b}]}\n", "        <<: *n\n        initializer: *n\n        customContainerConfig: {command: '[1]'}\n",
		"      triggers: [{type: oss, config: {bucketName: b, filter: {Key: {}}}}, *n, '${vars.service}', {type: [], config: {eventSourceConfig: a}}]\n"))
	f.Add("edition: 1.0.0\nvars: {a: &a [*a], s: '${vars.s}'}\nservices: {x: '${vars.s}', y: *a, z: {component: fc, actions: *a, props: {service: '${vars.s}', function: *a, triggers: *a}}}\n")
	path := filepath.Join(f.TempDir(), "s.yaml")
	f.Fuzz(func(t *testing.T, source string) {
		if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		document, data, _, err := config.Parse(path)
		if err != nil || document == nil {
			return
		}
		text, _, err := ToFC3(document, data)
		if err != nil {
			return
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, problems, err := config.Parse(path); err != nil || problems != nil {
			t.Errorf("%v, %+v\n%s", err, problems, text)
		}
	})
}
