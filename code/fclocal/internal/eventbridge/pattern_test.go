package eventbridge

import (
	"errors"
	"strings"
	"testing"
)

func TestPattern(t *testing.T) {
	record := &Record{Partition: 7, Offset: 25, Timestamp: testTime, Key: []byte("10.0.0.9"), Value: []byte(`{"name":"shaouai"}`)}
	bare := &Record{Partition: 7, Offset: 25, Timestamp: testTime}
	tests := []struct {
		pattern    string
		want, bare bool // for the record and for one without key and value
	}{
		{`{}`, true, true},
		{` {"data":{}} `, true, true},
		{`{"source":["acs:alikafka"]}`, true, true},
		{`{"source":["acs.oss","acs:alikafka"]}`, true, true},
		{`{"source":["acs.oss"]}`, false, false},
		{`{"source":["acs:alikafka"],"type":["x"]}`, false, false},
		{`{"source":[true]}`, false, false},
		{`{"type":[{"prefix":"alikafka:"}],"specversion":["1.0"],"datacontenttype":[{"contains":"json"}]}`, true, true},
		{`{"subject":["acs:alikafka_pre-cn-i7m2t7t1****:topic:mytopic"]}`, true, true},
		{`{"subject":[{"suffix":":mytopic"}]}`, true, true},
		{`{"subject":[{"suffix":":MyTopic"}]}`, false, false},
		{`{"aliyunaccountid":["164901546557****"]}`, true, true},
		{`{"id":["0f2f2501-d3e9-5747-94c2-1afaec632080"]}`, true, true},
		{`{"time":[{"prefix":"2022-06-23"}]}`, true, true},
		{`{"data":{"topic":["mytopic"],"partition":[7],"offset":[25],"timestamp":[1655952591589]}}`, true, true},
		{`{"data":{"partition":["7"]}}`, false, false},
		{`{"data":{"partition":[{"numeric":["=",7]}]}}`, true, true},
		{`{"data":{"partition":[{"numeric":[">",0,"<=",7]}]}}`, true, true},
		{`{"data":{"partition":[{"numeric":["<",7]}]}}`, false, false},
		{`{"data":{"partition":[{"numeric":[">=",7.5]}]}}`, false, false},
		{`{"data":{"key":[{"numeric":["=",10]}]}}`, false, false},
		{`{"data":{"key":[{"cidr":"10.0.0.0/24"}]}}`, true, false},
		{`{"data":{"key":[{"cidr":"10.0.1.0/24"}]}}`, false, false},
		{`{"data":{"value":[{"cidr":"10.0.0.0/24"}]}}`, false, false},
		{`{"data":{"key":[{"exists":true}]}}`, true, false},
		{`{"data":{"key":[{"exists":false}]}}`, false, true},
		{`{"data":{"value":[{"exists":true}]}}`, true, true},
		{`{"data":{"value":[null]}}`, false, true},
		{`{"data":{"key":[null]}}`, false, false},
		{`{"data":{"value":[{"contains":"shaouai"}]}}`, true, false},
		{`{"data":{"value":["{\"name\":\"shaouai\"}"]}}`, true, false},
		{`{"data":{"key":[{"anything-but":"x"}]}}`, true, false},
		{`{"data":{"key":[{"anything-but":"10.0.0.9"}]}}`, false, false},
		{`{"data":{"key":[{"anything-but":["x","10.0.0.9"]}]}}`, false, false},
		{`{"data":{"key":[{"anything-but":{"prefix":"10."}}]}}`, false, false},
		{`{"data":{"key":[{"anything-but":{"suffix":".8"}}]}}`, true, false},
		{`{"data":{"offset":[{"anything-but":25}]}}`, false, false},
		{`{"data":{"offset":[{"anything-but":[24,26]}]}}`, true, true},
		{`{"data":{"value":[{"anything-but":"x"}]}}`, true, true},
	}
	for _, test := range tests {
		t.Run(test.pattern, func(t *testing.T) {
			for _, schema := range []string{"CloudEvents", "RawData"} {
				e := newConverter(t, schema, test.pattern)
				if got := e.Passes(record); got != test.want {
					t.Errorf("%s: %t", schema, got)
				}
				if got := e.Passes(bare); got != test.bare {
					t.Errorf("%s, neither key nor value: %t", schema, got)
				}
			}
		})
	}
}

