package influx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Forget deletes readings over /api/v2/delete, or with InfluxQL where that does not exist, as in 1.8.
func (s *Store) Forget(ctx context.Context, from, to time.Time) error {
	if s.isClosed() {
		return errClosed
	}
	if !from.Before(to) {
		return nil
	}
	err := s.delete(ctx, from, to)
	var answer *answerError
	if errors.As(err, &answer) && answer.status == http.StatusNotFound {
		err = s.query(ctx, `DELETE FROM "reading" WHERE `+period(from, to), http.MethodPost, func(result) error { return nil })
	}
	if err != nil {
		return fmt.Errorf("forget readings: %w", err)
	}
	return nil
}

// delete uses the interface of version 2. Its stop is inclusive.
func (s *Store) delete(ctx context.Context, from, to time.Time) error {
	body, err := json.Marshal(map[string]string{
		"start": from.UTC().Format(time.RFC3339Nano), "stop": to.Add(-1).UTC().Format(time.RFC3339Nano), "predicate": `_measurement="reading"`,
	})
	if err != nil {
		return err
	}
	values := url.Values{"org": {s.options.Org}, "bucket": {s.options.Bucket}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.address("/api/v2/delete", values), strings.NewReader(string(body)))
	if err != nil {
		return fmt.Errorf("InfluxDB: %w", err)
	}
	response, err := s.do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}
