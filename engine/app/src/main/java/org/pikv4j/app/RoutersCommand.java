package org.pikv4j.app;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.pikv4j.cache.routing.RouteChoice;
import org.pikv4j.cli.CommonOptions;
import org.pikv4j.cli.ExitCodes;
import org.pikv4j.cli.Json;
import org.pikv4j.cli.Output;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Lists the routers of {@code --route}. */
@Command(
        name = "routers",
        description = "List what --route may name, with the options of each and their defaults.",
        footer = {"", "Written as NAME:option=value,option=value; the README says what they do."})
final class RoutersCommand implements Callable<Integer> {
    @Option(names = "--json", description = "Print one object instead: options and their defaults, by router.")
    private boolean json;

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before it runs anything
    private CommandSpec spec;

    @Override
    public Integer call() {
        Map<String, Map<String, String>> routers = RouteChoice.defaults();
        Output output = Output.of(spec);
        if (json) {
            output.println(Json.line(routers));
        } else {
            output.print(Rows.text(lines(routers)));
        }
        return ExitCodes.OK;
    }

    /** What all have in common is said once. */
    private static List<String> lines(Map<String, Map<String, String>> routers) {
        Map<String, String> common =
                new LinkedHashMap<>(routers.values().iterator().next());
        Collection<Map<String, String>> all = routers.values();
        common.entrySet()
                .removeIf(option -> !all.stream().allMatch(of -> of.entrySet().contains(option)));
        List<String> lines = new ArrayList<>();
        routers.forEach((name, options) -> {
            Map<String, String> own = new LinkedHashMap<>(options);
            own.keySet().removeAll(common.keySet());
            lines.add(line(name, own));
        });
        lines.add(line("each of them", common));
        return lines;
    }

    private static String line(String router, Map<String, String> options) {
        String text = options.entrySet().stream()
                .map(option -> option.getKey() + "=" + option.getValue())
                .collect(Collectors.joining("  "));
        return "%-16s%s".formatted(router, text);
    }
}