func TestPatternErrors(t *testing.T) {
	const fields = "aliyunaccountid, data.key, data.offset, data.partition, data.timestamp, data.topic, data.value, datacontenttype, id, source, specversion, subject, time, type"
	const anythingBut = "anything-but: it must be a string, a number, an array of these, or an object with prefix or suffix"
	tests := []struct{ pattern, err string }{
		{``, `it must be a JSON object: unexpected EOF`},
		{`{`, `it must be a JSON object: unexpected EOF`},
		{`{"a":[1,}`, `it must be a JSON object: invalid character '}' looking for beginning of value`},
		{`[]`, `it must be a JSON object`},
		{`"{}"`, `it must be a JSON object`},
		{`{} {}`, `it must be a JSON object: there is more after the JSON object`},
		{`{"source":["a"],"source":["b"]}`, `it must be a JSON object: "source" is there twice`},
		{`{"source":"acs:alikafka"}`, `source: it must be an array of values, or an object for the fields in it`},
		{`{"source":[]}`, `source: the array is empty: no event would pass`},
		{`{"source":[["a"]]}`, `source: an array in the array is no condition`},
		{`{"source":{"a":["b"]}}`, `source: it must be an array of values; the field has no fields in it`},
		{`{"region":["cn-shanghai"]}`, `region: cannot be matched here; the fields that can are ` + fields},
		{`{"data":{"headers":{"isReadOnly":[false]}}}`, `data.headers: cannot be matched here; the fields that can are ` + fields},
		{`{"data":[{"exists":true}]}`, `data: cannot be matched here; the fields that can are ` + fields},
		{`{"data":{"value":{"name":["shaouai"]}}}`, `data.value: the message is text here, as with data format Text; fields in it cannot be matched`},
		{`{"data":{"offset":[3.0e2]}}`, `data.offset: number 3.0e2: write it as an integer, or use numeric`},
		{`{"source":[{}]}`, `source: an object in the array must hold one operator`},
		{`{"source":[{"prefix":"a","suffix":"b"}]}`, `source: an object in the array must hold one operator`},
		{`{"source":[{"prefix":""}]}`, `source: prefix: it must be a string that is not empty`},
		{`{"source":[{"suffix":1}]}`, `source: suffix: it must be a string that is not empty`},
		{`{"source":[{"contains":["a"]}]}`, `source: contains: it must be a string that is not empty`},
		{`{"source":[{"exists":"true"}]}`, `source: exists: it must be true or false`},
		{`{"source":[{"equals-ignore-case":"a"}]}`, `source: operator "equals-ignore-case" is not one that EventBridge documents: prefix, suffix, contains, anything-but, numeric, cidr, exists`},
		{`{"source":[{"wildcard":"*"}]}`, `source: operator "wildcard" is not one that EventBridge documents: prefix, suffix, contains, anything-but, numeric, cidr, exists`},
		{`{"$or":[{"source":["a"]}]}`, `$or: cannot be matched here; the fields that can are ` + fields},
		{`{"source":[{"cidr":"10.0.0.0"}]}`, `source: cidr: it must be an IPv4 network such as "10.0.0.0/24"`},
		{`{"source":[{"cidr":"::/8"}]}`, `source: cidr: it must be an IPv4 network such as "10.0.0.0/24"`},
		{`{"source":[{"anything-but":[]}]}`, `source: anything-but: the array is empty`},
		{`{"source":[{"anything-but":{"contains":"a"}}]}`, `source: ` + anythingBut},
		{`{"source":[{"anything-but":[{"prefix":"a"}]}]}`, `source: ` + anythingBut},
		{`{"source":[{"anything-but":{"prefix":""}}]}`, `source: anything-but: prefix: it must be a string that is not empty`},
		{`{"data":{"offset":[{"numeric":5}]}}`, `data.offset: numeric: it must be an array such as [">", 0, "<=", 5]`},
		{`{"data":{"offset":[{"numeric":[">"]}]}}`, `data.offset: numeric: it must be an array such as [">", 0, "<=", 5]`},
		{`{"data":{"offset":[{"numeric":["!=",1]}]}}`, `data.offset: numeric: the operators are =, <, <=, > and >=`},
		{`{"data":{"offset":[{"numeric":["<","1"]}]}}`, `data.offset: numeric: < must be followed by a number from -1e9 to 1e9`},
		{`{"data":{"timestamp":[{"numeric":["<",1655952591589]}]}}`, `data.timestamp: numeric: < must be followed by a number from -1e9 to 1e9`},
	}
	for _, test := range tests {
		t.Run(test.pattern, func(t *testing.T) {
			_, err := NewConverter(testOptions("CloudEvents", test.pattern))
			checkError(t, err, "eventRuleFilterPattern: "+test.err)
		})
	}
}

// What is wrong with a pattern has a place, and tells whether EventBridge takes it.
func TestPatternPlaces(t *testing.T) {
	for _, test := range []struct {
		pattern string
		check   func(string) error
		at      string // what stands there
		here    bool
	}{
		{`{"source": ["a"], "data": {"topic": []}}`, CheckKafkaPattern, `"topic"`, false},
		{`{"source": ["a"], "source": ["b"]}`, CheckKafkaPattern, `"source": ["b"]`, false},
		{`{"source": [a]}`, CheckKafkaPattern, `a]}`, false},
		{`{"source": `, CheckKafkaPattern, "", false},
		{`{"region": ["a"]}`, CheckKafkaPattern, `"region"`, true},
		{`{"data": {"value": {"name": ["a"]}}}`, CheckKafkaPattern, `"value"`, true},
		{`{"data": {"value": {"name": "a"}}}`, CheckKafkaPattern, `"name"`, false},
		{`{"region": ["a"], "data": {"x": {"y": "a"}}}`, CheckPattern, `"y"`, false},
	} {
		var problem *PatternError
		if err := test.check(test.pattern); !errors.As(err, &problem) || !strings.HasPrefix(test.pattern[problem.Offset:], test.at) || problem.Here != test.here {
			t.Errorf("%s: %+v", test.pattern, problem)
		}
	}
	for _, pattern := range []string{`{}`, `{"region": ["a"], "data": {"x": {"y": [{"prefix": "a"}]}}}`} {
		if err := CheckPattern(pattern); err != nil {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}

func FuzzPattern(f *testing.F) {
	f.Add(`{"data":{"offset":[{"numeric":[">",0]}],"key":[{"anything-but":["a",1,null]}]}}`)
	record := &Record{Timestamp: testTime, Value: []byte("x")}
	f.Fuzz(func(t *testing.T, pattern string) {
		if e, err := NewConverter(testOptions("CloudEvents", pattern)); err == nil {
			e.Passes(record)
		}
	})
}
