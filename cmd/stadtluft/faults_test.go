package main

import (
	"cmp"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// faultsAdmin is the administrator's token where a fault needs one.
const faultsAdmin = "7k2m9qx4vbt8w3hn5c0rz6jdpg"

// faults returns all faults, in the order of the table. A step of the wall clock is not among them: a time namespace has the monotonic
// clocks only (time_namespaces(7)), a static binary reads the clock without the C library, and the machine's clock is others' too.
func faults() []fault {
	list := []fault{
		{name: "kill -9", rounds: 50, make: (*faultRun).killed},
		{name: "kill -9 before InfluxDB", influx: true, long: true, rounds: 50, make: (*faultRun).killed},
		{name: "kill -9 behind Mosquitto", mosquitto: true, long: true, rounds: 50, make: (*faultRun).killed},
		{name: "SIGTERM", rounds: 10, make: (*faultRun).terminated},
		{name: "SIGTERM behind Mosquitto", mosquitto: true, influx: true, long: true, rounds: 10, make: (*faultRun).terminated},
		{name: "SIGSTOP", rounds: 5, make: (*faultRun).stopped},
		{name: "folder copied", rounds: 10, make: (*faultRun).copied},
		{name: "backup", rounds: 10, env: []string{"STADTLUFT_ADMIN_TOKEN=" + faultsAdmin}, make: (*faultRun).backedUp},
		{name: "file damaged", quiet: true, rounds: 75, make: (*faultRun).damaged},
		{name: "disk full", disk: "320m", rounds: 2, make: (*faultRun).full},
		{name: "overload", rounds: 1, make: (*faultRun).overloaded},
		{name: "upgrade", long: true, rounds: 1, earlier: true, make: (*faultRun).upgraded},
		{name: "little memory", rounds: 10, env: []string{"GOMEMLIMIT=24MiB"}, make: (*faultRun).outOfMemory},
		{name: "network cut", long: true, rounds: 10, make: func(r *faultRun) { r.network.cut(); r.pause(time.Second); r.network.mend() }},
		{name: "network half-open", rounds: 5, make: func(r *faultRun) { r.network.halfOpen(r.seconds()) }},
		// After the third short connection /readyz speaks of another client with the same id for a minute.
		{name: "Mosquitto restarted", mosquitto: true, rounds: 2, make: (*faultRun).brokerRestarted},
		{name: "Mosquitto away for 3 s", mosquitto: true, long: true, rounds: 2, make: (*faultRun).brokerAway},
		{name: "Mosquitto killed", mosquitto: true, loses: true, rounds: 2, make: (*faultRun).brokerKilled},
		{name: "InfluxDB killed", influx: true, rounds: 5, make: func(r *faultRun) { r.db.Stop(); r.waiting(); r.db.Restart() }},
		{name: "InfluxDB emptied", influx: true, rounds: 5, make: func(r *faultRun) { r.db.Empty() }},
		{name: "InfluxDB cut off", influx: true, long: true, rounds: 5, make: func(r *faultRun) { r.database.cut(); r.waiting(); r.database.mend() }},
		{name: "InfluxDB half-open", influx: true, rounds: 5, make: func(r *faultRun) { r.database.halfOpen(r.seconds()) }},
		{name: "InfluxDB's answer lost", influx: true, rounds: 5, make: func(r *faultRun) { r.answered(proxyAnswer{late: true}) }},
		{name: "InfluxDB hangs", influx: true, long: true, rounds: 2, make: func(r *faultRun) { r.answered(proxyAnswer{}) }},
	}
	for i, a := range []proxyAnswer{
		{status: http.StatusBadRequest, body: "<h1>400 The plain HTTP request was sent to HTTPS port</h1>"},
		{status: http.StatusUnauthorized, body: `{"code":"unauthorized","message":"unauthorized access"}`},
		{status: http.StatusNotFound, body: `{"code":"not found","message":"bucket not found"}`},
		{status: http.StatusUnprocessableEntity, body: `{"code":"unprocessable entity","message":"failure writing points to database"}`},
		{status: http.StatusTooManyRequests, body: "slow down"},
		{status: http.StatusInternalServerError, body: "internal error"},
		{status: http.StatusServiceUnavailable, body: "no upstream"},
	} {
		list = append(list, fault{name: fmt.Sprintf("InfluxDB answers %d", a.status), influx: true, long: i > 0, rounds: 5,
			make: func(r *faultRun) { r.answered(a) }})
	}
	return list
}

// killed kills the program at any moment, in every third round also while it starts.
func (r *faultRun) killed() {
	r.pause(50 * time.Millisecond)
	r.kill()
	r.begin()
	if r.round%3 == 2 {
		r.pause(300 * time.Millisecond)
		r.kill()
		r.begin()
	}
}

// terminated ends the program as systemd does.
func (r *faultRun) terminated() {
	r.t.Helper()
	r.pause(50 * time.Millisecond)
	r.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-r.done:
	case <-time.After(30 * time.Second):
		r.t.Error("the program does not end within 30 s of SIGTERM")
		r.kill()
	}
	r.begin()
}

