package environment

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"fclocal/internal/config"
	"fclocal/internal/files"
)

// accessPassword is what `s`, in both versions, encrypts stored credentials with. It
// is no secret: it keeps them from being read over a shoulder.
const accessPassword = "SecretKey123"

// saltMark begins what OpenSSL, and crypto-js as it, encrypts with a password.
const saltMark = "Salted__"

// accessFile is where `s config` stores credentials: access.yaml, or access.yml, in its
// directory, as its own packages (@serverless-devs/utils and credential) find it.
func accessFile() (string, error) {
	home := os.Getenv("serverless_devs_config_home")
	if home == "" {
		var err error
		if home, err = os.UserHomeDir(); err != nil {
			return "", err
		}
	}
	directory := filepath.Join(home, ".s")
	var settings struct{ Workspace string }
	if content, err := files.Read(filepath.Join(directory, "config", "s.json"), maxFile); err == nil && json.Unmarshal(content, &settings) == nil && settings.Workspace != "" {
		directory = strings.Replace(settings.Workspace, "~", home, 1)
	}
	path := filepath.Join(directory, "access.yaml")
	if _, err := os.Stat(path); err != nil {
		if other := filepath.Join(directory, "access.yml"); isThere(other) {
			return other, nil
		}
	}
	return path, nil
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// readAccess reads the file: fields by alias.
func readAccess() (path string, all map[string]map[string]yaml.Node, err error) {
	if path, err = accessFile(); err != nil {
		return "", nil, err
	}
	content, err := files.Read(path, maxFile)
	if errors.Is(err, os.ErrNotExist) {
		return path, nil, fmt.Errorf("%s does not exist: s config add stores credentials there", path)
	}
	if err != nil {
		return path, nil, err
	}
	// The parser's own error may have a value in it.
	if len(bytes.TrimSpace(content)) > 0 && yaml.Load(content, &all) != nil {
		return path, nil, fmt.Errorf("%s is not what s config writes: aliases, each with names and values", path)
	}
	if len(all) == 0 {
		return path, nil, fmt.Errorf("%s is empty, in which s config add may store nothing: delete the file, and add the alias then", path)
	}
	return path, all, nil
}

// aliases are those that are stored, for completion.
func aliases() []string {
	_, all, _ := readAccess()
	return slices.Sorted(maps.Keys(all))
}

// stored are the credentials of an alias.
func stored(alias string) (config.Credentials, error) {
	fail := func(err error) (config.Credentials, error) {
		return config.Credentials{}, fmt.Errorf("--access %s: %w", alias, err)
	}
	path, all, err := readAccess()
	if err != nil {
		return fail(err)
	}
	fields, known := all[alias]
	if !known {
		return fail(fmt.Errorf("%s has no such alias; it has %s", path, strings.Join(slices.Sorted(maps.Keys(all)), ", ")))
	}
	var c config.Credentials
	for _, field := range []struct {
		name   string
		needed bool
		value  *config.Secret
	}{{"AccessKeyID", true, &c.AccessKeyID}, {"AccessKeySecret", true, &c.AccessKeySecret}, {"SecurityToken", false, &c.SecurityToken}} {
		text, ok := decrypt(fields[field.name].Value)
		if !ok {
			return fail(fmt.Errorf("%s: %s cannot be decrypted: store the alias again, with s config add", path, field.name))
		}
		if text == "" && field.needed {
			return fail(fmt.Errorf("%s: it has no %s: its credentials are not those of Alibaba Cloud", path, field.name))
		}
		*field.value = config.Secret(text)
	}
	return c, nil
}

// decrypt decrypts a stored value. One that is not encrypted is as it is, as for s.
func decrypt(text string) (string, bool) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || !strings.HasPrefix(string(data), saltMark) {
		return text, true
	}
	data = data[len(saltMark):]
	if len(data) < 8+aes.BlockSize || (len(data)-8)%aes.BlockSize != 0 {
		return "", false
	}
	salt, data := data[:8], data[8:]
	// EVP_BytesToKey of OpenSSL, with MD5 and one round: 32 bytes of key and 16 of IV.
	var derived, block []byte
	for len(derived) < 48 {
		sum := md5.Sum(slices.Concat(block, []byte(accessPassword), salt))
		block = sum[:]
		derived = append(derived, block...)
	}
	key, err := aes.NewCipher(derived[:32])
	if err != nil {
		return "", false
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(key, derived[32:48]).CryptBlocks(plain, data)
	padding := int(plain[len(plain)-1])
	if padding < 1 || padding > aes.BlockSize || !utf8.Valid(plain[:len(plain)-padding]) {
		return "", false
	}
	return string(plain[:len(plain)-padding]), true
}
