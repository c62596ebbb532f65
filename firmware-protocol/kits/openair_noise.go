package kits

import (
	"fmt"
	"strings"

	"stadtluft/firmware-protocol/quantity"
	"stadtluft/firmware-protocol/wire"
)

// openairNoise decodes a noise station's statistics on /opennoise/{mac}/dba_stats: six numbers with commas,
//
//	min,max,average,variance,mean,count
//
// in dB(A) over a minute. It takes "mean", the mean of energies and thus the equivalent level: it is never below
// "average", the arithmetic mean. A mean below the average, or outside min and max, is refused.
func openairNoise(payload []byte, s Settings) Message {
	if last := s.Part[strings.LastIndexByte(s.Part, '/')+1:]; last != "" && last != "dba_stats" {
		return Message{} // telemetry
	}
	fields := strings.SplitN(strings.TrimSpace(string(payload)), ",", 7)
	if len(fields) != 6 {
		return malformed("six numbers are needed: min,max,average,variance,mean,count")
	}
	var numbers [6]float64
	for i, name := range []string{"min", "max", "average", "variance", "mean", "count"} {
		n, ok := ParseNumber(fields[i])
		if !ok {
			return refused(wire.Refusal{Reason: wire.NotANumber, Field: name, Detail: fmt.Sprintf("%q is a number, not %s", name, quote(fields[i]))})
		}
		numbers[i] = n
	}
	const rounding = 0.1 // dB
	low, high, average, mean, count := numbers[0], numbers[1], numbers[2], numbers[4], numbers[5]
	var d draft
	switch {
	case count < 1:
		d.refuse(wire.NoValues, "count", "nothing was measured in this minute")
	case mean < low-rounding || mean > high+rounding || mean < average-rounding:
		d.refuse(wire.Contradictory, "mean", fmt.Sprintf("the energetic mean %v lies below the average %v or outside %v to %v", mean, average, low, high))
	default:
		d.put(meaning{quantity: quantity.NoiseLAeq}, "mean", mean)
	}
	d.end(wire.Reading{})
	return d.done()
}
