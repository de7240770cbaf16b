package org.pikv4j.bench.routing;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.pikv4j.PiKV;
import org.pikv4j.bench.Machine;
import org.pikv4j.bench.OutDirectory;
import org.pikv4j.bench.PolicyList;
import org.pikv4j.bench.ReadBandwidth;
import org.pikv4j.bench.quality.EvaluationFile;
import org.pikv4j.bench.quality.EvaluationOptions;
import org.pikv4j.bench.quality.ExactDocument;
import org.pikv4j.bench.routing.RoutingReport.Row;
import org.pikv4j.bench.routing.RoutingRun.Contender;
import org.pikv4j.cli.CommonOptions;
import org.pikv4j.cli.ExitCodes;
import org.pikv4j.cli.FormOptions;
import org.pikv4j.cli.Interruption;
import org.pikv4j.cli.ModelRunOptions;
import org.pikv4j.cli.ModelSource;
import org.pikv4j.cli.Output;
import org.pikv4j.cli.PolicyOption;
import org.pikv4j.cli.Progress;
import org.pikv4j.cli.ShardingOptions;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.session.Engine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Compares routers. */
@Command(
        name = "routing",
        // What picocli makes of a list that must not be empty says everything twice.
        customSynopsis = "pikv4j-bench routing [OPTIONS] --data FILE.jsonl...",
        description = "Compare routers: attention mass, recall, bytes read, loads, messages, time of a choice.",
        footer = {
            "",
            "The document is read exactly; each token of the questions and answers reads k of the expert shards of each layer and KV"
                    + " head, and is compared with the exact attention. clairvoyant knows it, and is the bound; largest takes the"
                    + " shards that hold most. Mass is also compared with that of hash at equal bytes, for which hash is tried at"
                    + " other k, too."
        })
public final class RoutingCommand implements Callable<Integer> {
    /** Small pages, of which each expert has some in a short document. */
    private static final int PAGE_TOKENS = 16;

    private static final int PREFILL_CHUNK = 64;

    private static final List<String> WHAT = List.of("expert", "page");

    @Option(
            names = "--routers",
            paramLabel = "LIST",
            description = "The routers, as --route of other commands spells them, without k, with ; or , between"
                    + " (default: ${DEFAULT-VALUE}); hash and clairvoyant are always among them.")
    private List<String> routers =
            List.of("topk,topk-balanced,eplb,hierarchical,largest,cache-aware,adaptive,query-centroid");

    @Option(
            names = "--k",
            paramLabel = "LIST",
            split = ",",
            description = "Numbers of shards to read (default: 1,2,4).")
    private List<Integer> ks = List.of(1, 2, 4);

    @Option(
            names = "--by",
            paramLabel = "LIST",
            split = ",",
            description = "What makes pages belong to a shard: expert, page (default: expert,page).")
    private List<String> by = List.of("expert", "page");

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Of the bootstrap that gives the intervals of means (default: ${DEFAULT-VALUE}).")
    private long seed = 1;

    @Mixin
    private final EvaluationOptions evaluations = new EvaluationOptions();

    @Mixin
    private final OutDirectory out = new OutDirectory();

    @Mixin
    private final FormOptions options = new FormOptions("bf16", new ModelRunOptions(PAGE_TOKENS, PREFILL_CHUNK));

    @Mixin
    private final PolicyOption policy = new PolicyOption();

    @Mixin
    private final ShardingOptions sharding = new ShardingOptions();

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before it runs anything
    private CommandSpec spec;

    @Override
    public Integer call() {
        List<Contender> contenders = contenders();
        List<EvaluationFile> files = evaluations.files();
        out.prepare();
        try (Progress progress = Progress.onStderr();
                Interruption _ = new Interruption(spec, progress);
                ModelSource model = options.model()) {
            report(measure(contenders, files, model, progress));
        }
        return ExitCodes.OK;
    }

