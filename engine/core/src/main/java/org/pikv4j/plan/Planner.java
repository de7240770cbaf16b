package org.pikv4j.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.pikv4j.cache.compression.BasisSource;
import org.pikv4j.cache.compression.Codecs;
import org.pikv4j.cache.compression.FormChoice;
import org.pikv4j.cache.compression.FormSpec;
import org.pikv4j.cache.compression.PageForm;
import org.pikv4j.cache.control.Auto;
import org.pikv4j.cache.routing.ExpertPlacement;
import org.pikv4j.cache.scheduling.PolicyChoice;
import org.pikv4j.cache.scheduling.TokenBudget;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.memory.ByteSize;
import org.pikv4j.session.EngineOptions;
import org.pikv4j.text.Plural;

/** Plans before anything is loaded: counts bytes, and looks for settings that fit. */
public final class Planner {
    /** With this share of the memory to spare nobody need compress anything. */
    private static final double SPARE = 0.1;

    private static final int MOST_DEVICES = 1024;

    /** From little loss to much, as the laboratory's tables have them. */
    private static final List<String> FORMS = List.of("int8", "turbo4", "turbo2");

    /** The cheapest policy among those that lose little at these shares. */
    private static final String POLICY = "keydiff";

    private static final List<Integer> SHARES = List.of(50, 25, 10);

    private final ModelShape model;
    private final EngineOptions options;
    private final Workload work;
    private final Fit fit;

    private Planner(ModelShape model, EngineOptions options, Workload work) {
        this.model = model;
        this.options = options;
        this.work = work;
        this.fit = new Fit(model, options);
    }

    /**
     * @param model the model
     * @param options how its cache is kept, and how prompts are cut
     * @param work what it is for
     * @param machine what reads the bytes, if time is wanted
     * @return the plan
     * @throws InvalidOptionException if an option does not fit the model, or the numbers are beyond what can be counted
     */
    public static MemoryPlan plan(
            ModelShape model, EngineOptions options, Workload work, Optional<StepTime.Machine> machine) {
        try {
            return new Planner(model, options, work).plan(machine);
        } catch (ArithmeticException e) {
            throw new InvalidOptionException(
                    "the plan has more bytes than can be counted: lower --context, --batch or --devices");
        }
    }

    private MemoryPlan plan(Optional<StepTime.Machine> machine) {
        List<Integer> layerExperts =
                model.layers().stream().map(LayerShape::experts).toList();
        if (work.devices() > 1 && fit.auto(work).isPresent()) {
            throw new InvalidOptionException(
                    "kv auto is planned for one device: what becomes smaller does not depend on where it is");
        }
        options.route().ifPresent(route -> route.checked(layerExperts));
        long elementBytes = model.elementBytes();
        long experts = Math.multiplyExact(model.expertParameters(), elementBytes);
        long always = Math.multiplyExact(model.alwaysParameters(), elementBytes);
        CacheBytes kv = fit.kv(work);
        Optional<OneBudgetBytes> auto = fit.auto(work);
        long kvBytes = auto.map(OneBudgetBytes::heldBytes).orElse(kv.total());
        DeviceBytes device = fit.device(work);
        boolean fits = fit.fits(work);
        Fit full = new Fit(model, unbounded());
        long copies = Math.multiplyExact(Math.addExact(always, fit.scratch(work)), work.devices());
        return new MemoryPlan(
                model.architecture(),
                model.obstacle().isEmpty(),
                model.maxPositions(),
                work.context(),
                work.batch(),
                work.devices(),
                work.memoryBytes(),
                auto.map(any -> Auto.NAME).orElse(options.forms().name()),
                model.parameters().total(),
                model.parameters().active(),
                Math.addExact(always, experts),
                experts,
                Math.multiplyExact(model.parameters().active(), elementBytes),
                model.quantization().map(ModelShape.Quantization::method),
                model.quantization().flatMap(ModelShape.Quantization::storedBytes),
                fit.cache().bytesPerToken(work.context()),
                fit.cache().windowBytes(work.context()),
                kvBytes,
                kv,
                auto,
                fit.routing(work),
                fit.scratch(work),
                Math.addExact(Math.addExact(copies, experts), Math.addExact(kvBytes, fit.routing(work))),
                device,
                fit.shards(work),
                fits,
                fit.maxContext(work),
                fit.maxBatch(work),
                full.device(work).totalBytes() <= (1 - SPARE) * work.memoryBytes(),
                paper(full),
                machine.map(with -> StepTime.of(
                        model,
                        work,
                        device,
                        (double) kvBytes / kv.total() * fit.cache().bytesPerToken(1) / model.growingElements(1),
                        with)),
                fits ? List.of() : suggestions(),
                remarks(machine, fits, kvBytes));
    }

