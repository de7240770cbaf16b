package org.pikv4j.bench.quality;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.pikv4j.bench.Machine;
import org.pikv4j.bench.OutDirectory;
import org.pikv4j.bench.PolicyList;
import org.pikv4j.bench.quality.QualityReport.Measurement;
import org.pikv4j.cache.scheduling.KvBudget;
import org.pikv4j.cache.scheduling.PolicyChoice;
import org.pikv4j.cli.CommonOptions;
import org.pikv4j.cli.ExitCodes;
import org.pikv4j.cli.FormOptions;
import org.pikv4j.cli.Interruption;
import org.pikv4j.cli.ModelRunOptions;
import org.pikv4j.cli.ModelSource;
import org.pikv4j.cli.Output;
import org.pikv4j.cli.Progress;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.session.Engine;
import org.pikv4j.session.EngineOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The laboratory: what each policy keeps under each budget, and what is lost with the rest. */
@Command(
        name = "quality",
        // What picocli makes of a list that must not be empty says everything twice.
        customSynopsis = "pikv4j-bench quality [OPTIONS] --data FILE.jsonl...",
        description = "Compare what policies forget under budgets: recall, attention, the next token, bytes, speed.",
        footer = {
            "",
            "The data is that of the command recall. The exact cache is the reference of hit rate, attention mass and KL: each step"
                    + " of the question and of the right answer is compared with it. A share of the tokens is never less than"
                    + " what a policy protects."
        })
public final class QualityCommand implements Callable<Integer> {
    /** Small pages keep nearly the tokens that a budget means. */
    private static final int PAGE_TOKENS = 16;

    private static final int PREFILL_CHUNK = 64;

    @Option(
            names = "--policies",
            paramLabel = "LIST",
            description =
                    "The policies, as --kv-policy of other commands spells them, with ; or , between: 'h2o;snapkv:queries=32';"
                            + " random keeps any tokens, auto spends a share of the bytes as --kv auto does, kv-dtype=int4 is the"
                            + " whole cache in a form, belady those that the question and its answer will look at"
                            + " (default: ${DEFAULT-VALUE}).")
    private List<String> policies = List.of("keydiff,h2o,snapkv,tova,streaming-llm,random");

    @Option(
            names = "--budgets",
            paramLabel = "LIST",
            split = ",",
            description = "Shares of the tokens that stay in each layer and KV head (default: ${DEFAULT-VALUE}).")
    private List<Double> budgets = List.of(1.0, 0.75, 0.5, 0.25, 0.125);

    @Option(
            names = "--modes",
            paramLabel = "LIST",
            split = ",",
            description =
                    "When tokens are forgotten: cut, once between document and question; cut-aware, once behind the"
                            + " question; held, all the time (default: ${DEFAULT-VALUE}).")
    private List<String> modes = Mode.labels();

    @Option(
            names = "--sessions",
            paramLabel = "N",
            description = "Documents worked on at once (default: ${DEFAULT-VALUE}).")
    private int sessions = 4;

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
    private final CommonOptions common = new CommonOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before it runs anything
    private CommandSpec spec;

    @Override
    public Integer call() {
        QualityPlan plan = plan();
        if (options.kvBudget().flatMap(KvBudget::tokens).isPresent()) {
            throw new InvalidOptionException(
                    "--kv-budget: what a session may keep are the --budgets; name bytes alone");
        }
        List<EvaluationFile> files = evaluations.files();
        out.prepare();
        try (Progress progress = Progress.onStderr();
                Interruption _ = new Interruption(spec, progress);
                ModelSource model = options.model()) {
            return run(plan, model, files, progress);
        }
    }

    private QualityPlan plan() {
        if (sessions < 1) {
            throw new InvalidOptionException("--sessions must be at least 1, not " + sessions);
        }
        for (double share : budgets) {
            if (!(share > 0 && share <= 1)) {
                throw new InvalidOptionException("--budgets must be above 0 and at most 1, not " + share);
            }
        }
        QualityPlan plan = new QualityPlan(
                distinct(policies.stream()
                        .flatMap(list -> PolicyList.split(list).stream())
                        .map(Contender::new)
                        .toList()),
                distinct(modes.stream().map(Mode::of).toList()),
                distinct(budgets),
                sessions);
        for (Contender contender : plan.contenders()) {
            contender.check(plan.shares());
            if (contender.policy().flatMap(PolicyChoice::placement).isPresent()) {
                throw new InvalidOptionException("--policies " + contender.text()
                        + " forgets nothing, and reads everything: it is not measured here");
            }
            if (contender.text().contains(Clairvoyant.NAME) && !contender.clairvoyant()) {
                throw new InvalidOptionException("--policies " + contender.text() + ": belady stands alone");
            }
            if (plan.modes().stream().noneMatch(contender::standsIn)) {
                throw new InvalidOptionException(
                        "--policies " + contender.text() + " is measured in --modes cut alone");
            }
        }
        return plan;
    }

