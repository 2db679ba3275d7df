package result

import "fmt"

// A Race is a data race of the function, as Go's race detector has found it.
type Race struct {
	Where   string `json:"where"`   // function, file and line of the two that race
	Reports int    `json:"reports"` // instances tell of it once each
	Text    string `json:"-"`       // the first report
}

// RacesFound says how many there are and where.
func RacesFound(races []Race) string {
	text := fmt.Sprintf("%d data races: ", len(races))
	if len(races) == 1 {
		text = "1 data race: "
	}
	for i, race := range races {
		if i > 0 {
			text += "; "
		}
		text += race.Where
	}
	return text
}
