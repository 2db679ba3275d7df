package deadletter

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// written is a file with letters, as a stream writes it.
func written(t *testing.T, letters int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dead.jsonl")
	w, err := Append(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range letters {
		letter := Letter{Event: json.RawMessage(fmt.Sprintf(`{"id":%d,"value":"<é>"}`, i)), Error: "as told", Attempts: 4, Time: time.UnixMilli(1655952591589).UTC()}
		if err := w.Write(letter); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func content(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func mustOpen(t *testing.T, path string) *File {
	t.Helper()
	file, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func checkError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("error:\n%v\nwant:\n%s", err, want)
	}
}

func mustNot(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func letterLine(id int, rest string) string {
	return fmt.Sprintf(`{"event":{"id":%d,"value":"<é>"},%s}`+"\n", id, rest)
}

const asTold = `"error":"as told","attempts":4,"time":"2022-06-23T02:49:51.589Z"`

// What is delivered goes, what is not stays where it was, byte for byte; what has
// failed says why.
func TestFile(t *testing.T) {
	path := written(t, 4)
	before := content(t, path)
	mustNot(t, os.Chmod(path, 0o600))
	link := filepath.Join(t.TempDir(), "link")
	mustNot(t, os.Symlink(path, link))
	file := mustOpen(t, link)
	if file.Len() != 4 {
		t.Fatalf("%d letters", file.Len())
	}
	letter, err := file.Letter(2)
	mustNot(t, err)
	if string(letter.Event) != `{"id":2,"value":"<é>"}` || letter.Error != "as told" || letter.Attempts != 4 {
		t.Errorf("%+v", letter)
	}
	mustNot(t, file.Delivered(0, 2))
	file.Failed(errors.New("once <more>"), 3)
	// Killed here, it would say what is delivered.
	if want := "#" + letterLine(0, asTold)[1:] + letterLine(1, asTold) + "#" + letterLine(2, asTold)[1:] + letterLine(3, asTold); content(t, path) != want {
		t.Errorf("before the end:\n%s\nwant:\n%s", content(t, path), want)
	}
	mustNot(t, file.Close())
	lines := strings.SplitAfter(content(t, path), "\n")
	if len(lines) != 3 || lines[0] != letterLine(1, asTold) || !strings.HasPrefix(lines[1], `{"event":{"id":3,"value":"<é>"},"error":"once <more>","attempts":5,"time":"`) {
		t.Errorf("%q of %q", lines, before)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, mode %v", err, info.Mode())
	}
	if target, err := os.Readlink(link); err != nil || target != path {
		t.Errorf("the link: %v %q", err, target)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("there are %v beside it", entries)
	}
}

// What a killed redrive has left is taken up: marks, and a file that it was writing.
func TestAfterKill(t *testing.T) {
	path := written(t, 3)
	killed := mustOpen(t, path)
	mustNot(t, killed.Delivered(1))
	killed.file.Close() // all that a kill does
	left := filepath.Join(filepath.Dir(path), ".dead.jsonl.redrive-123")
	mustNot(t, os.WriteFile(left, []byte("half"), 0o600))

	file := mustOpen(t, path)
	if file.Len() != 2 {
		t.Errorf("%d letters, want 2", file.Len())
	}
	if letter, err := file.Letter(1); err != nil || !strings.Contains(string(letter.Event), `"id":2`) {
		t.Errorf("%v %+v", err, letter)
	}
	mustNot(t, file.Close())
	if want := letterLine(0, asTold) + letterLine(2, asTold); content(t, path) != want {
		t.Errorf("%s\nwant:\n%s", content(t, path), want)
	}
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("what the killed one was writing: %v", err)
	}
}

// Wherever the adding of letters of a topic is killed, they are in the file once when
// they have been added again, beside a stream's letter that is cut short.
func TestAddAfterKill(t *testing.T) {
	const cut = `{"event":{"id`
	letters := []Letter{
		{Source: &Source{Topic: "t"}, Event: json.RawMessage(`{"id":1}`)},
		{Source: &Source{Topic: "t", Index: 1}, Event: json.RawMessage(`{"id":2}`)},
		{Source: &Source{Topic: "t", Offset: 1}, Event: json.RawMessage(`{"id":3}`)},
	}
	path := filepath.Join(t.TempDir(), "dead.jsonl")
	add := func(before string) string {
		mustNot(t, os.WriteFile(path, []byte(before), 0o644))
		file, err := OpenOrMake(path)
		mustNot(t, err)
		_, err = file.Add(letters...)
		mustNot(t, err)
		mustNot(t, file.Close())
		return content(t, path)
	}
	want := add(cut)
	if strings.Count(want, "\n") != 4 {
		t.Fatalf("%q", want)
	}
	for n := len(cut); n <= len(want); n += 5 {
		if got := add(want[:n]); strings.TrimSuffix(got, "\n") != strings.TrimSuffix(want, "\n") { // which comes with the next one
			t.Fatalf("cut short to\n%q\nit becomes\n%q\nwant\n%q", want[:n], got, want)
		}
	}
}

// Lines that were cut short stay, and so does a last letter without a line break.
func TestCutShort(t *testing.T) {
	path := written(t, 1)
	mustNot(t, os.WriteFile(path, []byte(`{"event":{"id`+"\n\n"+letterLine(0, asTold)+"{\"ev\n"+strings.TrimSuffix(letterLine(1, asTold), "\n")), 0o644))
	file := mustOpen(t, path)
	if diff := cmp.Diff([]int{1, 4}, file.CutShort); diff != "" || file.Len() != 2 {
		t.Errorf("%d letters, %s", file.Len(), diff)
	}
	mustNot(t, file.Delivered(0))
	mustNot(t, file.Close())
	if want := `{"event":{"id` + "\n{\"ev\n" + letterLine(1, asTold); content(t, path) != want {
		t.Errorf("%q\nwant:\n%q", content(t, path), want)
	}
}

// Another file is refused, and stays as it is.
func TestOtherFiles(t *testing.T) {
	directory := t.TempDir()
	path := filepath.Join(directory, "f")
	for text, want := range map[string]string{
		"# a comment\n":                     ":1: no dead letter, as stream --dead-letters writes them: invalid character 'a' looking for beginning of object key string",
		letterLine(0, asTold) + "name: x\n": ":2: no dead letter, as stream --dead-letters writes them: invalid character 'a' in literal null (expecting 'u')",
		"{\"value\":1}\n":                   ":1: no dead letter, as stream --dead-letters writes them: it has no event",
		"{\"event\":null}\n":                ":1: no dead letter, as stream --dead-letters writes them: it has no event",
		"[1]\n":                             ":1: no dead letter, as stream --dead-letters writes them: json: cannot unmarshal array into Go value of type deadletter.Letter",
		"#\"event\":1,\"attempts\":{}}\n":   ":1: no dead letter, as stream --dead-letters writes them: json: cannot unmarshal object into Go struct field Letter.attempts of type int",
	} {
		mustNot(t, os.WriteFile(path, []byte(text), 0o644))
		_, err := Open(path)
		checkError(t, err, path+want)
		if content(t, path) != text {
			t.Errorf("%q has become %q", text, content(t, path))
		}
	}
	_, err := Open(directory)
	checkError(t, err, directory+": it is no regular file")
}

func TestLock(t *testing.T) {
	path := written(t, 1)
	inUse := path + " is in use: another fclocal redrives it, or a stream appends to it"
	first, err := Append(path)
	mustNot(t, err)
	second, err := Append(path) // streams write whole lines
	mustNot(t, err)
	_, err = Open(path)
	checkError(t, err, inUse)
	first.Close()
	second.Close()

	file := mustOpen(t, path)
	_, err = Append(path)
	checkError(t, err, inUse)
	_, err = Open(path)
	checkError(t, err, inUse)
	mustNot(t, file.Delivered(0))
	mustNot(t, file.Close())
	// The file is another one now, and free.
	w, err := Append(path)
	mustNot(t, err)
	mustNot(t, w.Write(Letter{Event: json.RawMessage("{}")}))
	mustNot(t, w.Close())
	if file := mustOpen(t, path); file.Len() != 1 {
		t.Errorf("%d letters, want 1", file.Len())
	}
}

// A line that was cut short takes no new one with it.
func TestAppendMends(t *testing.T) {
	path := written(t, 1)
	mustNot(t, os.WriteFile(path, []byte(`{"event":`), 0o644))
	w, err := Append(path)
	mustNot(t, err)
	mustNot(t, w.Write(Letter{Event: json.RawMessage("1")}))
	mustNot(t, w.Close())
	if want := "{\"event\":\n{\"event\":1,\"error\":\"\",\"attempts\":0,\"time\":\"0001-01-01T00:00:00Z\"}\n"; !w.Mended || content(t, path) != want {
		t.Errorf("mended %t: %q", w.Mended, content(t, path))
	}
}

// A file that cannot be replaced keeps its marks.
func TestReadOnlyDirectory(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	path := written(t, 2)
	file := mustOpen(t, path)
	mustNot(t, file.Delivered(0))
	mustNot(t, os.Chmod(filepath.Dir(path), 0o500))
	defer os.Chmod(filepath.Dir(path), 0o700)
	if err := file.Close(); err == nil || !strings.HasSuffix(err.Error(), "; what is delivered is marked in it with a #") {
		t.Error(err)
	}
	if !strings.HasPrefix(content(t, path), `#"event"`) {
		t.Errorf("%q", content(t, path))
	}
}
