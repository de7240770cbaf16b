package org.pikv4j.bench.simulate;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.pikv4j.backend.Backend;
import org.pikv4j.backend.BackendOptions;
import org.pikv4j.backend.Backends;
import org.pikv4j.bench.OutDirectory;
import org.pikv4j.bench.PolicyList;
import org.pikv4j.bench.simulate.SimulationReport.Mode;
import org.pikv4j.bench.simulate.SimulationReport.Source;
import org.pikv4j.cache.scheduling.CachePolicy;
import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.PolicyChoice;
import org.pikv4j.cache.scheduling.policies.BuiltInPolicies;
import org.pikv4j.cli.CommonOptions;
import org.pikv4j.cli.ExitCodes;
import org.pikv4j.cli.Interruption;
import org.pikv4j.cli.Output;
import org.pikv4j.cli.Progress;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.trace.Trace;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Replays policies on recorded runs. */
@Command(
        name = "simulate",
        // What picocli makes of a list that must not be empty says everything twice.
        customSynopsis = "pikv4j-bench simulate [OPTIONS] --trace FILE...",
        description = "Replay eviction policies on recorded runs, without the model, beside the clairvoyant bound.",
        footer = {
            "",
            "pikv4j run --trace FILE records a run. Only steps after the cut are judged, reuse is looked at in all of them."
        })
public final class SimulateCommand implements Callable<Integer> {
    /** The cut behind the prompt. */
    private static final String PROMPT = "prompt";

    private static final Pattern CUT =
            Pattern.compile("(?<number>[1-9]\\d{0,8})|" + PROMPT + "(-(?<before>\\d{1,9}))?");

    private static final String UNCALIBRATED = "needs a calibration of the model, which a trace does not hold";

    /** Shares counted in tokens are met to a page: the smallest show most. */
    private static final int DEFAULT_PAGE_TOKENS = 16;

    @Option(
            names = "--trace",
            paramLabel = "FILE",
            required = true,
            arity = "1..*",
            description = "Recorded runs; what comes of them is averaged, weighted by steps.")
    private List<Path> files = new ArrayList<>();

    @Option(
            names = "--policies",
            paramLabel = "LIST",
            description = "The policies, as --kv-policy of other commands spells them, with ; or , between (default:"
                    + " all built-in ones that need neither the model nor a calibration).")
    private List<String> policies = List.of();

    @Option(
            names = "--budgets",
            paramLabel = "LIST",
            split = ",",
            description = "Shares of the tokens before the cut, for each layer and KV head, those that are protected"
                    + " included (default: 0.75,0.5,0.25,0.125).")
    private List<Double> budgets = List.of(0.75, 0.5, 0.25, 0.125);

    @Option(
            names = "--cut",
            paramLabel = "N",
            description = "How many tokens stand before the cut: a number, prompt, or prompt-N for N fewer (default:"
                    + " ${DEFAULT-VALUE}).")
    private String cut = PROMPT;

    @Option(names = "--held", description = "Also have the budget held all the time, while the prompt is read, too.")
    private boolean held;

    @Option(
            names = "--page-tokens",
            paramLabel = "N",
            description = "Tokens per page of the cache, a multiple of 16 (default: ${DEFAULT-VALUE}).")
    private int pageTokens = DEFAULT_PAGE_TOKENS;

    @Option(
            names = "--backend",
            paramLabel = "NAME",
            description = "What computes: auto, vector or scalar (default: ${DEFAULT-VALUE}).")
    private String backend = Backends.AUTO;

    @Mixin
    private final OutDirectory out = new OutDirectory();

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before it runs anything
    private CommandSpec spec;

    @Override
    public Integer call() {
        if (pageTokens < 16 || pageTokens % 16 != 0) {
            throw new InvalidOptionException("--page-tokens must be a positive multiple of 16, not " + pageTokens);
        }
        for (double budget : budgets) {
            if (!(budget > 0 && budget <= 1)) {
                throw new InvalidOptionException("--budgets must be shares above 0 and up to 1, not " + budget);
            }
        }
        Map<String, PolicyChoice> chosen = chosen();
        List<Source> sources = new ArrayList<>();
        for (Path file : files) {
            sources.add(source(file, chosen));
        }
        out.prepare();
        try (Progress progress = Progress.onStderr();
                Interruption _ = new Interruption(spec, progress);
                Backend opened = new Backends(List.of()).open(backend, BackendOptions.defaults())) {
            List<Mode> modes = held ? List.of(Mode.CUT, Mode.HELD) : List.of(Mode.CUT);
            Simulation simulation = new Simulation(chosen, budgets, modes, pageTokens, opened, progress);
            for (int i = 0; i < files.size(); i++) {
                try (Trace trace = Trace.open(files.get(i))) {
                    simulation.add(trace, sources.get(i).cut());
                }
            }
            report(new SimulationReport(sources, pageTokens, simulation.rows(), simulation.reuse()));
        }
        return ExitCodes.OK;
    }

