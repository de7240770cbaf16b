package org.pikv4j.app;

import org.pikv4j.cli.Cli;
import org.pikv4j.cli.CommonOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** The command line of the engine. */
@Command(
        name = "pikv4j",
        description = "Runs mixture-of-experts models through a paged, budgeted KV cache.",
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n",
        subcommands = {BackendsCommand.class})
public final class Main {
    @Mixin
    private final CommonOptions common = new CommonOptions();

    public static void main(String[] args) {
        System.exit(Cli.run(new Main(), args));
    }
}
