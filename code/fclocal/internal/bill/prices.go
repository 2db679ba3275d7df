package bill

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"fclocal/internal/files"
)

// BuiltIn is the table of prices that holds where no other is given.
//
//go:embed prices.yaml
var BuiltIn string

// Prices are what Function Compute (FC) and EventBridge charge, in one currency.
type Prices struct {
	Currency string // three capital letters

	date    string // of the newest of them
	compute computePrices
	streams streamPrices
	logs    *float64 // of a GB (2^30 bytes) that is written into Log Service; nil if it has no price in the currency
}

// computePrices are FC's. All use counts in CU.
type computePrices struct {
	tenThousandCalls, vcpuSecond, memoryGBSecond, diskGBSecond float64 // CU
	freeDisk                                                   float64 // MB
	tiers                                                      []tier  // in order, the first from 0
	plans                                                      []yearlyPlan
}

// A yearlyPlan is a number of CU that are paid in advance and used within a year.
type yearlyPlan struct{ cu, price float64 }

// A tier is the price of a CU, from so many of them in a month on.
type tier struct{ from, price float64 }

// streamPrices are EventBridge's. What has no price in the currency is nil.
type streamPrices struct {
	millionEvents      *float64
	capacityUnitHour   *float64
	eventsPerSecond    float64 // of a capacity unit
	megabytesPerSecond float64 // of a capacity unit
}

// Read reads the prices of a currency from a file, or those that are built in if path
// is empty.
func Read(path, currency string) (*Prices, error) {
	name, content := "the built-in prices", []byte(BuiltIn)
	if path != "" {
		var err error
		name = path
		if content, err = files.Read(path, 1<<20); err != nil {
			return nil, err
		}
	}
	return parse(name, content, currency)
}

var (
	dateForm     = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
)

func parse(name string, content []byte, currency string) (*Prices, error) {
	var document yaml.Node
	if err := yaml.Load(content, &document); err != nil {
		var syntax *yaml.LoadError
		if errors.As(err, &syntax) && syntax.Mark.Line > 0 {
			return nil, fmt.Errorf("%s:%d: not valid YAML: %s", name, syntax.Mark.Line, syntax.Message)
		}
		return nil, fmt.Errorf("%s: not valid YAML: %w", name, err)
	}
	t := table{name: name}
	p := &Prices{Currency: currency}
	root := t.mapping(&document, "", "functionCompute", "eventBridge", "logService?")
	fc := t.mapping(root["functionCompute"], "functionCompute", "date", "source", "tenThousandCalls", "vcpuSecond", "memoryGBSecond", "diskGBSecond", "freeDiskMB", "tiers", "yearlyPlans")
	p.date = t.date(fc["date"])
	p.compute = computePrices{
		tenThousandCalls: t.number(fc["tenThousandCalls"]), vcpuSecond: t.number(fc["vcpuSecond"]),
		memoryGBSecond: t.number(fc["memoryGBSecond"]), diskGBSecond: t.number(fc["diskGBSecond"]),
		freeDisk: t.number(fc["freeDiskMB"]),
	}
	tiers := inCurrencies(&t, fc["tiers"], "functionCompute.tiers", t.tiers)
	p.compute.tiers = tiers[currency]
	p.compute.plans = inCurrencies(&t, fc["yearlyPlans"], "functionCompute.yearlyPlans", t.yearlyPlans)[currency]
	eb := t.mapping(root["eventBridge"], "eventBridge", "date", "source", "eventsPerSecond", "megabytesPerSecond", "millionEvents", "capacityUnitHour")
	p.date = max(p.date, t.date(eb["date"]))
	p.streams = streamPrices{
		millionEvents:    inCurrencies(&t, eb["millionEvents"], "eventBridge.millionEvents", t.price)[currency],
		capacityUnitHour: inCurrencies(&t, eb["capacityUnitHour"], "eventBridge.capacityUnitHour", t.price)[currency],
		eventsPerSecond:  t.above0(eb["eventsPerSecond"]), megabytesPerSecond: t.above0(eb["megabytesPerSecond"]),
	}
	if root["logService"] != nil {
		sls := t.mapping(root["logService"], "logService", "date", "source", "gigabyteWritten")
		p.date = max(p.date, t.date(sls["date"]))
		p.logs = inCurrencies(&t, sls["gigabyteWritten"], "logService.gigabyteWritten", t.price)[currency]
	}
	if t.err == nil && p.compute.tiers == nil {
		t.err = fmt.Errorf("--currency %s: %s: there are prices in %s", currency, name, strings.Join(slices.Sorted(maps.Keys(tiers)), ", "))
	}
	if t.err != nil {
		return nil, t.err
	}
	return p, nil
}

