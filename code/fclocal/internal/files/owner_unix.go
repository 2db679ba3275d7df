//go:build unix

package files

import (
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// Stranger names the owner of a file, or of a link to it, if that is neither the
// current user nor root. It is "" if there is no such owner.
func Stranger(path string) (string, error) {
	for _, stat := range []func(string) (fs.FileInfo, error){os.Lstat, os.Stat} {
		info, err := stat(path)
		if err != nil {
			return "", err
		}
		status, ok := info.Sys().(*syscall.Stat_t)
		if !ok || status.Uid == 0 || int(status.Uid) == os.Geteuid() {
			continue
		}
		uid := strconv.Itoa(int(status.Uid))
		if owner, err := user.LookupId(uid); err == nil {
			return owner.Username, nil
		}
		return "the user with the ID " + uid, nil
	}
	return "", nil
}