    private static <T> List<T> distinct(List<T> values) {
        return List.copyOf(new LinkedHashSet<>(values));
    }

    private int run(QualityPlan plan, ModelSource model, List<EvaluationFile> files, Progress progress) {
        KvBudget budget = options.kvBudget().orElse(KvBudget.DEFAULT);
        // What the form of the cache loses shows in the row without a policy.
        List<PolicyChoice> choices = plan.contenders().stream()
                .flatMap(contender -> contender.policy().stream())
                .toList();
        try (Engine reference = options.builder(model.path(), choices)
                .kvDtype("f32")
                .kvBudget(budget)
                .progress(progress.shareOf("Loading"))
                .open()) {
            choices.forEach(choice -> PolicyList.check(choice, ExactDocument.specs(reference)));
            QualityRun run = new QualityRun(plan, reference, () -> options.builder(model.path(), choices), budget);
            return run(plan, model, files, run, reference, progress);
        }
    }

    private int run(
            QualityPlan plan,
            ModelSource model,
            List<EvaluationFile> files,
            QualityRun run,
            Engine reference,
            Progress progress) {
        Output output = Output.of(spec);
        EngineOptions how = reference.options();
        output.println(Machine.here().line());
        output.println("%s, %s, KV %s; pages of %d tokens, prefill chunks of %d, %d documents at once"
                .formatted(
                        model.name(),
                        reference.backend().description(),
                        options.kvDtype(),
                        how.pageTokens(),
                        how.prefillChunk(),
                        plan.sessions()));
        List<Measurement> all = new ArrayList<>();
        for (EvaluationFile file : files) {
            Results results = run.measure(file, (done, total) -> progress.update(file.name(), done, total));
            for (Mode mode : plan.modes()) {
                List<Measurement> measurements =
                        QualityReport.measurements(file.name(), plan.conditions(mode), results, seed);
                all.addAll(measurements);
                output.println("");
                QualityTable.lines(mode, measurements).forEach(output::println);
                pictures(plan, mode, file, measurements, results, reference);
            }
        }
        output.println("");
        output.println(
                "kept, KV kept: tokens and bytes of a session before the questions come; KV peak: all sessions at once, with"
                        + " their forks; read: tokens that");
        output.println("steps attended to; ±: 95% over documents; tok/s: an answer's, beside others");
        out.json(
                "quality.json",
                new QualityReport(
                        Machine.here(),
                        reference.backend().description(),
                        model.name(),
                        options.kvDtype(),
                        how.pageTokens(),
                        how.prefillChunk(),
                        plan.sessions(),
                        seed,
                        plan.shares(),
                        all));
        return ExitCodes.OK;
    }

    private void pictures(
            QualityPlan plan,
            Mode mode,
            EvaluationFile file,
            List<Measurement> measurements,
            Results results,
            Engine engine) {
        String name = "-" + mode.label() + "-" + file.name().replaceFirst("\\.jsonl$", "") + ".png";
        String of = file.name() + ", " + mode.label();
        out.write(
                "recall" + name,
                path -> QualityPictures.curves(
                        "Right answers, " + of,
                        measurements,
                        "share of right answers",
                        m -> m.recall().mean(),
                        path));
        out.write(
                "mass" + name,
                path -> QualityPictures.curves(
                        "Attention mass that is still there, " + of,
                        measurements,
                        "share of the exact softmax",
                        m -> m.attentionMass().mean(),
                        path));
        List<QualityPictures.Retained> retained = retained(plan, mode, results, engine);
        if (!retained.isEmpty()) {
            out.write("retained" + name, path -> QualityPictures.retained(retained, path));
        }
    }

    private static List<QualityPictures.Retained> retained(
            QualityPlan plan, Mode mode, Results results, Engine engine) {
        List<AttentionSpec> specs = ExactDocument.specs(engine);
        List<String> rows = IntStream.range(0, specs.size())
                .boxed()
                .flatMap(layer -> IntStream.range(0, specs.get(layer).kvHeads()).mapToObj(head -> layer + "." + head))
                .toList();
        List<QualityPictures.Retained> retained = new ArrayList<>();
        for (Contender contender : plan.contenders(mode)) {
            if (contender.evicts() && !contender.clairvoyant() && !contender.auto()) {
                results.example(new Condition(mode, contender.text(), plan.shown()))
                        .ifPresent(kept -> retained.add(new QualityPictures.Retained(
                                contender.text() + ", " + Contender.plain(plan.shown()) + " of the tokens, layer.head",
                                kept.tokens(),
                                rows,
                                kept.positions())));
            }
        }
        return retained;
    }
}