// upgraded ends the earlier version and starts this one on its data.
func (r *faultRun) upgraded() {
	r.t.Helper()
	r.binary = ""
	r.terminated()
}

// seconds is one second, and in every second round longer than the stations wait for an acknowledgement.
func (r *faultRun) seconds() time.Duration {
	return time.Second + time.Duration(r.round%2)*6*time.Second
}

func (r *faultRun) stopped() {
	r.cmd.Process.Signal(syscall.SIGSTOP)
	<-time.After(r.seconds())
	r.cmd.Process.Signal(syscall.SIGCONT)
}

// halfOpen forwards nothing for a while, with all connections open, and then ends them.
func (n *faultyProxy) halfOpen(pause time.Duration) {
	n.flowing(false)
	<-time.After(pause)
	n.cut()
	n.flowing(true)
	n.mend()
}

func (r *faultRun) brokerRestarted() {
	r.mosquitto.stop()
	r.mosquitto.start()
}

// brokerAway stops the broker for longer than its reader takes to connect again.
func (r *faultRun) brokerAway() {
	r.mosquitto.stop()
	<-time.After(3 * time.Second)
	r.mosquitto.start()
}

func (r *faultRun) brokerKilled() {
	r.pause(50 * time.Millisecond)
	r.mosquitto.cmd.Process.Kill()
	r.mosquitto.start()
}

// waiting waits until readings wait for the store.
func (r *faultRun) waiting() {
	r.t.Helper()
	eventually(r.t, "readings to wait in the journal", func() bool { return r.metric("stadtluft_journal_unwritten") > 0 })
}

// answered lets a proxy answer in InfluxDB's place.
func (r *faultRun) answered(a proxyAnswer) {
	r.t.Helper()
	r.answers.answer.Store(&a)
	before := r.answers.given.Load()
	eventually(r.t, "some answers", func() bool { return r.answers.given.Load() > before+1 })
	r.waiting()
	r.answers.answer.Store(nil)
}

// copied copies the data folder file by file, and starts the copy.
func (r *faultRun) copied() {
	r.t.Helper()
	first, to := r.flow.first(), r.t.TempDir()
	copyFolder(r.t, r.data, to)
	r.holds(to, first)
}

// backedUp makes a backup, by command or by download, and starts with it.
func (r *faultRun) backedUp() {
	r.t.Helper()
	first, to := r.flow.first(), filepath.Join(r.t.TempDir(), "data")
	file := filepath.Join(r.t.TempDir(), "backup")
	if r.round%2 == 0 {
		succeed(r.t, "backup", file, "--data", r.data)
	} else if err := os.WriteFile(file, r.backup(faultsAdmin), 0o600); err != nil {
		r.t.Fatal(err)
	}
	succeed(r.t, "restore", file, "--data", to)
	r.holds(to, first)
}

// damaged truncates, flips a bit of, or deletes a file of the stopped program, another in each round. With that it
// starts and has everything, or says in its log or on /readyz which file it is. Then the undamaged folder is put back:
// two files damaged at a time may well be one too many.
func (r *faultRun) damaged() {
	r.t.Helper()
	eventually(r.t, "everything to be stored", func() bool { return r.metric("stadtluft_journal_unwritten") == 0 })
	var had string
	eventually(r.t, "the readings", func() bool { had = strings.Join(r.values(r.process), "\n"); return had != "" })
	r.kill()
	whole, said := r.t.TempDir(), len(r.log.String())
	copyFolder(r.t, r.data, whole)
	what := r.damage()
	r.begin()
	r.t.Logf("%s: %s", what, r.afterDamage(what, had, said))
	r.kill()
	copyFolder(r.t, whole, r.data)
	r.begin()
}

