package main

import (
	"context"
	"fmt"

	"stadtluft/cmd/stadtluft/server"
)

// checkCmd tries every setting and connection; see server.Check.
type checkCmd struct{ rolesFlag }

func (cmd *checkCmd) Run(ctx context.Context, std streams) error {
	config, err := cmd.load()
	if err != nil {
		return fmt.Errorf("configuration:\n%w", err)
	}
	if _, err := server.ActAsOwner(config.ProcessData()); err != nil { // what root may read, the server may not
		return err
	}
	findings, wrong, width := server.Check(ctx, config), 0, 12
	for _, f := range findings {
		width = max(width, len(f.Part))
	}
	for _, f := range findings {
		fmt.Fprintf(std.out, "%-5s %-*s %s\n", f.Severity, width, f.Part, f.Text)
		if f.Severity == server.Wrong {
			wrong++
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d checks found something that keeps the server from working", wrong, len(findings))
	}
	return nil
}
