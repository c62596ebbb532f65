package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"stadtluft/ingest/backup"
	"stadtluft/ingest/journal"
	"stadtluft/ingest/natsserver"
	"stadtluft/ingest/registry"
	"stadtluft/ingest/store/sqlite"
	"stadtluft/ingest/streams"
	"stadtluft/ingest/wholefile"
)

// serviceUser is the user of the systemd unit.
const serviceUser = "stadtluft"

// verify unpacks a backup into an empty folder and opens what is in it.
func (c *Config) verify(ctx context.Context, path, folder string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	m, err := backup.Unpack(file, folder)
	if err != nil {
		return err
	}
	return c.inspect(ctx, folder, m)
}

// Restore makes a data folder, which must be empty or missing, from a backup. It refuses one that is damaged or of a newer version, and
// leaves nothing then. When it runs as root, the folder belongs to its owner, or that being root, to the unit's user if there is one; the name is
// returned.
func Restore(ctx context.Context, c Config, from io.Reader) (m backup.Manifest, owner string, err error) {
	if c.ID != "" { // what it makes in the NATS server of all cities is the server's
		back, err := ActAsOwner(c.ProcessData())
		if err != nil {
			return m, "", err
		}
		defer back()
	}
	release, err := c.claimEmpty()
	if err != nil {
		return m, "", err
	}
	defer release()
	if m, err = c.restore(ctx, from); err != nil {
		return m, "", errors.Join(fmt.Errorf("restore: %w", err), emptyFolder(c.Data))
	}
	if owner, err = giveAway(c.Data); err != nil {
		return m, "", fmt.Errorf("restore: everything is there, but not its owner: %w", err)
	}
	return m, owner, nil
}

// claimEmpty makes the data folder, or takes one that is empty, and keeps servers out of it.
func (c *Config) claimEmpty() (release func() error, err error) {
	if err := makeDataFolder(c.Data); err != nil {
		return nil, err
	}
	list, err := os.ReadDir(c.Data)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if len(list) == 0 {
		return lockData(c.Data, everyRole)
	}
	if exists(filepath.Join(c.Data, "lock")) {
		release, err := lockData(c.Data, everyRole)
		if err != nil {
			return nil, fmt.Errorf("%w: stop it, and move the folder away", err)
		}
		release()
	}
	return nil, fmt.Errorf("the data folder %s is not empty, %s is in it: move it away", c.Data, list[0].Name())
}

func (c *Config) restore(ctx context.Context, from io.Reader) (m backup.Manifest, err error) {
	part, err := os.MkdirTemp(c.Data, ".restore-")
	if err != nil {
		return m, err
	}
	if m, err = backup.Unpack(from, part); err != nil {
		return m, err
	}
	if err := c.fits(m); err != nil {
		return m, err
	}
	if err := c.inspect(ctx, part, m); err != nil {
		return m, err
	}
	if c.NATSURL != "" || c.ID != "" {
		if err := c.restoreToOthers(ctx, part, m); err != nil {
			return m, err
		}
	}
	return m, c.settle(part, m)
}

// fits returns an error when a backup has streams under names that are not those of the configuration.
func (c *Config) fits(m backup.Manifest) error {
	for file := range m.Streams {
		if !slices.Contains(c.streamNames(), file[:max(0, len(file)-len(streamSuffix))]) {
			return fmt.Errorf("its stream %s is none of %v: set nats.prefix to what it was", file, c.streamNames())
		}
	}
	return nil
}

// settle moves what was unpacked into the data folder, and returns when it is on disk. Without the registry, which comes last, no
// server takes anything.
func (c *Config) settle(part string, m backup.Manifest) error {
	var names []string
	if c.NATSURL == "" && c.ID == "" && len(m.Streams) > 0 {
		names = append(names, natsFolder)
	}
	for _, f := range m.Files {
		if _, stream := m.Streams[f.Name]; !stream {
			names = append(names, f.Name) // the registry is the last of them
		}
	}
	if err := syncTree(part); err != nil {
		return err
	}
	for _, name := range names {
		if err := os.Rename(filepath.Join(part, name), filepath.Join(c.Data, name)); err != nil {
			return err
		}
		if err := wholefile.SyncFolder(c.Data); err != nil {
			return err
		}
	}
	return os.RemoveAll(part)
}