// afterDamage returns what became of a damaged file, and reports an error unless the program has what it had or names
// the file in what it has said since the start.
func (r *faultRun) afterDamage(what, had string, said int) string {
	r.t.Helper()
	var has string
	whole := false
	within(10*time.Second, func() bool {
		has = strings.Join(r.values(r.process), "\n")
		status, _ := r.ready()
		whole = status == http.StatusOK && has == had && r.stations() == len(r.senders)
		return whole || r.ended()
	})
	if whole {
		return "everything is there"
	}
	_, body := r.ready()
	text, file := r.log.String()[said:]+body, strings.Fields(what)[1]
	if !strings.Contains(text, filepath.Base(file)) {
		r.t.Errorf("%s: %d stations, readings: %s; the program does not name the file:\n%s", what, r.stations(), firstDifference(has, had), text)
		return "not everything is there"
	}
	return "the program names it"
}

// damage damages the largest of the files that had the fewest turns, and returns how and which.
func (r *faultRun) damage() (what string) {
	r.t.Helper()
	var files []string
	err := filepath.WalkDir(r.data, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	size := func(path string) int64 {
		info, err := os.Stat(path)
		if err != nil {
			r.t.Fatal(err)
		}
		return info.Size()
	}
	path := slices.MinFunc(files, func(a, b string) int {
		return cmp.Or(cmp.Compare(r.turns[numberless(a)], r.turns[numberless(b)]), cmp.Compare(size(b), size(a)))
	})
	body, err := os.ReadFile(path)
	if err != nil {
		r.t.Fatal(err)
	}
	way := []string{"truncated", "flipped", "deleted"}[r.turns[numberless(path)]%3]
	r.turns[numberless(path)]++
	switch {
	case way == "deleted":
		err = os.Remove(path)
	case way == "truncated" || len(body) == 0:
		err = os.WriteFile(path, body[:len(body)/3], 0o600)
	default:
		body[len(body)/2] ^= 4
		err = os.WriteFile(path, body, 0o600)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	name, _ := filepath.Rel(r.data, path)
	return way + " " + name
}

// numberless is the path of a file without the number of its block, which grows with each start.
func numberless(path string) string {
	return strings.TrimRight(strings.TrimSuffix(path, ".blk"), "0123456789")
}

func (r *faultRun) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// stations returns the number of public stations.
func (r *faultRun) stations() int {
	_, body := r.ask("/api/v1/stations")
	return strings.Count(body, `"Feature"`)
}

// full fills the disk to the last byte until /readyz tells it.
func (r *faultRun) full() {
	r.t.Helper()
	ballast := filepath.Join(r.data, "ballast")
	fill(r.t, ballast)
	eventually(r.t, "/readyz to speak of the disk", func() bool {
		status, body := r.ready()
		return r.ended() || status == http.StatusServiceUnavailable && strings.Contains(body, "free disk space")
	})
	if err := os.Remove(ballast); err != nil {
		r.t.Fatal(err)
	}
	var status int
	eventually(r.t, "the server to be well again, or to end", func() bool {
		status, _ = r.ready()
		return status == http.StatusOK || r.ended()
	})
	if r.ended() { // after a failed write the log accepts nothing until a restart, which systemd does
		r.begin()
	}
}

// outOfMemory gives the program, which collects garbage all the time, no more address space until it ends or the round's
// messages are through.
func (r *faultRun) outOfMemory() {
	r.t.Helper()
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", r.cmd.Process.Pid))
	if err != nil {
		r.t.Fatal(err)
	}
	var pages int
	fmt.Sscan(string(statm), &pages)
	limit := func(bytes string) {
		out, err := exec.Command("prlimit", "--pid", fmt.Sprint(r.cmd.Process.Pid), "--as="+bytes+":").CombinedOutput()
		if err != nil && !r.ended() {
			r.t.Fatalf("prlimit: %v: %s", err, out)
		}
	}
	limit(fmt.Sprint(pages * os.Getpagesize()))
	eventually(r.t, "the program to end or to go on", func() bool { return r.ended() || r.flow.still() })
	if r.ended() {
		r.begin()
	} else {
		limit("unlimited")
	}
}
