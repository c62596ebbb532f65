// Package aggregate computes grid averages from good values. A cell's value is the mean of its stations' means, so a
// station that sends often does not outvote one that sends rarely. It keeps the values of a little more than two days
// in memory, and for a day longer what tells the intervals of sensors. It is rebuilt from the journal on start, and returns the same rows whatever the order in which the same
// values arrive and however often each arrives.
//
// It is on the path of every reading and imports neither messages nor stores: samples go in, rows come out, and rows
// belong to the caller.
package aggregate
