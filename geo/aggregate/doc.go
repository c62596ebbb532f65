// Package aggregate is the hot path: good values in, grid averages out. A cell's value is the mean of
// its stations' means, so a chatty station does not outvote a quiet one. It keeps the last two days
// and a bit in memory, is rebuilt from the journal on start, and gives the same rows whatever the
// order in which the same values arrive and however often each arrives.
//
// It knows neither messages nor stores: samples go in, rows come out, and rows belong to the caller.
package aggregate