// A table reads a file of prices. Its first mistake stays.
type table struct {
	name string
	err  error
}

func (t *table) fail(n *yaml.Node, format string, arguments ...any) {
	if t.err == nil {
		t.err = fmt.Errorf("%s:%d: %s", t.name, n.Line, fmt.Sprintf(format, arguments...))
	}
}

// pairs are the keys and values of a mapping.
func (t *table) pairs(n *yaml.Node, what string, each func(key, value *yaml.Node)) {
	switch {
	case n == nil: // it is missing, which has been said
		return
	case n.Kind == yaml.DocumentNode && len(n.Content) == 1:
		n = n.Content[0]
	}
	if n.Kind != yaml.MappingNode {
		if what == "" {
			what = "the file"
		}
		t.fail(n, "%s must be a mapping", what)
		return
	}
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		if seen[key.Value] {
			t.fail(key, "%q is there twice", key.Value)
		}
		seen[key.Value] = true
		each(key, n.Content[i+1])
	}
}

// mapping returns the values of a mapping that must have just these keys; one that ends in
// a question mark may be missing.
func (t *table) mapping(n *yaml.Node, what string, keys ...string) map[string]*yaml.Node {
	values := map[string]*yaml.Node{}
	var must []string
	for i, key := range keys {
		name, may := strings.CutSuffix(key, "?")
		if keys[i] = name; !may {
			must = append(must, name)
		}
	}
	t.pairs(n, what, func(key, value *yaml.Node) {
		if !slices.Contains(keys, key.Value) {
			t.fail(key, "unknown key %q; known are %s", key.Value, strings.Join(keys, ", "))
		}
		values[key.Value] = value
	})
	for _, key := range must {
		if n != nil && values[key] == nil {
			t.fail(n, "%s is missing", strings.TrimPrefix(what+"."+key, "."))
		}
	}
	return values
}

// inCurrencies returns what a mapping has for each currency.
func inCurrencies[T any](t *table, n *yaml.Node, what string, read func(*yaml.Node) T) map[string]T {
	all := map[string]T{}
	t.pairs(n, what, func(key, value *yaml.Node) {
		if !currencyForm.MatchString(key.Value) {
			t.fail(key, "%q is no currency: it must be three capital letters", key.Value)
		}
		all[key.Value] = read(value)
	})
	return all
}

func (t *table) tiers(n *yaml.Node) (tiers []tier) {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		t.fail(n, "the tiers must be a list")
		return nil
	}
	for i, item := range n.Content {
		values := t.mapping(item, "a tier", "from", "price")
		next := tier{t.number(values["from"]), t.number(values["price"])}
		switch {
		case i == 0 && next.from != 0:
			t.fail(item, "the first tier must be from 0")
		case i > 0 && next.from <= tiers[i-1].from:
			t.fail(item, "a tier must be from more than the one before it")
		}
		tiers = append(tiers, next)
	}
	return tiers
}

// yearlyPlans are in order of their size.
func (t *table) yearlyPlans(n *yaml.Node) (plans []yearlyPlan) {
	if n.Kind != yaml.SequenceNode {
		t.fail(n, "the plans must be a list")
		return nil
	}
	for i, item := range n.Content {
		values := t.mapping(item, "a plan", "cu", "price")
		next := yearlyPlan{t.above0(values["cu"]), t.number(values["price"])}
		if i > 0 && next.cu <= plans[i-1].cu {
			t.fail(item, "a plan must have more cu than the one before it")
		}
		plans = append(plans, next)
	}
	return plans
}

const highest = 1e12 // of all numbers

func (t *table) number(n *yaml.Node) (number float64) {
	if n == nil {
		return 0
	}
	if err := n.Load(&number); err != nil || !(number >= 0 && number <= highest) {
		t.fail(n, "%q: it must be a number from 0 to 10^12", n.Value)
	}
	return number
}

func (t *table) above0(n *yaml.Node) float64 {
	number := t.number(n)
	if n != nil && number == 0 {
		t.fail(n, "it must be above 0")
	}
	return number
}

func (t *table) price(n *yaml.Node) *float64 {
	number := t.number(n)
	return &number
}

func (t *table) date(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	if !dateForm.MatchString(n.Value) {
		t.fail(n, "%q: the date must be like 2025-11-30", n.Value)
	}
	return n.Value
}
