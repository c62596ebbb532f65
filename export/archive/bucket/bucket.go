// Package bucket keeps an archive in an S3-compatible object store.
//
// The objects' names are those of the files, below a prefix. A revision counts when its SHA256SUMS is there, which is written last, and
// no object of it is ever replaced: two processes that build one day at a time do not mix their files (If-None-Match, which Amazon, Ceph,
// MinIO and others know, and what is there is compared before SHA256SUMS is written; who removes files just then is kept out by the lease
// of the role write alone).
//
//	PREFIX/.changed       replaced after each change, so that one request tells whether a list is still valid
//	PREFIX/.marks/NAME    marks of days that have something the archive does not have yet
package bucket

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"stadtluft/export/archive/remote"
)

const (
	changedName = ".changed"
	marksFolder = ".marks/"
	probeName   = ".check"
	// sumsName is the file of a revision that is written last.
	sumsName = "SHA256SUMS"
	// patience bounds a request but for an upload, retries included.
	patience = 20 * time.Second
	// uploadTime bounds the upload of a file.
	uploadTime = 10 * time.Minute
	// retries is how often the library tries a request.
	retries = 3
)

// Options name a bucket and who uses it.
type Options struct {
	Endpoint  string // such as https://s3.eu-central-1.amazonaws.com
	Region    string // empty: the library asks, or takes us-east-1
	AccessKey string // empty: a bucket that anyone may read
	SecretKey string
	Bucket    string
	Prefix    string // of all names, without a slash at its end; may be empty
}

// Bucket is an archive.Files in a bucket, and an archive.Marks. It is safe for concurrent use.
type Bucket struct {
	*remote.FS
	client *minio.Client
	o      Options
}

// Open returns the archive in a bucket. It asks nothing.
func Open(o Options) (*Bucket, error) {
	endpoint, err := url.Parse(o.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("S3: %w", err)
	}
	secure := endpoint.Scheme == "https"
	transport, err := minio.DefaultTransport(secure)
	if err != nil {
		return nil, fmt.Errorf("S3: %w", err)
	}
	transport.DialContext = (&net.Dialer{Timeout: patience / 4}).DialContext
	creds := credentials.NewStatic(o.AccessKey, o.SecretKey, "", credentials.SignatureV4)
	if o.AccessKey == "" {
		creds = credentials.NewStatic("", "", "", credentials.SignatureAnonymous)
	}
	client, err := minio.New(endpoint.Host, &minio.Options{Creds: creds, Secure: secure, Region: o.Region, Transport: http.RoundTripper(transport), MaxRetries: retries})
	if err != nil {
		return nil, fmt.Errorf("S3: %w", err)
	}
	b := &Bucket{client: client, o: o}
	b.FS = remote.New(source{b})
	return b, nil
}

// String returns the bucket's address.
func (b *Bucket) String() string {
	return strings.TrimSuffix("s3://"+path.Join(b.o.Bucket, b.o.Prefix), "/") + " at " + b.o.Endpoint
}

// key returns the name of an object.
func (b *Bucket) key(name string) string { return path.Join(b.o.Prefix, name) }

// asked says what was asked of whom in an error.
func (b *Bucket) asked(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %s: %w", b, what, err)
}

// Check returns an error when the bucket is missing, or does not let the keys do what is needed: with write also make, replace and remove
// an object.
func (b *Bucket) Check(ctx context.Context, write bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := b.list(ctx, b.key(marksFolder)+"/")
	if err == nil && write {
		if _, err = b.put(ctx, probeName, []byte("may be removed")); err == nil {
			err = b.remove(ctx, probeName)
		}
	}
	return b.asked("check", err)
}

