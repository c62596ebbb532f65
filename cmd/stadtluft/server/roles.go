package server

import (
	"fmt"
	"slices"
	"strings"
)

// role is a part of the server that can run in a process of its own. A process with all roles is a complete server.
type role string

const (
	intakeRole    role = "ingest"    // from brokers and HTTP deliveries through the checks to the journal
	writeRole     role = "write"     // from the journal to the store, and from there to the archive
	aggregateRole role = "aggregate" // checks hours, writes averages, recomputes them, publishes them over MQTT
	webRole       role = "web"       // the API and the pages
)

// roles are the roles of a process, each once, sorted as in everyRole.
type roles []role

var everyRole = roles{intakeRole, writeRole, aggregateRole, webRole}

// readers are the roles that need averages in memory.
var readers = roles{aggregateRole, webRole}

// parseRoles parses names separated by commas.
func parseRoles(text string) (roles, error) {
	var named roles
	for name := range strings.SplitSeq(text, ",") {
		r := role(strings.TrimSpace(name))
		if !slices.Contains(everyRole, r) {
			return nil, fmt.Errorf("%q is none of %s", r, everyRole)
		}
		named = append(named, r)
	}
	return slices.DeleteFunc(slices.Clone(everyRole), func(r role) bool { return !slices.Contains(named, r) }), nil
}

func (r roles) String() string {
	names := make([]string, len(r))
	for i, one := range r {
		names[i] = string(one)
	}
	return strings.Join(names, ",")
}

// has reports whether r has at least one of the roles.
func (r roles) has(one ...role) bool {
	return slices.ContainsFunc(r, func(taken role) bool { return slices.Contains(one, taken) })
}

// all reports whether r has all roles.
func (r roles) all() bool { return len(r) == len(everyRole) }
