package org.pikv4j.app;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.pikv4j.PiKV;
import org.pikv4j.backend.BackendStatus;
import org.pikv4j.cli.CommonOptions;
import org.pikv4j.cli.ExitCodes;
import org.pikv4j.cli.Json;
import org.pikv4j.cli.Output;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Lists the backends, the preferred one first. */
@Command(
        name = "backends",
        description = "Say which backends can run here, and what would mend the others.",
        footer = {"", "The first that is available is what --backend auto takes."})
final class BackendsCommand implements Callable<Integer> {
    @Option(names = "--json", description = "Print a list of objects instead.")
    private boolean json;

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before it runs anything
    private CommandSpec spec;

    /** One backend as JSON tells of it: {@code detail} where it is available, else {@code reason} and {@code remedy}. */
    record Entry(
            String name, boolean available, Optional<String> detail, Optional<String> reason, Optional<String> remedy) {

        static Entry of(String name, BackendStatus status) {
            return switch (status) {
                case BackendStatus.Available(String detail) ->
                    new Entry(name, true, Optional.of(detail), Optional.empty(), Optional.empty());
                case BackendStatus.Unavailable(String reason, String remedy) ->
                    new Entry(name, false, Optional.empty(), Optional.of(reason), Optional.of(remedy));
            };
        }
    }

    @Override
    public Integer call() {
        List<Entry> entries = new ArrayList<>();
        for (Map.Entry<String, BackendStatus> backend : PiKV.backends().entrySet()) {
            entries.add(Entry.of(backend.getKey(), backend.getValue()));
        }
        Output output = Output.of(spec);
        if (json) {
            output.println(Json.line(entries));
        } else {
            entries.forEach(entry -> output.println(line(entry)));
        }
        return ExitCodes.OK;
    }

    private static String line(Entry entry) {
        String status = entry.available()
                ? "available: " + entry.detail().orElse("")
                : "not available: " + entry.reason().orElse("") + "; "
                        + entry.remedy().orElse("");
        return String.format("%-8s %s", entry.name(), status);
    }
}