// inspect opens what was unpacked: the registry, the store's file, and the streams, from which it makes the folder of the embedded
// server.
func (c *Config) inspect(ctx context.Context, folder string, m backup.Manifest) error {
	deployment, stations, err := registry.CheckSnapshot(filepath.Join(folder, registry.SnapshotFile))
	if err != nil {
		return err
	}
	if deployment != m.Deployment || stations != m.Stations {
		return fmt.Errorf("its registry has %d stations of installation %s, its manifest says %d of %s", stations, deployment, m.Stations, m.Deployment)
	}
	if store := filepath.Join(folder, readingsFile); exists(store) {
		if err := sqlite.Check(ctx, store); err != nil {
			return err
		}
	}
	if len(m.Streams) == 0 {
		return nil
	}
	s, err := natsserver.Start(natsserver.Options{Dir: filepath.Join(folder, natsFolder), Sync: "10s", MaxStore: journalBytes + otherBytes, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer s.Close()
	return c.inspectStreams(ctx, s.InProcess(), folder, m)
}

// inspectStreams restores the streams on a server, and opens the journal there.
func (c *Config) inspectStreams(ctx context.Context, nats registry.InProcess, folder string, m backup.Manifest) error {
	nc, err := streams.Connect("restore", "", nats, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer nc.Close()
	for file, snapshot := range m.Streams {
		if err := restoreStream(ctx, nc, filepath.Join(folder, file), snapshot); err != nil {
			return err
		}
	}
	name := c.NATSPrefix + journalSuffix
	kept, there := m.Streams[name+streamSuffix]
	if !there {
		return nil
	}
	j, err := journal.Open(ctx, journal.Options{InProcess: nats, Stream: name, Deployment: m.Deployment, MaxBytes: journalBytes})
	if err != nil {
		return err
	}
	defer j.Close()
	stats, err := j.Stats(ctx)
	if err == nil && stats.LastSeq != kept.State.LastSeq {
		err = fmt.Errorf("the journal ends with entry %d, the manifest says %d", stats.LastSeq, kept.State.LastSeq)
	}
	return err
}

func restoreStream(ctx context.Context, nc *streams.Conn, path string, s streams.Snapshot) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return nc.Restore(ctx, s, file)
}

// restoreToOthers restores the streams that the cluster does not have, or the embedded NATS server of several cities. It refuses
// those of another deployment.
func (c *Config) restoreToOthers(ctx context.Context, folder string, m backup.Manifest) error {
	var nats registry.InProcess
	if c.NATSURL == "" {
		own, end, err := reachNATS(ctx, *c, slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		defer end()
		nats = own
	}
	nc, err := streams.Connect("restore", c.NATSURL, nats, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer nc.Close()
	for file, snapshot := range m.Streams {
		there, err := nc.Has(ctx, snapshot.Config.Name, m.Deployment)
		if err == nil && !there {
			err = restoreStream(ctx, nc, filepath.Join(folder, file), snapshot)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// syncTree writes all files and names below a folder to disk.
func syncTree(root string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return wholefile.SyncFolder(path) // the same for a file
	})
}

// giveAway makes everything in a data folder its owner's, or when that is root, the unit's user's. Only root can; it returns the user's name, empty when
// nothing changed hands.
func giveAway(data string) (name string, err error) {
	info, err := os.Stat(data)
	if os.Geteuid() != 0 || err != nil {
		return "", err
	}
	at := info.Sys().(*syscall.Stat_t)
	uid, gid := int(at.Uid), int(at.Gid)
	if uid == 0 {
		u, err := user.Lookup(serviceUser)
		if err != nil {
			return "", nil // root runs the server, as in a container
		}
		if uid, err = strconv.Atoi(u.Uid); err != nil {
			return "", err
		}
		if gid, err = strconv.Atoi(u.Gid); err != nil {
			return "", err
		}
	}
	err = filepath.WalkDir(data, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, gid)
	})
	return userName(uid), err
}
