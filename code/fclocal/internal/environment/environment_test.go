package environment

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fclocal/internal/config"
)

func project(variables ...string) *config.Project {
	p := &config.Project{Variables: []string{"FC_QUALIFIER=LATEST"}, Function: config.Function{EnvironmentVariables: map[string]string{}}}
	for _, variable := range variables {
		name, value, _ := strings.Cut(variable, "=")
		p.Function.EnvironmentVariables[name] = value
	}
	return p
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func checkError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("error:\n%v\nwant:\n%s", err, want)
	}
}

// A later file comes before an earlier one, --env before all files, and all before
// s.yaml, whose other projects stay as they were.
func TestVariables(t *testing.T) {
	t.Setenv("FCLOCAL_TEST_OWN", "own")
	first := write(t, "first", "A=1\nexport B = 'two words' # comment\n\n# comment\nC=\"x\\ny\"\nD=1\n")
	second := write(t, "second", "D=2\r\nE=${D}b\n")
	p := project("A=s", "Z=s")
	before := p.Function.EnvironmentVariables
	o := Options{Files: []string{first, second}, Variables: []string{"B=b=c", "FCLOCAL_TEST_OWN", "EMPTY="}}
	if err := o.Apply(p); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"A": "1", "B": "b=c", "C": "x\ny", "D": "2", "E": "2b", "FCLOCAL_TEST_OWN": "own", "EMPTY": "", "Z": "s"}
	if diff := cmp.Diff(want, p.Function.EnvironmentVariables); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"A": "s", "Z": "s"}, before); diff != "" {
		t.Errorf("what others may have: %s", diff)
	}
	if p.Credentials != (config.Credentials{}) {
		t.Error("there are credentials that nobody has asked for")
	}
}

// No error shows a value.
func TestVariableErrors(t *testing.T) {
	bad := write(t, "bad", "A=1\nB=\"two\nlines\"\nsecret value\nC=3\n")
	for want, o := range map[string]Options{
		"--env FCLOCAL_TEST_NONE: fclocal's own environment has no such variable; NAME=VALUE gives it one":                  {Variables: []string{"FCLOCAL_TEST_NONE"}},
		"--env: the name of an environment variable is empty":                                                               {Variables: []string{"=secret"}},
		"--env: FC_REGION is an environment variable that the platform sets; give yours another name":                       {Variables: []string{"FC_REGION=secret"}},
		"--env: FC_QUALIFIER is an environment variable that the platform sets; give yours another name":                    {Variables: []string{"FC_QUALIFIER=secret"}},
		"--env: ALIBABA_CLOUD_ACCESS_KEY_SECRET is an environment variable that the platform sets; give yours another name": {Variables: []string{"ALIBABA_CLOUD_ACCESS_KEY_SECRET=secret"}},
		"--env: the value of A has a NUL in it, which no environment variable can have":                                     {Variables: []string{"A=secret\x00"}},
		"--env: the environment variables, with those of s.yaml, are 4097 bytes; allowed are 4096 for all names and values": {Variables: []string{"A=" + strings.Repeat("x", 4095)}},
		"--env-file: " + bad + ":4: it must be NAME=VALUE":                                                                  {Files: []string{bad}},
		"--env-file: open " + bad + "none: no such file or directory":                                                       {Files: []string{bad + "none"}},
		`--credentials "keys": it must be env; --access ALIAS takes what s config has stored`:                               {Credentials: "keys"},
	} {
		checkError(t, o.Apply(project("Z=")), want)
	}
	// One byte less is fine.
	o := Options{Variables: []string{"A=" + strings.Repeat("x", 4093)}}
	if err := o.Apply(project("ZZ=")); err != nil {
		t.Error(err)
	}
}

