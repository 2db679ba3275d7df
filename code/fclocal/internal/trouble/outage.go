package trouble

import (
	"errors"
	"strings"
	"time"

	"fclocal/internal/option"
)

// An Outage is a time in which no call reaches the function, as when the database
// behind it is away. From and To count from the begin of the run; To is no longer in it.
type Outage struct{ From, To time.Duration }

// Outages are the value of a flag, too: FROM-TO,..., which may be repeated.
type Outages []Outage

func (o Outages) hold(at time.Duration) bool {
	for _, outage := range o {
		if at >= outage.From && at < outage.To {
			return true
		}
	}
	return false
}

// Type is the flag's.
func (*Outages) Type() string { return "outages" }

func (o *Outages) String() string {
	var texts []string
	for _, outage := range *o {
		texts = append(texts, outage.From.String()+"-"+outage.To.String())
	}
	return strings.Join(texts, ",")
}

var errOutage = errors.New("it must be FROM-TO since the start, such as 10s-70s, with TO after FROM; several are divided by commas")

// Set adds outages. An error is one for pflag, which says of which flag and value.
func (o *Outages) Set(text string) error {
	added := *o
	for one := range strings.SplitSeq(text, ",") {
		var outage Outage
		from, to, _ := strings.Cut(one, "-")
		err := errors.Join(option.Days{Duration: &outage.From}.Set(from), option.Days{Duration: &outage.To}.Set(to))
		if err != nil || outage.From < 0 || outage.To <= outage.From {
			return errOutage
		}
		added = append(added, outage)
	}
	*o = added
	return nil
}
