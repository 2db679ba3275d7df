package clientconfig

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// A property is a line of a file.
type property struct {
	key, value string
	line       int // 1 is the first
}

// parseProperties reads the file of a Java client, or of librdkafka, which differ in
// what a backslash means: librdkafka has no escapes. Some keys tell which it is.
func parseProperties(content string) ([]property, error) {
	plain := parseLines(content)
	if slices.ContainsFunc(plain, func(p property) bool { return librdkafkaKeys[p.key] }) {
		return plain, nil
	}
	return parseJava(content)
}

// librdkafkaKeys are those that only librdkafka has.
var librdkafkaKeys = map[string]bool{
	"metadata.broker.list": true, "sasl.mechanisms": true, "sasl.username": true, "sasl.password": true,
	"ssl.ca.location": true, "ssl.ca.pem": true, "ssl.certificate.location": true, "ssl.certificate.pem": true,
	"ssl.key.location": true, "ssl.key.pem": true, "enable.ssl.certificate.verification": true,
}

// parseLines reads KEY=VALUE lines.
func parseLines(content string) (properties []property) {
	number := 0
	for line := range strings.Lines(content) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		properties = append(properties, property{strings.TrimSpace(key), strings.TrimSpace(value), number})
	}
	return properties
}

const javaSpace = " \t\f"

// parseJava reads what java.util.Properties does: lines that a backslash at the end
// continues, =, : or blanks after the key, and escapes.
func parseJava(content string) (properties []property, err error) {
	number := 0
	var logical strings.Builder
	start := 0 // the line that the logical one begins at, 0 between two
	end := func() error {
		if start == 0 {
			return nil
		}
		p, err := javaProperty(logical.String())
		if err != nil {
			return fmt.Errorf("%d: %w", start, err)
		}
		p.line = start
		properties = append(properties, p)
		logical.Reset()
		start = 0
		return nil
	}
	for line := range strings.Lines(strings.ReplaceAll(strings.ReplaceAll(content, "\r\n", "\n"), "\r", "\n")) {
		number++
		line = strings.TrimLeft(strings.TrimSuffix(line, "\n"), javaSpace)
		if start == 0 && (line == "" || line[0] == '#' || line[0] == '!') {
			continue
		}
		if start == 0 {
			start = number
		}
		if backslashes := len(line) - len(strings.TrimRight(line, `\`)); backslashes%2 == 1 {
			logical.WriteString(line[:len(line)-1])
			continue
		}
		logical.WriteString(line)
		if err := end(); err != nil {
			return nil, err
		}
	}
	return properties, end()
}

func javaProperty(line string) (property, error) {
	separator := 0
	for separator < len(line) && !strings.ContainsRune("=:"+javaSpace, rune(line[separator])) {
		if line[separator] == '\\' {
			separator++ // and what it escapes
		}
		separator++
	}
	separator = min(separator, len(line))
	value := strings.TrimLeft(line[separator:], javaSpace)
	if value != "" && (value[0] == '=' || value[0] == ':') {
		value = strings.TrimLeft(value[1:], javaSpace)
	}
	key, err := unescape(line[:separator])
	if err == nil {
		value, err = unescape(value)
	}
	return property{key: key, value: value}, err
}

func unescape(text string) (string, error) {
	if !strings.Contains(text, `\`) {
		return text, nil
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			b.WriteByte(text[i])
			continue
		}
		if i++; i == len(text) {
			break
		}
		switch text[i] {
		case 't':
			b.WriteByte('\t')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 'f':
			b.WriteByte('\f')
		case 'u':
			unit, err := hexUnit(text[i+1:])
			if err != nil {
				return "", err
			}
			i += 4
			if utf16.IsSurrogate(rune(unit)) && strings.HasPrefix(text[i+1:], `\u`) {
				if second, err := hexUnit(text[i+3:]); err == nil && utf16.DecodeRune(rune(unit), rune(second)) != '\uFFFD' {
					b.WriteRune(utf16.DecodeRune(rune(unit), rune(second)))
					i += 6
					continue
				}
			}
			b.WriteRune(rune(unit))
		default:
			b.WriteByte(text[i])
		}
	}
	return b.String(), nil
}

func hexUnit(text string) (uint64, error) {
	if len(text) >= 4 {
		if unit, err := strconv.ParseUint(text[:4], 16, 16); err == nil {
			return unit, nil
		}
	}
	return 0, fmt.Errorf(`\u must be followed by four hexadecimal digits; a backslash itself is written \\`)
}

// A login is what a JAAS configuration says: a login module and its options.
type login struct {
	module  string
	options map[string]string
}

// parseJAAS reads an entry as sasl.jaas.config holds it: MODULE FLAG KEY=VALUE... ;
func parseJAAS(text string) (login, error) {
	wrong := fmt.Errorf(`it must be one login module, as org.apache.kafka.common.security.plain.PlainLoginModule required username="…" password="…";`)
	tokens, ok := jaasTokens(text)
	if !ok || len(tokens) < 3 || tokens[len(tokens)-1] != ";" {
		return login{}, wrong
	}
	l := login{module: tokens[0], options: make(map[string]string)}
	for rest := tokens[2 : len(tokens)-1]; len(rest) > 0; rest = rest[3:] {
		if len(rest) < 3 || rest[1] != "=" {
			return login{}, wrong
		}
		l.options[strings.TrimPrefix(rest[0], "\x00")] = strings.TrimPrefix(rest[2], "\x00")
	}
	return l, nil
}

// kafkaClient returns what stands under KafkaClient in a JAAS file.
func kafkaClient(content string) (string, error) {
	_, after, found := strings.Cut(content, "KafkaClient")
	inner, isOpen := strings.CutPrefix(strings.TrimSpace(after), "{")
	entry, _, isClosed := strings.Cut(inner, "};")
	if !found || !isOpen || !isClosed {
		return "", fmt.Errorf("it has no section KafkaClient { … };")
	}
	return entry, nil
}

// jaasTokens are words, = and ;. A quoted text has a NUL before it, so that it is
// neither of these.
func jaasTokens(text string) (tokens []string, ok bool) {
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case strings.ContainsRune(" \t\r\n\f", rune(c)):
			i++
		case c == '=' || c == ';':
			tokens = append(tokens, string(c))
			i++
		case c == '"' || c == '\'':
			quoted, length, closed := jaasQuoted(text[i:])
			if !closed {
				return nil, false
			}
			tokens = append(tokens, "\x00"+quoted)
			i += length
		default:
			end := strings.IndexAny(text[i:], " \t\r\n\f=;\"'")
			if end < 0 {
				end = len(text) - i
			}
			tokens = append(tokens, text[i:i+end])
			i += end
		}
	}
	return tokens, true
}

var jaasEscapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'f': '\f', 'b': '\b', 'a': 7, 'v': '\v'}

func jaasQuoted(text string) (quoted string, length int, closed bool) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == text[0]:
			return b.String(), i + 1, true
		case c == '\\' && i+1 < len(text):
			i++
			if escaped, special := jaasEscapes[text[i]]; special {
				b.WriteByte(escaped)
			} else {
				b.WriteByte(text[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", 0, false
}

// sortedKeys are for messages.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
