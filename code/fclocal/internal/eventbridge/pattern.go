package eventbridge

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// A pattern is an eventRuleFilterPattern. The operators are those that
// EventBridge documents: exact values, prefix, suffix, contains, anything-but
// (of values or with prefix), numeric, cidr and exists. Their edges (no empty
// text, numbers within 1e9, anything-but with suffix) are those of
// EventBridge's open code, Apache RocketMQ EventBridge. What else is written,
// and a field that the events made here do not have, is refused: the pattern
// would let other events pass here than there.
type pattern struct {
	fields []patternField // all must match
}

type patternField struct {
	value      func(*Converter, *Record) (value any, present bool)
	conditions []condition // one must match
}

// A condition tests a field: a string, an int64 or nil for null.
type condition func(value any, present bool) bool

func (p *pattern) matches(e *Converter, record *Record) bool {
	for _, field := range p.fields {
		value, present := field.value(e, record)
		if !slices.ContainsFunc(field.conditions, func(c condition) bool { return c(value, present) }) {
			return false
		}
	}
	return true
}

// text makes a field that is always there.
func text(value func(*Converter, *Record) string) func(*Converter, *Record) (any, bool) {
	return func(e *Converter, record *Record) (any, bool) { return value(e, record), true }
}

func constant(value string) func(*Converter, *Record) (any, bool) {
	return text(func(*Converter, *Record) string { return value })
}

func integer(value func(*Record) int64) func(*Converter, *Record) (any, bool) {
	return func(_ *Converter, record *Record) (any, bool) { return value(record), true }
}

// patternFields are the fields of an event that a pattern can name.
var patternFields = map[string]func(*Converter, *Record) (value any, present bool){
	"specversion":     constant("1.0"),
	"id":              text(func(e *Converter, r *Record) string { return string(e.appendID(nil, r)) }),
	"source":          constant("acs:alikafka"),
	"type":            constant("alikafka:Topic:Message"),
	"subject":         text(func(e *Converter, _ *Record) string { return e.subject }),
	"datacontenttype": constant("application/json; charset=utf-8"),
	"time":            text(func(_ *Converter, r *Record) string { return string(appendTime(nil, r)) }),
	"aliyunaccountid": text(func(e *Converter, _ *Record) string { return e.accountID }),
	"data.topic":      text(func(e *Converter, _ *Record) string { return e.topic }),
	"data.partition":  integer(func(r *Record) int64 { return int64(r.Partition) }),
	"data.offset":     integer(func(r *Record) int64 { return r.Offset }),
	"data.timestamp":  integer(func(r *Record) int64 { return r.Timestamp.UnixMilli() }),
	"data.key": func(_ *Converter, r *Record) (any, bool) {
		return string(javaText(r.Key)), r.Key != nil
	},
	"data.value": func(_ *Converter, r *Record) (any, bool) {
		if r.Value == nil {
			return nil, true
		}
		return string(javaText(r.Value)), true
	},
}

// A PatternError says what is wrong with an event pattern.
type PatternError struct {
	Offset int   // where, in bytes
	Here   bool  // EventBridge takes it, but it cannot be matched here
	err    error // what
}

func (e *PatternError) Error() string { return e.err.Error() }

// CheckPattern says what is wrong with the event pattern of a source other than
// Kafka, by a *PatternError: it knows the language, but not what fields there are.
func CheckPattern(source string) error {
	members, err := decodePattern(source)
	if err != nil {
		return err
	}
	return checkFields("", members)
}

func checkFields(prefix string, members object) error {
	for _, m := range members {
		if content, ok := m.value.(object); ok {
			if err := checkFields(prefix+m.name+".", content); err != nil {
				return err
			}
		} else if _, err := parseConditions(prefix+m.name, m.value); err != nil {
			return &PatternError{Offset: m.at, err: err}
		}
	}
	return nil
}

// CheckKafkaPattern is CheckPattern for Kafka's events, whose fields are known.
func CheckKafkaPattern(source string) error {
	_, err := parsePattern(source)
	return err
}