// home is one in which s has stored that.
func home(t *testing.T, name, content string) string {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("serverless_devs_config_home", "")
	if err := os.MkdirAll(filepath.Join(home, ".s", "config"), 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(home, ".s", name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Written by crypto-js 4.2 as @serverless-devs/credential 0.0.10 calls it.
const storedByS = `default:
  AccountID: U2FsdGVkX19E5mntJ10Dyx9FuRNVSKXDXXGEfvs1YmlWPxFzpPfPNLxEcskOcpPS
  AccessKeyID: U2FsdGVkX18tXXaA1889N0ssIWPW/rRqopcxR8R5igs=
  AccessKeySecret: U2FsdGVkX19axCiJvuzp8dOzdfHvsUYxGV7gWsdBlNzLbBOQO800XzQr/ckCFNPM
temporary:
  AccessKeyID: LTAIplain
  AccessKeySecret: plain
  SecurityToken: U2FsdGVkX18roiLpQTYtd+IFVFNAQclugDr/JSRdYCo=
`

func TestStored(t *testing.T) {
	credentials := func(id, secret, token config.Secret) config.Credentials {
		return config.Credentials{AccessKeyID: id, AccessKeySecret: secret, SecurityToken: token}
	}
	for _, name := range []string{"access.yaml", "access.yml"} {
		home(t, name, storedByS)
		for alias, want := range map[string]config.Credentials{
			"default":   credentials("LTAI5tExample", "secret/+=with space", ""),
			"temporary": credentials("LTAIplain", "plain", "token"),
		} {
			p := project()
			if err := (&Options{Access: alias}).Apply(p); err != nil || p.Credentials != want {
				t.Errorf("%s in %s: %v, as wanted: %t", alias, name, err, p.Credentials == want)
			}
		}
	}
	if diff := cmp.Diff([]string{"default", "temporary"}, aliases()); diff != "" {
		t.Error(diff)
	}
	// Elsewhere, as s finds it.
	elsewhere := t.TempDir()
	home(t, "none", "")
	t.Setenv("serverless_devs_config_home", elsewhere)
	if err := os.MkdirAll(filepath.Join(elsewhere, "work"), 0o755); err != nil {
		t.Fatal(err)
	}
	os.MkdirAll(filepath.Join(elsewhere, ".s", "config"), 0o755)
	os.WriteFile(filepath.Join(elsewhere, ".s", "config", "s.json"), []byte(`{"workspace":"~/work"}`), 0o644)
	os.WriteFile(filepath.Join(elsewhere, "work", "access.yaml"), []byte(storedByS), 0o644)
	if err := (&Options{Access: "default"}).Apply(project()); err != nil {
		t.Error(err)
	}
}

func TestStoredErrors(t *testing.T) {
	for _, test := range []struct{ content, alias, want string }{
		{storedByS, "prod", "--access prod: FILE has no such alias; it has default, temporary"},
		{"", "default", "--access default: FILE is empty, in which s config add may store nothing: delete the file, and add the alias then"},
		{"- secret\n", "default", "--access default: FILE is not what s config writes: aliases, each with names and values"},
		{"a: secret\n", "a", "--access a: FILE is not what s config writes: aliases, each with names and values"},
		{"a: {AccessKeyID: secret, SecretAccessKey: secret}\n", "a", "--access a: FILE: it has no AccessKeySecret: its credentials are not those of Alibaba Cloud"},
		{"a: {AccessKeyID: U2FsdGVkX18tXXaA1889N0ssIWPW}\n", "a", "--access a: FILE: AccessKeyID cannot be decrypted: store the alias again, with s config add"},
		{"a: {AccessKeyID: U2FsdGVkX18tXXaA1889N0ssIWPX/rRqopcxR8R5igs=}\n", "a", "--access a: FILE: AccessKeyID cannot be decrypted: store the alias again, with s config add"},
	} {
		path := home(t, "access.yaml", test.content)
		checkError(t, (&Options{Access: test.alias}).Apply(project()), strings.ReplaceAll(test.want, "FILE", path))
	}
	path := home(t, "access.yaml", "")
	os.Remove(path)
	checkError(t, (&Options{Access: "default"}).Apply(project()), "--access default: "+path+" does not exist: s config add stores credentials there")
}

func TestOwnCredentials(t *testing.T) {
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "id")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "")
	t.Setenv("ALIBABA_CLOUD_SECURITY_TOKEN", "")
	o := Options{Credentials: "env"}
	checkError(t, o.Apply(project()), "--credentials env: ALIBABA_CLOUD_ACCESS_KEY_SECRET is not set in fclocal's own environment")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "hush")
	p := project()
	if err := o.Apply(p); err != nil || p.Credentials.AccessKeySecret != "hush" {
		t.Error(err)
	}
	// However a project is printed, they are not.
	document, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(p.Credentials), fmt.Sprintf("%+v %#v %q %s %x", p, *p, p.Credentials, p.Credentials.AccessKeySecret, p.Credentials.AccessKeySecret), string(document)} {
		if strings.Contains(text, "hush") || strings.Contains(text, "68757368") {
			t.Errorf("%s shows it", text)
		}
	}
}
