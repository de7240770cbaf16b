package org.pikv4j.bench;

import org.pikv4j.bench.compression.CompressionCommand;
import org.pikv4j.bench.jmh.JmhCommand;
import org.pikv4j.bench.model.MakeModelCommand;
import org.pikv4j.bench.quality.QualityCommand;
import org.pikv4j.bench.recall.RecallCommand;
import org.pikv4j.bench.routing.RoutingCommand;
import org.pikv4j.bench.scaling.ScalingCommand;
import org.pikv4j.bench.simulate.SimulateCommand;
import org.pikv4j.bench.speed.RunCommand;
import org.pikv4j.cli.Cli;
import org.pikv4j.cli.CommonOptions;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** The command line of the benchmarks. */
@Command(
        name = "pikv4j-bench",
        description = "Benchmarks, the comparison of backends and the quality laboratory.",
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n",
        subcommands = {
            MakeModelCommand.class,
            RecallCommand.class,
            RunCommand.class,
            CompressionCommand.class,
            QualityCommand.class,
            SimulateCommand.class,
            ScalingCommand.class,
            RoutingCommand.class,
            JmhCommand.class
        })
public final class Main {
    @Mixin
    private final CommonOptions common = new CommonOptions();

    public static void main(String[] args) {
        System.exit(Cli.run(new Main(), args));
    }

    static CommandLine commandLine() {
        return Cli.commandLine(new Main());
    }
}
