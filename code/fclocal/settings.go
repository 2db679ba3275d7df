package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"fclocal/internal/config"
)

// newSettingsTopic is the help on what --set can override.
func newSettingsTopic() *cobra.Command {
	var long strings.Builder
	long.WriteString("Settings of s.yaml that --set overrides, by name: what they may be, their default\nand where it is from, and where they stand below props.\n\n")
	for _, s := range config.SettingsHelp() {
		fmt.Fprintf(&long, "%s\n    %s; default %s\n    %s\n", s.Name, s.Allowed, s.Default, s.Path)
	}
	return &cobra.Command{Use: "settings", Short: "What --set can override", Long: strings.TrimSpace(long.String())}
}