    /** Random choice and the bound first and last. */
    private List<Contender> contenders() {
        for (int k : ks) {
            if (k < 1) {
                throw new InvalidOptionException("--k must be at least 1, not " + k);
            }
        }
        for (String what : by) {
            if (!WHAT.contains(what)) {
                throw new InvalidOptionException("--by must be expert or page, not '" + what + "'");
            }
        }
        List<Contender> contenders = new ArrayList<>();
        for (String what : new LinkedHashSet<>(by)) {
            LinkedHashSet<String> names = new LinkedHashSet<>();
            names.add(RoutingRun.RANDOM);
            routers.stream().flatMap(list -> PolicyList.split(list).stream()).forEach(names::add);
            names.remove(RoutingRun.CLAIRVOYANT);
            names.add(RoutingRun.CLAIRVOYANT);
            names.forEach(name -> contenders.add(new Contender(name, what)));
        }
        renaming(() -> contenders.forEach(contender -> contender.choice(ks.getFirst(), new ClairvoyantRouter())));
        return contenders;
    }

    /** What the library knows as route has another name here. */
    private static void renaming(Runnable action) {
        try {
            action.run();
        } catch (InvalidOptionException e) {
            throw new InvalidOptionException(String.valueOf(e.getMessage()).replaceFirst("^route", "--routers"));
        }
    }

    private RoutingReport measure(
            List<Contender> contenders, List<EvaluationFile> files, ModelSource model, Progress progress) {
        var choices = policy.choice().stream().toList();
        Supplier<PiKV.Builder> builders = () -> {
            PiKV.Builder builder = sharding.apply(options.builder(model.path(), choices));
            policy.choice().ifPresent(builder::kvPolicy);
            return builder;
        };
        try (Engine reference = options.builder(model.path(), choices)
                .kvDtype("f32")
                .progress(progress.shareOf("Loading"))
                .open()) {
            List<Integer> experts = reference.model().config().experts();
            ks.forEach(k -> renaming(() -> contenders.forEach(
                    contender -> contender.choice(k, new ClairvoyantRouter()).checked(experts))));
            double bandwidth = ReadBandwidth.measure(reference.backend().threads());
            RoutingRun run = new RoutingRun(
                    builders,
                    experts.stream()
                            .filter(count -> count > 0)
                            .min(Comparator.naturalOrder())
                            .orElseThrow(),
                    bandwidth,
                    seed);
            List<RoutingReport.File> measured = new ArrayList<>();
            for (EvaluationFile file : files) {
                List<ExactDocument> documents = file.rows().stream()
                        .map(row -> ExactDocument.read(reference, row))
                        .toList();
                List<Row> rows = run.measure(
                        contenders,
                        ks,
                        documents,
                        done -> progress.update(file.name(), done, (long) ks.size() * contenders.size()));
                measured.add(new RoutingReport.File(file.name(), documents.size(), file.questions(), rows));
            }
            return new RoutingReport(
                    Machine.here(),
                    model.name(),
                    reference.backend().description(),
                    options.kvDtype(),
                    reference.options().pageTokens(),
                    sharding.count(),
                    sharding.placement(),
                    bandwidth,
                    measured);
        }
    }

    private void report(RoutingReport report) {
        Output output = Output.of(spec);
        output.println(report.machine().line());
        output.println("%s, %s, KV %s in pages of %d tokens%s"
                .formatted(
                        report.model(),
                        report.backend(),
                        report.kvDtype(),
                        report.pageTokens(),
                        report.shards() > 0 ? ", %d shards by %s".formatted(report.shards(), report.placement()) : ""));
        report.files()
                .forEach(file -> RoutingTable.lines(file, report.shards() > 0).forEach(output::println));
        out.json("routing.json", report);
        for (RoutingReport.File file : report.files()) {
            String stem = "routing-" + file.name().replaceFirst("\\.jsonl$", "");
            for (String what : WHAT.stream().filter(by::contains).toList()) {
                out.write(
                        "%s-%s.png".formatted(stem, what).toLowerCase(Locale.ROOT),
                        path -> RoutingPictures.mass(file, what, path));
            }
            out.write(stem + "-loads.png", path -> RoutingPictures.loads(file, path));
        }
    }
}
