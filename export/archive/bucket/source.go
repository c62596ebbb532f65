package bucket

import (
	"context"
	"io"
	"path"
	"regexp"
	"strings"

	"github.com/minio/minio-go/v7"

	"stadtluft/export/archive/remote"
)

// source is a Bucket as a remote.Source.
type source struct{ *Bucket }

// revision matches the folder of a revision.
var revision = regexp.MustCompile(`^\d{4}/\d{2}/\d{2}/r\d+$`)

// List lists all objects but marks and unfinished revisions.
func (s source) List(ctx context.Context, known string) ([]remote.Entry, string, error) {
	version, err := s.version(ctx)
	if err != nil || version == known {
		return nil, version, s.asked("list", err)
	}
	prefix := ""
	if s.o.Prefix != "" {
		prefix = s.o.Prefix + "/"
	}
	objects, err := s.list(ctx, prefix)
	if err != nil {
		return nil, "", s.asked("list", err)
	}
	finished := map[string]bool{}
	for _, object := range objects {
		if path.Base(object.Key) == sumsName {
			finished[path.Dir(object.Key)] = true
		}
	}
	var files []remote.Entry
	for _, object := range objects {
		name := strings.TrimPrefix(object.Key, prefix)
		unfinished := revision.MatchString(path.Dir(name)) && !finished[path.Dir(object.Key)]
		if !unfinished && !strings.HasPrefix(name, marksFolder) && !strings.HasSuffix(name, "/") {
			files = append(files, remote.Entry{Name: name, Bytes: object.Size, Modified: object.LastModified.UTC(), Version: object.ETag})
		}
	}
	return files, version, nil
}

// Read gets a part of an object.
func (s source) Read(ctx context.Context, file remote.Entry, p []byte, offset int64) error {
	if len(p) == 0 {
		return nil
	}
	var options minio.GetObjectOptions
	if err := options.SetRange(offset, offset+int64(len(p))-1); err != nil {
		return err
	}
	object, err := s.client.GetObject(ctx, s.o.Bucket, s.key(file.Name), options)
	if err == nil {
		defer object.Close()
		_, err = io.ReadFull(object, p)
	}
	return s.asked("read", err)
}