func decodePattern(source string) (object, error) {
	decoder := json.NewDecoder(strings.NewReader(source))
	decoder.UseNumber()
	root, err := decodeOrdered(decoder, source)
	if err == nil {
		if _, after := decoder.Token(); after != io.EOF {
			err = errors.New("there is more after the JSON object")
		}
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		rest := strings.TrimLeft(source[decoder.InputOffset():], " \t\r\n,:")
		at := len(source) - len(rest)
		var twice *PatternError
		if errors.As(err, &twice) {
			at = twice.Offset
		}
		return nil, &PatternError{Offset: at, err: fmt.Errorf("it must be a JSON object: %w", err)}
	}
	members, ok := root.(object)
	if !ok {
		return nil, &PatternError{err: errors.New("it must be a JSON object")}
	}
	return members, nil
}

// parsePattern returns nil for a pattern that lets all pass. Its errors are
// *PatternError.
func parsePattern(source string) (*pattern, error) {
	members, err := decodePattern(source)
	if err != nil {
		return nil, err
	}
	p := new(pattern)
	if err := p.add("", members); err != nil {
		return nil, err
	}
	if len(p.fields) == 0 {
		return nil, nil
	}
	return p, nil
}

func (p *pattern) add(prefix string, members object) error {
	for _, m := range members {
		path := prefix + m.name
		value, known := patternFields[path]
		switch content := m.value.(type) {
		case object:
			if path != "data" {
				// Of a field that is not known here, what is in it must be right all the same.
				if err := checkFields(path+".", content); err != nil {
					return err
				}
				return &PatternError{Offset: m.at, Here: path == "data.value" || !known, err: unknownField(path, known)}
			}
			if err := p.add("data.", content); err != nil {
				return err
			}
		default:
			conditions, err := parseConditions(path, content)
			if !known {
				return &PatternError{Offset: m.at, Here: err == nil, err: unknownField(path, known)}
			}
			if err != nil {
				return &PatternError{Offset: m.at, err: err}
			}
			p.fields = append(p.fields, patternField{value, conditions})
		}
	}
	return nil
}

// parseConditions reads what a field must be.
func parseConditions(path string, content any) ([]condition, error) {
	list, ok := content.([]any)
	if !ok {
		return nil, fmt.Errorf("%s: it must be an array of values, or an object for the fields in it", path)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: the array is empty: no event would pass", path)
	}
	var conditions []condition
	for _, element := range list {
		c, err := parseCondition(element)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		conditions = append(conditions, c)
	}
	return conditions, nil
}

