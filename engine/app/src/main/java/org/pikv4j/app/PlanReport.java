package org.pikv4j.app;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.pikv4j.memory.ByteSize;
import org.pikv4j.plan.CacheBytes;
import org.pikv4j.plan.DeviceBytes;
import org.pikv4j.plan.MemoryPlan;
import org.pikv4j.plan.OneBudgetBytes;
import org.pikv4j.plan.PaperModel;
import org.pikv4j.plan.ShardBytes;
import org.pikv4j.plan.StepTime;
import org.pikv4j.plan.Suggestion;
import org.pikv4j.text.Plural;

/**
 * A plan, for people and programs.
 *
 * @param model what the model is called
 * @param plan what it takes; its components stand beside the name in JSON
 */
record PlanReport(String model, @JsonUnwrapped MemoryPlan plan) {
    /** More shards than this would fill the screen; JSON has them all. */
    private static final int MOST_SHARDS_ONE_BY_ONE = 8;

    /** It all as a table for people, several lines. */
    String table() {
        List<String> lines = new ArrayList<>();
        lines.add(Rows.row("model", model + ", " + plan.architecture()));
        lines.add(Rows.row(
                "planned",
                String.format(
                        Locale.ROOT,
                        "%s × %s, KV %s; %s of memory",
                        Plural.of(plan.context(), "token"),
                        Plural.of(plan.batch(), "sequence"),
                        plan.kvDtype(),
                        memory())));
        weights(lines);
        cache(lines);
        if (plan.routingBytes() > 0) {
            lines.add(Rows.row(
                    "routing",
                    ByteSize.format(plan.routingBytes())
                            + " on the heap, what is known of tokens' experts and of shards"));
        }
        lines.add(Rows.row("scratch", ByteSize.format(plan.scratchBytes()) + ", activations and partial results"));
        lines.add(Rows.row("total", ByteSize.format(plan.totalBytes())));
        if (plan.devices() > 1) {
            device(lines);
        }
        lines.add(Rows.row("paper", paper()));
        lines.add(Rows.row("", "its first term counts buffers, not bytes: no forecast"));
        plan.step().ifPresent(step -> lines.add(Rows.row("decode step", step(step))));
        lines.add(Rows.row("fits", verdict()));
        lines.add(Rows.row("at most", most()));
        for (Suggestion suggestion : plan.suggestions()) {
            lines.add(Rows.row(
                    "would fit",
                    suggestion.options() + ": " + ByteSize.format(suggestion.deviceBytes()) + ", "
                            + suggestion.remark()));
        }
        plan.remarks().forEach(remark -> lines.add(Rows.row("note", remark)));
        return Rows.text(lines);
    }

    private String memory() {
        String one = ByteSize.format(plan.memoryBytes());
        return plan.devices() == 1 ? one : plan.devices() + " × " + one;
    }

    private void weights(List<String> lines) {
        lines.add(Rows.row(
                "parameters",
                Rows.count(plan.parameters()) + ", " + Rows.count(plan.activeParameters()) + " active per token"));
        lines.add(Rows.row(
                "weights",
                ByteSize.format(plan.weightsBytes()) + ", experts " + ByteSize.format(plan.expertsBytes())
                        + ", active per token " + ByteSize.format(plan.activeWeightsBytes())));
        plan.quantization()
                .ifPresent(method -> lines.add(Rows.row(
                        "",
                        "in 16 bits; the files are " + method
                                + plan.storedWeightsBytes()
                                        .map(bytes -> ", about " + ByteSize.format(bytes))
                                        .orElse(""))));
    }

    private void cache(List<String> lines) {
        CacheBytes kv = plan.kv();
        String window = plan.kvWindowBytes() == 0
                ? ""
                : " and " + ByteSize.format(plan.kvWindowBytes()) + " for layers with a window, per sequence";
        lines.add(Rows.row("KV per token", ByteSize.format(plan.kvBytesPerToken()) + window));
        plan.auto().ifPresent(auto -> lines.add(Rows.row("KV auto", auto(auto))));
        lines.add(Rows.row(
                "KV pages",
                ByteSize.format(kv.total()) + (plan.auto().isPresent() ? " as they are filled" : "") + ": payload "
                        + ByteSize.format(kv.payloadBytes()) + ", scales " + ByteSize.format(kv.scaleBytes())
                        + ", metadata " + ByteSize.format(kv.metadataBytes())));
        lines.add(Rows.row(
                "",
                "open windows " + ByteSize.format(kv.openBytes()) + ", tail waste " + ByteSize.format(kv.tailBytes())));
        shards(lines);
    }