// Publish uploads the files of a folder, SHA256SUMS last. It first removes what an upload has left that was not finished.
func (b *Bucket) Publish(ctx context.Context, folder, name string) error {
	if err := b.begin(ctx, name); err != nil {
		return b.asked("publish "+name, err)
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	slices.SortStableFunc(files, func(x, y os.DirEntry) int { // the sums last
		switch {
		case x.Name() == sumsName:
			return 1
		case y.Name() == sumsName:
			return -1
		}
		return 0
	})
	var added []remote.Entry
	for _, file := range files {
		if file.Name() == sumsName {
			if err := b.unmixed(ctx, name, added); err != nil {
				return b.asked("publish "+name, err)
			}
		}
		entry, err := b.upload(ctx, filepath.Join(folder, file.Name()), path.Join(name, file.Name()))
		if err != nil {
			return b.asked("publish "+name, err)
		}
		added = append(added, entry)
	}
	return b.asked("publish "+name, b.changed(ctx, added))
}

// begin makes room for a folder that is published. One that is there already, perhaps without our knowledge, is made known to all.
func (b *Bucket) begin(ctx context.Context, name string) error {
	short, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	left, err := b.list(short, b.key(name)+"/")
	if err != nil {
		return err
	}
	for _, object := range left {
		if path.Base(object.Key) == sumsName {
			return errors.Join(errors.New("it is there already"), b.changed(short, nil), b.Refresh(short))
		}
	}
	for _, object := range left {
		if err := b.client.RemoveObject(short, b.o.Bucket, object.Key, minio.RemoveObjectOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// unmixed returns an error when a folder has not the files that were added: another process builds the same day.
func (b *Bucket) unmixed(ctx context.Context, name string, added []remote.Entry) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	objects, err := b.list(ctx, b.key(name)+"/")
	if err != nil {
		return err
	}
	there := map[string]string{}
	for _, object := range objects {
		there[object.Key] = object.ETag
	}
	for _, entry := range added {
		if there[b.key(entry.Name)] != entry.Version {
			return fmt.Errorf("another process has changed %s meanwhile", entry.Name)
		}
	}
	return nil
}

// upload makes an object that must not exist.
func (b *Bucket) upload(ctx context.Context, file, name string) (remote.Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, uploadTime)
	defer cancel()
	options := minio.PutObjectOptions{DisableMultipart: true, SendContentMd5: true}
	options.SetMatchETagExcept("*")
	made, err := b.client.FPutObject(ctx, b.o.Bucket, b.key(name), file, options)
	return remote.Entry{Name: name, Bytes: made.Size, Modified: time.Now().UTC(), Version: made.ETag}, err
}

// Write makes or replaces an object.
func (b *Bucket) Write(ctx context.Context, name string, content []byte) error {
	tag, err := b.put(ctx, name, content)
	if err == nil {
		err = b.changed(ctx, []remote.Entry{{Name: name, Bytes: int64(len(content)), Modified: time.Now().UTC(), Version: tag}})
	}
	return b.asked("write "+name, err)
}

// changed tells all readers that the list has changed. When others have changed it since we read it, it is read again.
func (b *Bucket) changed(ctx context.Context, added []remote.Entry) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	before, err := b.version(ctx)
	if err != nil {
		return err
	}
	now, err := b.put(ctx, changedName, []byte(rand.Text()))
	if err == nil {
		b.Added(added, before, now)
	}
	return err
}

// AddMark makes a mark.
func (b *Bucket) AddMark(ctx context.Context, name string) error {
	_, err := b.put(ctx, marksFolder+name, nil)
	return b.asked("mark", err)
}

// RemoveMark removes a mark.
func (b *Bucket) RemoveMark(ctx context.Context, name string) error {
	return b.asked("remove a mark", b.remove(ctx, marksFolder+name))
}

// Marks returns the marks' names.
func (b *Bucket) Marks(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	objects, err := b.list(ctx, b.key(marksFolder)+"/")
	names := make([]string, len(objects))
	for i, object := range objects {
		names[i] = path.Base(object.Key)
	}
	return names, b.asked("list marks", err)
}

// put makes or replaces an object and returns its ETag.
func (b *Bucket) put(ctx context.Context, name string, content []byte) (tag string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	made, err := b.client.PutObject(ctx, b.o.Bucket, b.key(name), bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{})
	return made.ETag, err
}

func (b *Bucket) remove(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return b.client.RemoveObject(ctx, b.o.Bucket, b.key(name), minio.RemoveObjectOptions{})
}

// list returns the objects whose names begin with a prefix.
func (b *Bucket) list(ctx context.Context, prefix string) ([]minio.ObjectInfo, error) {
	var list []minio.ObjectInfo
	for object := range b.client.ListObjectsIter(ctx, b.o.Bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if object.Err != nil {
			return nil, object.Err
		}
		list = append(list, object)
	}
	return list, nil
}

// version returns what changes with each change; a word where nothing was changed yet.
func (b *Bucket) version(ctx context.Context) (string, error) {
	info, err := b.client.StatObject(ctx, b.o.Bucket, b.key(changedName), minio.StatObjectOptions{})
	if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		return "unchanged", nil
	}
	return info.ETag, err
}