    private PaperModel paper(Fit full) {
        // Of a sequence at its full length: a context within all windows, so that every layer counts as in the paper.
        double rho = (double) full.cache().bytesPerToken(1) / fit.cache().bytesPerToken(1);
        return PaperModel.of(model.growingElements(1), rho, work.context(), work.devices(), model.expertsPerToken());
    }

    private List<String> remarks(Optional<StepTime.Machine> machine, boolean fits, long kvBytes) {
        List<String> remarks = new ArrayList<>();
        model.obstacle().ifPresent(why -> remarks.add("the engine cannot run it: " + why));
        remarks.addAll(model.remarks());
        DeviceBytes device = fit.device(work);
        if (model.obstacle().isEmpty() && device.withoutCache() > work.memoryBytes()) {
            remarks.add("weights are mapped from disk: those that memory has no room for are read again whenever used");
        }
        if (work.context() > model.maxPositions()) {
            remarks.add("the model was made for %,d positions: the engine refuses longer contexts"
                    .formatted(model.maxPositions()));
        }
        if (options.tokenBudget().isPresent() && options.policy().isEmpty()) {
            remarks.add("without a --kv-policy, reaching a budget of "
                    + options.tokenBudget().get() + " is an error");
        }
        if (options.policy().flatMap(PolicyChoice::placement).isPresent()) {
            remarks.add("what the budget has no room for lies in a file, which is not counted");
        }
        options.shards()
                .ifPresent(groups -> remarks.add("pages shared out over "
                        + Plural.of(groups.shards().size(), "shard")
                        + " of one machine take the same bytes in all"
                        + (groups.placement() instanceof ExpertPlacement
                                ? "; placed by expert, they are as even as what tokens choose"
                                : "")));
        if (machine.isPresent()
                && (options.route().isPresent() || options.router().isPresent())) {
            remarks.add(
                    "the decode step is timed as if all of the cache were read: what a route or quest spares is to be measured");
        }
        if (fits && kvBytes > work.memoryBytes() / 2) {
            remarks.add("the cache is more than half of the memory: give run a --kv-budget of so many bytes");
        }
        return remarks;
    }

    /** Nothing compressed, nothing evicted. */
    private EngineOptions unbounded() {
        return with(FormChoice.of(new PageForm(Codecs.BF16)), Optional.empty(), Optional.empty());
    }

    private EngineOptions with(FormChoice forms, Optional<TokenBudget> budget, Optional<PolicyChoice> policy) {
        return with(forms, options.kvBudgetBytes(), budget, policy);
    }

    private EngineOptions with(long kvBudgetBytes) {
        return with(options.forms(), kvBudgetBytes, options.tokenBudget(), options.policy());
    }

    private EngineOptions with(
            FormChoice forms, long kvBudgetBytes, Optional<TokenBudget> budget, Optional<PolicyChoice> policy) {
        return new EngineOptions(
                forms,
                options.residual(),
                options.pageTokens(),
                kvBudgetBytes,
                options.prefillChunk(),
                budget,
                policy,
                options.router(),
                options.shards(),
                options.route());
    }