    private void report(SimulationReport report) {
        Output output = Output.of(spec);
        SimulationTable.lines(report).forEach(output::println);
        out.json("simulate.json", report);
        out.write("simulate-hits.png", file -> SimulationPictures.hitRate(report, file));
        out.write("simulate-mass.png", file -> SimulationPictures.mass(report, file));
        out.write("simulate-reuse.png", file -> SimulationPictures.reuse(report, file));
    }

    private Map<String, PolicyChoice> chosen() {
        Map<String, PolicyChoice> chosen = new LinkedHashMap<>();
        if (policies.isEmpty()) {
            for (CachePolicy policy : BuiltInPolicies.ALL) {
                PolicyChoice choice = new PolicyChoice(policy);
                if (obstacle(choice).isEmpty()) {
                    chosen.put(policy.name(), choice);
                }
            }
        }
        policies.stream()
                .flatMap(list -> PolicyList.split(list).stream())
                .forEach(policy -> chosen.put(policy, parse(policy)));
        return chosen;
    }

    private PolicyChoice parse(String policy) {
        PolicyChoice choice = PolicyList.parse(policy);
        if (choice.router().isPresent()) {
            budgets.forEach(budget -> Simulation.reading(policy, budget));
        }
        obstacle(choice).ifPresent(obstacle -> {
            throw new InvalidOptionException("--policies " + policy + ": " + obstacle);
        });
        return choice;
    }

    /** Why a policy cannot be replayed. */
    private static Optional<String> obstacle(PolicyChoice choice) {
        if (choice.placement().isPresent()) {
            return Optional.of("forgets nothing, and reads everything");
        }
        if (choice.eviction().flatMap(EvictionPolicy::replay).isPresent()) {
            return Optional.of("has the model read text again, and there is no model here");
        }
        return choice.eviction().flatMap(EvictionPolicy::fitted).map(policy -> UNCALIBRATED);
    }

    private Source source(Path file, Map<String, PolicyChoice> chosen) {
        try (Trace trace = Trace.open(file)) {
            List<AttentionSpec> layers =
                    trace.layers().stream().map(Trace.Layer::spec).toList();
            chosen.values().forEach(policy -> PolicyList.check(policy, layers));
            int position = cut(trace);
            for (double budget : budgets) {
                int tokens = Simulation.tokens(budget, position);
                chosen.forEach((name, policy) -> {
                    int least =
                            policy.protection().sinks() + policy.protection().window();
                    if (tokens < least) {
                        throw new InvalidOptionException(
                                "--budgets %s: %d of %d tokens are fewer than the %d that %s protects"
                                        .formatted(budget, tokens, position, least, name));
                    }
                });
            }
            return new Source(file.toString(), trace.model(), trace.length(), position, trace.length() - position);
        }
    }

    private int cut(Trace trace) {
        Matcher matcher = CUT.matcher(cut);
        if (!matcher.matches()) {
            throw new InvalidOptionException("--cut must be a number of tokens, prompt or prompt-N, not '" + cut + "'");
        }
        int position = matcher.group("number") != null
                ? Integer.parseInt(matcher.group("number"))
                : trace.promptTokens()
                        - Optional.ofNullable(matcher.group("before"))
                                .map(Integer::parseInt)
                                .orElse(0);
        if (position < 1) {
            throw new InvalidOptionException(
                    "--cut " + cut + ": the prompt of " + trace.path() + " has " + trace.promptTokens() + " tokens");
        }
        if (position >= trace.length()) {
            throw new InvalidOptionException("--cut " + cut + ": nothing comes after " + position + " tokens in "
                    + trace.path() + ", which has " + trace.length());
        }
        return position;
    }
}
