package main

import (
	"context"
	"errors"

	"stadtluft/cmd/stadtluft/server"
	"stadtluft/ingest/registry"
)

// adminTokenCmd replaces the administrator's token. A running server notices within two seconds.
type adminTokenCmd struct{ configFlag }

func (cmd *adminTokenCmd) Run(ctx context.Context, std streams) error {
	return cmd.withRegistry(ctx, func(c server.Config, r *registry.Registry) error {
		if c.AdminToken != "" {
			return usageError{errors.New("admin_token is set in the configuration, and each start sets it again: change it there")}
		}
		return server.NewAdminToken(ctx, c, r, std.out)
	})
}
