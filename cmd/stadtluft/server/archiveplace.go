package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"stadtluft/export/api"
	"stadtluft/export/archive"
	"stadtluft/export/archive/bucket"
	"stadtluft/export/archive/remote"
)

const (
	// agreedArchive is the name under which processes of several machines have the id of their archive.
	agreedArchive = "archive"
	// claimEvery is the interval at which a process looks again whether its archive is the right one.
	claimEvery = time.Minute
	// sendEvery is the interval at which a process tells the others which days have changed.
	sendEvery = 10 * time.Second

	bucketScheme = "s3://"
)

// archiveFolder returns the folder of this machine in which the archive lies, or in which its days are built.
func (c *Config) archiveFolder() string {
	if c.archiveElsewhere() {
		return filepath.Join(c.Data, archiveFolder)
	}
	return cmp.Or(c.Archive, filepath.Join(c.Data, archiveFolder))
}

// cityArchive returns where a city has its archive that says nothing of its own: below the installation's, or where it is read from a
// process, at the same address by the city's host name.
func (c *Config) cityArchive(id string) string {
	switch {
	case c.Archive == "" || c.archiveOverHTTP():
		return c.Archive
	case c.archiveElsewhere():
		return strings.TrimSuffix(c.Archive, "/") + "/" + id
	}
	return filepath.Join(c.Archive, id)
}

// archiveElsewhere reports whether the archive is on another machine.
func (c *Config) archiveElsewhere() bool { return strings.Contains(c.Archive, "://") }

// archiveOverHTTP reports whether the archive is read from another process, and cannot be written.
func (c *Config) archiveOverHTTP() bool {
	return strings.HasPrefix(c.Archive, "http://") || strings.HasPrefix(c.Archive, "https://")
}

// archiveFiles returns the files of an archive on another machine; nil for a folder.
func (c *Config) archiveFiles() archive.Files {
	if c.archiveOverHTTP() {
		return remote.OverHTTP(strings.TrimSuffix(c.Archive, "/")+"/", c.Host())
	}
	if b, err := c.archiveBucket(); c.archiveElsewhere() && err == nil { // validated with the configuration
		return b
	}
	return nil
}

func (c *Config) archiveBucket() (*bucket.Bucket, error) {
	name, prefix, _ := strings.Cut(strings.TrimPrefix(c.Archive, bucketScheme), "/")
	return bucket.Open(bucket.Options{Endpoint: c.S3Endpoint, Region: c.S3Region, AccessKey: c.S3AccessKey, SecretKey: c.S3SecretKey, Bucket: name, Prefix: strings.Trim(prefix, "/")})
}

// validateArchive checks where the archive lies.
func (c *Config) validateArchive(m *mistakes, taken roles) {
	inBucket := strings.HasPrefix(c.Archive, bucketScheme)
	m.check(!c.archiveElsewhere() || inBucket || c.archiveOverHTTP(), "archive: %q is neither a folder nor s3://BUCKET/PREFIX nor the address of a process with the role write, such as https://write.internal:8080/archive/", c.Archive)
	m.check(!c.archiveOverHTTP() || !taken.has(writeRole, aggregateRole), "archive: %s can only be read: processes with the roles write and aggregate need a folder or s3://BUCKET/PREFIX", c.Archive)
	set := c.S3Endpoint != "" || c.S3Region != "" || c.S3AccessKey != "" || c.S3SecretKey != ""
	m.check(inBucket || !set, "archive.s3: archive names no bucket, such as s3://stadtluft/archive")
	if !inBucket {
		return
	}
	m.check(isOrigin(c.S3Endpoint), "archive.s3.endpoint: %q is not the address of a server, such as https://s3.eu-central-1.amazonaws.com", c.S3Endpoint)
	m.check((c.S3AccessKey == "") == (c.S3SecretKey == ""), "archive.s3.access_key and archive.s3.secret_key: set both or none")
	name, _, _ := strings.Cut(strings.TrimPrefix(c.Archive, bucketScheme), "/")
	m.check(name != "", "archive: %q names no bucket", c.Archive)
	if isOrigin(c.S3Endpoint) {
		_, err := c.archiveBucket()
		m.check(err == nil, "archive: %v", err)
	}
}

// claimArchive returns an error when the archive is another installation's, or not the one that the deployment's processes share. With
// make, one that says nothing is made the installation's, and the first process's archive becomes the shared one.
func claimArchive(ctx context.Context, b *base, make bool) error {
	a, ours := b.storage.Archive, b.registry.Deployment()
	err := a.Belongs(ours)
	if make && err == nil {
		err = a.Adopt(ctx, ours)
	}
	if err != nil || !b.shared() {
		return err
	}
	_, own, err := a.Installation()
	if err != nil {
		return err
	}
	agreed, err := b.registry.Agreed(ctx, agreedArchive)
	if err == nil && agreed == "" && make {
		if own, err = a.Name(ctx); err == nil {
			agreed, err = b.registry.Agree(ctx, agreedArchive, own)
		}
	}
	if err != nil || agreed == own || agreed == "" {
		return err
	}
	return fmt.Errorf("the archive %s is not the one that the other processes use: its id is %q, theirs %q", a.Place(), own, agreed)
}

// archiving returns the part that archives closed days and deletes them from the store. It must run in the writer's
// process: nothing is deleted while something of its day is being written. It does nothing with an archive that is not that
// of the deployment.
func archiving(b *base) part {
	p := b.storage.archiving()
	if !b.shared() && !b.config.archiveElsewhere() {
		return p
	}
	run := p.run
	p.run = func(ctx context.Context) error {
		for failed := false; ; failed = true {
			err := claimArchive(ctx, b, true)
			if err == nil {
				return run(ctx)
			}
			if !failed && ctx.Err() == nil {
				b.log.Error("nothing is archived, and nothing deleted from the store, retrying", "err", err)
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(claimEvery):
			}
		}
	}
	return p.while(b.leases.write)
}

// archivePlace returns the part that says whether the process reads the archive that the others use, and tells them which days have
// changed.
func archivePlace(b *base) part {
	a := b.storage.Archive
	return part{
		name: "archive's place",
		run: func(ctx context.Context) error {
			for failed := false; ; {
				err := a.SendMarks(ctx)
				if err != nil && !failed && ctx.Err() == nil {
					b.log.Warn("the archive is not told which days have changed, retrying", "err", err)
				}
				if err == nil && failed {
					b.log.Info("the archive is told again which days have changed")
				}
				failed = err != nil
				select {
				case <-ctx.Done():
					return nil
				case <-time.After(sendEvery):
				}
			}
		},
		problems: func(ctx context.Context, add addProblem) {
			err := claimArchive(ctx, b, false)
			if asked, ok := a.Files.(interface{ Problem() error }); ok {
				err = errors.Join(err, asked.Problem())
			}
			if err != nil {
				add("archive", notice{err}, "look at archive: it must be the one that write, aggregate and web share, or a copy of it with its file "+archive.InstallationFile+", and be reached from here; archived days are missing here meanwhile, and changed days are archived later")
			}
		},
	}
}

// archiveSite serves the archive of a process without the pages to those that read it over HTTP.
type archiveSite struct{ *base }

func (a archiveSite) serve(s *api.Server) { s.Archive = a.storage.Archive }