func unknownField(path string, known bool) error {
	switch {
	case path == "data.value":
		return errors.New("data.value: the message is text here, as with data format Text; fields in it cannot be matched")
	case known:
		return fmt.Errorf("%s: it must be an array of values; the field has no fields in it", path)
	}
	return fmt.Errorf("%s: cannot be matched here; the fields that can are %s", path, strings.Join(sortedKeys(patternFields), ", "))
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func parseCondition(element any) (condition, error) {
	members, ok := element.(object)
	if !ok {
		return parseEqual(element)
	}
	if len(members) != 1 {
		return nil, errors.New("an object in the array must hold one operator")
	}
	operator, operand := members[0].name, members[0].value
	fail := func(want string) (condition, error) { return nil, fmt.Errorf("%s: it must be %s", operator, want) }
	switch operator {
	case "prefix", "suffix", "contains":
		part, ok := operand.(string)
		if !ok || part == "" {
			return fail("a string that is not empty")
		}
		test := map[string]func(text, part string) bool{
			"prefix": strings.HasPrefix, "suffix": strings.HasSuffix, "contains": strings.Contains,
		}[operator]
		return func(value any, present bool) bool {
			text, ok := value.(string)
			return present && ok && test(text, part)
		}, nil
	case "anything-but":
		return parseAnythingBut(operand)
	case "numeric":
		return parseNumeric(operand)
	case "cidr":
		cidr, _ := operand.(string)
		network, err := netip.ParsePrefix(cidr)
		if err != nil || !network.Addr().Is4() {
			return fail(`an IPv4 network such as "10.0.0.0/24"`)
		}
		return func(value any, present bool) bool {
			text, _ := value.(string)
			address, err := netip.ParseAddr(text)
			return present && err == nil && network.Contains(address)
		}, nil
	case "exists":
		want, ok := operand.(bool)
		if !ok {
			return fail("true or false")
		}
		return func(_ any, present bool) bool { return present == want }, nil
	}
	return nil, fmt.Errorf("operator %q is not one that EventBridge documents: prefix, suffix, contains, anything-but, numeric, cidr, exists", operator)
}

func parseEqual(element any) (condition, error) {
	switch want := element.(type) {
	case json.Number:
		// The fields are integers. If 3.0e2 is 300 is answered differently by
		// the versions of the documentation.
		number, err := strconv.ParseInt(want.String(), 10, 64)
		if err != nil || strconv.FormatInt(number, 10) != want.String() {
			return nil, fmt.Errorf("number %s: write it as an integer, or use numeric", want)
		}
		return func(value any, present bool) bool { return present && value == number }, nil
	case string, bool, nil:
		return func(value any, present bool) bool { return present && value == want }, nil
	}
	return nil, errors.New("an array in the array is no condition")
}

// parseAnythingBut also lets a null pass (inferred); a field that is absent does
// not match (documented: an event must have all fields of the pattern).
func parseAnythingBut(operand any) (condition, error) {
	excluded := []any{operand}
	if list, ok := operand.([]any); ok {
		excluded = list
	}
	if len(excluded) == 0 {
		return nil, errors.New("anything-but: the array is empty")
	}
	var conditions []condition
	for _, element := range excluded {
		if members, ok := element.(object); ok {
			_, inList := operand.([]any)
			if inList || len(members) != 1 || members[0].name != "prefix" && members[0].name != "suffix" {
				return nil, errors.New("anything-but: it must be a string, a number, an array of these, or an object with prefix or suffix")
			}
		}
		c, err := parseCondition(element)
		if err != nil {
			return nil, fmt.Errorf("anything-but: %w", err)
		}
		conditions = append(conditions, c)
	}
	return func(value any, present bool) bool {
		return present && !slices.ContainsFunc(conditions, func(c condition) bool { return c(value, present) })
	}, nil
}

func parseNumeric(operand any) (condition, error) {
	list, _ := operand.([]any)
	if len(list) != 2 && len(list) != 4 {
		return nil, errors.New(`numeric: it must be an array such as [">", 0, "<=", 5]`)
	}
	var conditions []condition
	for pair := range slices.Chunk(list, 2) {
		operator, _ := pair[0].(string)
		compare := map[string]func(value, limit float64) bool{
			"=":  func(value, limit float64) bool { return value == limit },
			"<":  func(value, limit float64) bool { return value < limit },
			"<=": func(value, limit float64) bool { return value <= limit },
			">":  func(value, limit float64) bool { return value > limit },
			">=": func(value, limit float64) bool { return value >= limit },
		}[operator]
		if compare == nil {
			return nil, errors.New("numeric: the operators are =, <, <=, > and >=")
		}
		number, _ := pair[1].(json.Number)
		limit, err := number.Float64()
		if err != nil || limit < -1e9 || limit > 1e9 {
			return nil, fmt.Errorf("numeric: %s must be followed by a number from -1e9 to 1e9", operator)
		}
		conditions = append(conditions, func(value any, _ bool) bool {
			number, ok := value.(int64)
			return ok && compare(float64(number), limit)
		})
	}
	return func(value any, present bool) bool {
		for _, c := range conditions {
			if !c(value, present) {
				return false
			}
		}
		return true
	}, nil
}

// An object keeps the order of its members, and allows a name once: of two,
// encoding/json would ignore one.
type object []member

type member struct {
	name  string
	at    int // of the name in the source
	value any
}

// decodeOrdered decodes a JSON value of the source, an object as an object.
func decodeOrdered(decoder *json.Decoder, source string) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('['):
		list := []any{}
		for decoder.More() {
			element, err := decodeOrdered(decoder, source)
			if err != nil {
				return nil, err
			}
			list = append(list, element)
		}
		_, err := decoder.Token()
		return list, err
	case json.Delim('{'):
		members := object{}
		for decoder.More() {
			before := int(decoder.InputOffset())
			token, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			name, at := token.(string), before+strings.IndexByte(source[before:], '"')
			for _, m := range members {
				if m.name == name {
					return nil, &PatternError{Offset: at, err: fmt.Errorf("%q is there twice", name)}
				}
			}
			value, err := decodeOrdered(decoder, source)
			if err != nil {
				return nil, err
			}
			members = append(members, member{name, at, value})
		}
		_, err := decoder.Token()
		return members, err
	}
	return token, nil
}
