package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// An expression is what stands in a ${...} of FC 3.0's file: a text, a number, a path
// such as vars.a.b, or a call of a function. s compiles some more of JavaScript, which
// no documented form needs.
type expression struct {
	text   string       // of a quoted text or a number
	number bool         // it was a number
	path   []string     // the parts of a path
	call   string       // the name of a function
	args   []expression // what it is called with
}

const maxCalls = 8 // within each other

var errNoExpression = errors.New("needed is a path such as vars.x, or a function of s such as env('X', 'default')")

// A scanner reads an expression.
type scanner struct {
	rest  string
	calls int
}

func parseExpression(source string) (expression, error) {
	s := scanner{rest: source}
	e, err := s.expression()
	if err == nil && s.blanks() != "" {
		err = errNoExpression
	}
	return e, err
}

// blanks skips white space, and returns the rest.
func (s *scanner) blanks() string {
	s.rest = strings.TrimLeft(s.rest, " \t\r\n")
	return s.rest
}

var (
	numberToken = regexp.MustCompile(`^-?\d+(\.\d+)?`)
	nameToken   = regexp.MustCompile(`^[A-Za-z_$][\w$-]*`)
	partToken   = regexp.MustCompile(`^\.([^\s.()\[\]'",]+)`)
	indexToken  = regexp.MustCompile(`^\[\s*(?:'([^']*)'|"([^"]*)"|(\d+))\s*\]`)
	callToken   = regexp.MustCompile(`^[A-Za-z]\w*\s*\(`)
)

func (s *scanner) expression() (expression, error) {
	switch rest := s.blanks(); {
	case strings.HasPrefix(rest, "'"), strings.HasPrefix(rest, `"`):
		text, err := s.quoted()
		return expression{text: text}, err
	case numberToken.MatchString(rest):
		number := numberToken.FindString(rest)
		s.rest = rest[len(number):]
		return expression{text: number, number: true}, nil
	case callToken.MatchString(rest):
		return s.call()
	case nameToken.MatchString(rest):
		name := nameToken.FindString(rest)
		s.rest = rest[len(name):]
		e := expression{path: []string{name}}
		for {
			if part := partToken.FindStringSubmatch(s.rest); part != nil {
				e.path, s.rest = append(e.path, part[1]), s.rest[len(part[0]):]
			} else if part := indexToken.FindStringSubmatch(s.rest); part != nil {
				e.path, s.rest = append(e.path, part[1]+part[2]+part[3]), s.rest[len(part[0]):]
			} else {
				return e, nil
			}
		}
	}
	return expression{}, errNoExpression
}

func (s *scanner) quoted() (string, error) {
	quotation := s.rest[0]
	var text strings.Builder
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == quotation:
			s.rest = s.rest[i+1:]
			return text.String(), nil
		case c == '\\' && i+1 < len(s.rest):
			i++
			text.WriteByte(s.rest[i])
		default:
			text.WriteByte(c)
		}
	}
	return "", errors.New("a quotation mark is not closed")
}

// takesBare are the functions whose argument s quotes where it is not: ${env(X)}.
var takesBare = map[string]bool{"env": true, "file": true, "config": true, "path": true, "secret": true}

func (s *scanner) call() (expression, error) {
	if s.calls++; s.calls > maxCalls {
		return expression{}, fmt.Errorf("more than %d functions are called", maxCalls)
	}
	token := callToken.FindString(s.rest)
	e := expression{call: strings.TrimRight(token, " \t\r\n(")}
	s.rest = s.rest[len(token):]
	if bare := strings.IndexByte(s.blanks(), ')'); takesBare[e.call] && bare > 0 && !strings.ContainsAny(s.rest[:1], `'"`) && !callToken.MatchString(s.rest) {
		e.args = []expression{{text: strings.TrimSpace(s.rest[:bare])}}
		s.rest = s.rest[bare+1:]
		return e, nil
	}
	for {
		if len(e.args) == 0 && strings.HasPrefix(s.blanks(), ")") {
			s.rest = s.rest[1:]
			return e, nil
		}
		argument, err := s.expression()
		if err != nil {
			return e, err
		}
		e.args = append(e.args, argument)
		switch rest := s.blanks(); {
		case strings.HasPrefix(rest, ","):
			s.rest = rest[1:]
		case strings.HasPrefix(rest, ")"):
			s.rest = rest[1:]
			return e, nil
		default:
			return e, errNoExpression
		}
	}
}

// A piece is a part of a text: as it stands, or an expression's source.
type piece struct {
	text       string
	expression bool // text is what stands between ${ and }
}

// pieces takes a text apart. A } in quotation marks ends no expression.
func pieces(text string) []piece {
	var all []piece
	for {
		start := strings.Index(text, "${")
		length := -1
		if start >= 0 {
			length = expressionLength(text[start+2:])
		}
		if length < 0 {
			return append(all, piece{text: text})
		}
		if start > 0 {
			all = append(all, piece{text: text[:start]})
		}
		all = append(all, piece{text[start+2 : start+2+length], true})
		if text = text[start+2+length+1:]; text == "" {
			return all
		}
	}
}

// expressionLength is how far it is to the end of an expression, -1 if there is none.
func expressionLength(text string) int {
	var quotation byte
	for i := range len(text) {
		switch c := text[i]; {
		case quotation != 0:
			if c == quotation && text[i-1] != '\\' {
				quotation = 0
			}
		case c == '\'' || c == '"':
			quotation = c
		case c == '}':
			return i
		}
	}
	return -1
}
