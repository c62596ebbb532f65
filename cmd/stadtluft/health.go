package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// healthCmd asks a running server whether it is ready, where nothing else could ask, as in a container without a shell.
type healthCmd struct {
	configFlag
	Live bool `help:"Ask only whether it answers, not whether everything works."`
}

// healthTime bounds the whole question.
const healthTime = 5 * time.Second

func (cmd *healthCmd) Run(ctx context.Context, std streams) error {
	config, err := cmd.loadAll() // the process says of all cities whether they are ready
	if cmd.City != "" {
		config, err = cmd.load()
	}
	if err != nil {
		return err
	}
	route := "/readyz"
	if cmd.Live {
		route = "/healthz"
	}
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, config.ListenURL()+route, nil)
	if err != nil {
		return err
	}
	request.Host = config.Host()
	// The certificate is for the name that people use, not for this host's address.
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s %s", route, response.Status, strings.TrimSpace(string(text)))
	}
	if err == nil {
		_, err = std.out.Write(text)
	}
	return err
}