    private static String auto(OneBudgetBytes auto) {
        String budget = "a budget of " + ByteSize.format(auto.budgetBytes());
        if (auto.asItIs()) {
            return budget + " holds the pages as they are: nothing gets smaller";
        }
        return budget + "; pages get smaller, " + ByteSize.format(auto.smallestBytes()) + " at the smallest"
                + (auto.keepsAll() ? "" : ": tokens are forgotten, too");
    }

    private void shards(List<String> lines) {
        List<ShardBytes> shards = plan.shards();
        if (shards.size() <= MOST_SHARDS_ONE_BY_ONE) {
            shards.forEach(shard -> lines.add(Rows.row("shard " + shard.shard(), shard(shard))));
        } else {
            Comparator<ShardBytes> bySize = Comparator.comparingLong(ShardBytes::kvBytes);
            lines.add(Rows.row("least shard", shard(Collections.min(shards, bySize))));
            lines.add(Rows.row("fullest shard", shard(Collections.max(shards, bySize))));
        }
    }

    private static String shard(ShardBytes shard) {
        return String.format(
                Locale.ROOT,
                "%s of KV in %s, %.0f%% of a device's full ones",
                ByteSize.format(shard.kvBytes()),
                Plural.of(shard.kvPages(), "page"),
                100 * shard.share());
    }

    private void device(List<String> lines) {
        DeviceBytes device = plan.device();
        lines.add(Rows.row(
                "per device",
                ByteSize.format(device.totalBytes()) + ": shared weights "
                        + ByteSize.format(device.sharedWeightsBytes())
                        + ", experts " + ByteSize.format(device.expertsBytes()) + ", KV "
                        + ByteSize.format(device.kvBytes())
                        + " in "
                        + Plural.of(device.kvPages(), "page")
                        + (device.routingBytes() == 0 ? "" : ", routing " + ByteSize.format(device.routingBytes()))));
    }

    private String paper() {
        PaperModel paper = plan.paper();
        return String.format(
                Locale.ROOT,
                "M %s at S %,d; S* %.1f, M* %s, for a sequence",
                bytes(paper.memoryBytes()),
                paper.ring(),
                paper.bestRing(),
                bytes(paper.leastMemoryBytes()));
    }

    private static String bytes(double bytes) {
        return ByteSize.format(Math.round(bytes));
    }

    private static String step(StepTime step) {
        return String.format(
                Locale.ROOT,
                "%s read, %,.2f ms, %,.1f tokens/s in all",
                ByteSize.format(step.bytes()),
                step.seconds() * 1000,
                step.tokensPerSecond());
    }

    private String verdict() {
        if (plan.fits() && plan.context() > plan.positions()) {
            return "the memory, but not the model, which has " + Plural.of(plan.positions(), "position");
        }
        if (plan.fits()) {
            return plan.fullCacheFits() ? "yes; the full cache fits: no compression is needed" : "yes";
        }
        DeviceBytes device = plan.device();
        long before = device.withoutCache();
        if (before > plan.memoryBytes()) {
            return "no: " + ByteSize.format(before) + " before the first token, of "
                    + ByteSize.format(plan.memoryBytes());
        }
        return device.totalBytes() > plan.memoryBytes()
                ? "no: " + ByteSize.format(device.totalBytes()) + " of " + ByteSize.format(plan.memoryBytes())
                : plan.auto().isPresent()
                        ? "not without forgetting tokens: all of them take more than the budget at the smallest"
                        : "no: the cache is larger than its budget";
    }

    private String most() {
        String all = plan.maxContext() == plan.positions() ? ", all that the model has," : "";
        return Plural.of(plan.maxContext(), "token") + all + " with this batch, "
                + Plural.of(plan.maxBatch(), "sequence") + " of this context"
                + (plan.auto().isPresent() ? ", none forgotten" : "");
    }
}