    private List<Suggestion> suggestions() {
        List<Suggestion> found = new ArrayList<>();
        if (fit.device(work).withoutCache() < work.memoryBytes()) {
            Optional<OneBudgetBytes> auto = fit.auto(work);
            if (auto.isEmpty()) {
                smallerForm().ifPresent(found::add);
                eviction().ifPresent(found::add);
            } else {
                auto.filter(any -> !any.keepsAll()).flatMap(this::largerBudget).ifPresent(found::add);
            }
            String loss = auto.isEmpty() ? "nothing lost" : "no token forgotten";
            int batch = fit.maxBatch(work);
            if (batch > 0) {
                add(found, "--batch " + batch, fit, work.withBatch(batch), "fewer sequences at once, " + loss);
            }
            int context = fit.maxContext(work);
            if (context > 0) {
                add(found, "--context " + context, fit, work.withContext(context), "a shorter context, " + loss);
            }
        }
        moreDevices().ifPresent(found::add);
        if (fit.withinBudget(work)) {
            long needed = fit.device(work).totalBytes();
            found.add(new Suggestion("--memory " + mebibytes(needed), needed, "a larger machine"));
        }
        return found;
    }

    private static String mebibytes(long bytes) {
        return Math.ceilDiv(bytes, 1L << 20) + "MiB";
    }

    /** The smallest budget that keeps all tokens, to a 16th. */
    private Optional<Suggestion> largerBudget(OneBudgetBytes auto) {
        long budget = Math.max(auto.budgetBytes(), auto.smallestBytes());
        while (!new Fit(model, with(budget)).withinBudget(work)) {
            budget = Math.addExact(budget, Math.ceilDiv(budget, 16));
        }
        String text = mebibytes(budget);
        return tried("--kv-budget " + text, () -> with(ByteSize.parse(text)), "all tokens fit in smaller forms");
    }

    private Optional<Suggestion> smallerForm() {
        for (String form : FORMS) {
            Optional<Suggestion> found = tried(
                    "--kv-dtype " + form,
                    () -> with(FormSpec.parse(form, BasisSource.NONE), options.tokenBudget(), options.policy()),
                    form.equals("int8") ? "nearly free in quality" : "loses some quality: measure with bench quality");
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.empty();
    }

    private Optional<Suggestion> eviction() {
        for (String form : List.of("", "int8")) {
            for (int share : SHARES) {
                String dtype = form.isEmpty() ? "" : "--kv-dtype " + form + " ";
                Optional<Suggestion> found = tried(
                        dtype + "--kv-budget " + share + "% --kv-policy " + POLICY,
                        () -> with(
                                form.isEmpty() ? options.forms() : FormSpec.parse(form, BasisSource.NONE),
                                Optional.of(new TokenBudget(0, share / 100.0)),
                                Optional.of(PolicyChoice.parse(POLICY))),
                        "forgets tokens: measure with bench quality");
                if (found.isPresent()) {
                    return found;
                }
            }
        }
        return Optional.empty();
    }

    private Optional<Suggestion> tried(String text, Supplier<EngineOptions> other, String remark) {
        try {
            Fit changed = new Fit(model, other.get());
            if (changed.fits(work)) {
                return Optional.of(new Suggestion(text, changed.device(work).totalBytes(), remark));
            }
        } catch (InvalidOptionException e) {
            // It does not fit this model, a head dim for instance: the next one may.
        }
        return Optional.empty();
    }

    private Optional<Suggestion> moreDevices() {
        if (fit.auto(work).isPresent()) {
            return Optional.empty(); // it is planned for one
        }
        for (int count = work.devices() + 1; count <= MOST_DEVICES; count++) {
            Workload more = work.withDevices(count);
            if (fit.fits(more)) {
                return Optional.of(new Suggestion(
                        "--devices " + count,
                        fit.device(more).totalBytes(),
                        "experts and pages shared out, nothing lost"));
            }
        }
        return Optional.empty();
    }

    private static void add(List<Suggestion> to, String text, Fit fit, Workload work, String remark) {
        to.add(new Suggestion(text, fit.device(work).totalBytes(), remark));
    }
}
