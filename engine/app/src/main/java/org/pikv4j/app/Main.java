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
        subcommands = {
            RunCommand.class,
            ChatCommand.class,
            InspectCommand.class,
            PlanCommand.class,
            BackendsCommand.class,
            RoutersCommand.class,
            LogitsCommand.class,
            CalibrateCommand.class
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  pikv4j run --prompt-file document.txt       ask the demo model about a text",
            "  pikv4j inspect --model Qwen/Qwen3-30B-A3B   what a model is, and what fits",
            "  pikv4j COMMAND --help                       all options of a command"
        })
public final class Main {
    @Mixin
    private final CommonOptions common = new CommonOptions();

    public static void main(String[] args) {
        System.exit(Cli.run(new Main(), args));
    }
}
