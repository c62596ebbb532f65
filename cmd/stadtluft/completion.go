package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// completionCmd prints a script that completes commands and flags in a shell.
type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"The shell: bash, zsh or fish."`
}

func (cmd *completionCmd) Run(k *kong.Kong, std streams) error {
	known := words(k.Model.Node, "")
	if cmd.Shell == "fish" {
		return fish(std.out, known)
	}
	return bash(std.out, known, cmd.Shell == "zsh")
}

// offer is what may follow a command: words, each with its help.
type offer struct {
	command string // with spaces between its words; empty for none
	words   [][2]string
}

// words returns what may follow each command, the program itself first.
func words(node *kong.Node, command string) []offer {
	own := offer{command: command}
	list := []offer{own}
	for _, child := range node.Children {
		if child.Type != kong.CommandNode || child.Hidden {
			continue
		}
		list[0].words = append(list[0].words, [2]string{child.Name, child.Help})
		list = append(list, words(child, strings.TrimSpace(command+" "+child.Name))...)
	}
	for _, flag := range node.Flags {
		list[0].words = append(list[0].words, [2]string{"--" + flag.Name, flag.Help})
	}
	for _, p := range node.Positional {
		for _, value := range p.EnumSlice() {
			list[0].words = append(list[0].words, [2]string{value, p.Help})
		}
	}
	return list
}

// bash writes a script for bash, which zsh understands as well.
func bash(w io.Writer, known []offer, zsh bool) error {
	var s strings.Builder
	if zsh {
		s.WriteString("autoload -U +X bashcompinit && bashcompinit\n")
	}
	s.WriteString("_stadtluft() {\n  local command=() word words=''\n" +
		"  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do [[ $word == -* ]] || command+=(\"$word\"); done\n" +
		"  case \"${command[*]}\" in\n")
	slices.SortStableFunc(known, func(a, b offer) int { return strings.Count(b.command, " ") - strings.Count(a.command, " ") })
	for _, o := range known {
		pattern := "'" + o.command + "'*"
		if o.command == "" {
			pattern = "''"
		}
		var names []string
		for _, word := range o.words {
			names = append(names, word[0])
		}
		fmt.Fprintf(&s, "    %s) words='%s' ;;\n", pattern, strings.Join(names, " "))
	}
	s.WriteString("  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n" +
		"  [[ ${#COMPREPLY[@]} -gt 0 ]] || compopt -o default 2>/dev/null\n}\ncomplete -F _stadtluft stadtluft\n")
	_, err := io.WriteString(w, s.String())
	return err
}

// fish writes a script for fish.
func fish(w io.Writer, known []offer) error {
	for _, o := range known {
		when := "__fish_use_subcommand"
		if o.command != "" {
			when = "__fish_seen_subcommand_from " + o.command[strings.LastIndex(o.command, " ")+1:]
		}
		for _, word := range o.words {
			how := "-f -a " + word[0]
			if name, ok := strings.CutPrefix(word[0], "--"); ok {
				how = "-l " + name
			}
			if _, err := fmt.Fprintf(w, "complete -c stadtluft -n '%s' %s -d %q\n", when, how, word[1]); err != nil {
				return err
			}
		}
	}
	return nil
}
