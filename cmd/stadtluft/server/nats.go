package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"stadtluft/ingest/journal"
	"stadtluft/ingest/natsserver"
)

const (
	// journalBytes is the largest size of the journal, in bytes. 1,000 stations that send five values every 145 s fill
	// it in weeks.
	journalBytes = 2 << 30
	// otherBytes is the largest size of what else the embedded NATS server keeps, in bytes.
	otherBytes = 1 << 30
)

// openNATS starts the embedded NATS server, which commands can reach then, unless a cluster is configured or it runs already for
// another city. It waits for a command that uses the server's folder.
func (p *process) openNATS(ctx context.Context) (*natsserver.Server, error) {
	c := p.Config
	if c.NATSURL != "" || p.nats != nil {
		return p.nats, nil
	}
	release, err := waitForLock(ctx, c.Data, func() bool { return false })
	if errors.Is(err, errTaken) && c.several() {
		err = fmt.Errorf("%w: processes with a city each need nats.url, a NATS server with JetStream that they share", err)
	}
	if err != nil {
		return nil, err
	}
	s, err := startNATS(c, p.Log)
	if err != nil {
		release()
		return nil, err
	}
	server := closing("NATS server", func() error {
		s.Close()
		release()
		return nil
	})
	server.problems = func(_ context.Context, add addProblem) {
		add("journal", s.Problem(), "free disk space where the data folder lies")
	}
	p.sup.start(server, part{name: "NATS server watch", run: func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return nil
		case err := <-s.Failed(): // systemd starts the program again
			return err
		}
	}})
	commands, err := socketPart(c.Data, s.InProcess(), p.Log)
	if err != nil {
		return nil, err
	}
	p.sup.start(commands)
	p.nats = s
	return s, nil
}

func startNATS(c Config, log *slog.Logger) (*natsserver.Server, error) {
	return natsserver.Start(natsserver.Options{Dir: filepath.Join(c.ProcessData(), natsFolder), Sync: c.NATSSync, MaxStore: c.journals() * (journalBytes + otherBytes), Log: log})
}

// streamsFolder returns the folder in which the embedded NATS server of a data folder has its streams.
func streamsFolder(data string) string {
	return filepath.Join(data, natsFolder, "jetstream", "$G", "streams")
}

// drainOldBroker takes the messages that the embedded broker of an earlier version holds in the data folder. Where
// nats.url names a cluster, the embedded NATS server runs for that alone.
func drainOldBroker(ctx context.Context, b *base) error {
	if !exists(filepath.Join(streamsFolder(b.config.Data), journal.OldMessages)) {
		return nil
	}
	nats := b.nats
	if nats == nil {
		var err error
		if nats, err = startNATS(b.config, b.log); err != nil {
			return err
		}
		defer nats.Close()
	}
	return journal.DrainOldBroker(ctx, nats.InProcess(), b.ingress.inbox, b.log)
}
