package org.pikv4j.app;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.pikv4j.PiKV;
import org.pikv4j.cache.compression.Codec;
import org.pikv4j.cache.compression.Codecs;
import org.pikv4j.cache.compression.FormChoice;
import org.pikv4j.cache.compression.PageForm;
import org.pikv4j.cache.storage.CacheLayout;
import org.pikv4j.cache.storage.PageRoom;
import org.pikv4j.cache.storage.Residual;
import org.pikv4j.memory.ByteSize;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.FeedForwardSpec;
import org.pikv4j.model.LayerSpec;
import org.pikv4j.model.LoadedModel;
import org.pikv4j.model.ModelConfig;
import org.pikv4j.model.ParameterCount;
import org.pikv4j.text.Plural;

/**
 * What is known of a model; the names of the components are the names in JSON.
 *
 * @param model its directory, or what else it is called
 * @param architecture its family
 * @param layers number of layers
 * @param hidden width of the residual stream
 * @param heads query heads of a layer
 * @param kvHeads key/value heads of a layer
 * @param headDim width of a head
 * @param window tokens that a layer with a sliding window sees, if there is such a layer
 * @param experts experts of a sparse layer, if there is such a layer
 * @param expertsPerToken of which so many are used for each token
 * @param sparseLayers layers with experts
 * @param vocabulary size of the vocabulary
 * @param positions the longest context
 * @param parameters numbers that the model consists of
 * @param activeParameters those that a token touches
 * @param weightBytes bytes of the weights, mapped from disk
 * @param kvBudgetBytes what the cache may take
 * @param caches what the cache takes, by the type that it stores
 */
record Inspection(
        String model,
        String architecture,
        int layers,
        int hidden,
        int heads,
        int kvHeads,
        int headDim,
        Optional<Integer> window,
        Optional<Integer> experts,
        Optional<Integer> expertsPerToken,
        int sparseLayers,
        int vocabulary,
        int positions,
        long parameters,
        long activeParameters,
        long weightBytes,
        long kvBudgetBytes,
        List<Cache> caches) {

    /**
     * The cache in one data type.
     *
     * @param kvDtype the type
     * @param kvBytesPerToken keys and values of one token in all layers
     * @param fullContextBytes pages of one sequence that uses all positions
     * @param contextThatFits the longest sequence within the budget and the model's positions
     */
    record Cache(String kvDtype, long kvBytesPerToken, long fullContextBytes, int contextThatFits) {
        static Cache of(ModelConfig config, Codec codec, int elementBytes, long budget) {
            CacheLayout layout = CacheLayout.of(
                    config,
                    FormChoice.of(new PageForm(codec)),
                    PiKV.DEFAULT_PAGE_TOKENS,
                    Residual.DEFAULT,
                    PageRoom.NONE);
            return new Cache(
                    codec.name(),
                    config.kvBytesPerToken(elementBytes),
                    layout.sequenceBytes(config.maxPositions()),
                    layout.longestSequence(budget, config.maxPositions()));
        }
    }

    static Inspection of(String name, LoadedModel model, long budget) {
        ModelConfig config = model.config();
        // Layers may differ in these; the first stands for all in the overview, the byte counts take each as it is.
        AttentionSpec attention = config.layers().getFirst().attention();
        List<FeedForwardSpec.Sparse> sparse = new ArrayList<>();
        Optional<Integer> window = Optional.empty();
        for (LayerSpec layer : config.layers()) {
            if (layer.feedForward() instanceof FeedForwardSpec.Sparse block) {
                sparse.add(block);
            }
            if (layer.attention().window() != AttentionSpec.FULL) {
                window = Optional.of(layer.attention().window());
            }
        }
        Optional<FeedForwardSpec.Sparse> experts = sparse.stream().findFirst();
        ParameterCount parameters = ParameterCount.of(config, model.weights());
        return new Inspection(
                name,
                config.architecture(),
                config.layers().size(),
                config.hidden(),
                attention.heads(),
                attention.kvHeads(),
                attention.headDim(),
                window,
                experts.map(FeedForwardSpec.Sparse::experts),
                experts.map(FeedForwardSpec.Sparse::topK),
                sparse.size(),
                config.vocabulary(),
                config.maxPositions(),
                parameters.total(),
                parameters.active(),
                model.weightBytes(),
                budget,
                List.of(
                        Cache.of(config, Codecs.BF16, Short.BYTES, budget),
                        Cache.of(config, Codecs.F32, Float.BYTES, budget)));
    }

    /** It all as a table for people, several lines. */
    String table() {
        List<String> lines = new ArrayList<>();
        lines.add(Rows.row("model", model));
        lines.add(Rows.row(
                "architecture",
                architecture + ", " + Plural.of(layers, "layer") + ", hidden " + hidden + ", vocabulary "
                        + vocabulary));
        lines.add(Rows.row(
                "attention",
                Plural.of(heads, "query head") + ", " + Plural.of(kvHeads, "KV head") + " of " + headDim
                        + window.map(tokens -> ", sliding window of " + Plural.of(tokens, "token"))
                                .orElse("")));
        lines.add(Rows.row(
                "experts",
                experts.map(count -> count + " in " + sparseLayers + " of " + Plural.of(layers, "layer") + ", "
                                + expertsPerToken.orElse(0) + " per token")
                        .orElse("none: dense")));
        lines.add(Rows.row(
                "parameters", Rows.count(parameters) + ", " + Rows.count(activeParameters) + " active per token"));
        lines.add(Rows.row("weights", ByteSize.format(weightBytes) + ", mapped from disk"));
        lines.add(Rows.row("positions", Plural.of(positions, "token")));
        lines.add(Rows.row("KV budget", ByteSize.format(kvBudgetBytes)));
        for (Cache cache : caches) {
            lines.add(Rows.row("KV " + cache.kvDtype(), row(cache)));
        }
        return Rows.text(lines);
    }

    private String row(Cache cache) {
        String fits = cache.contextThatFits() >= positions
                ? "all positions fit, and take " + ByteSize.format(cache.fullContextBytes())
                : "room for " + Plural.of(cache.contextThatFits(), "token") + "; all positions take "
                        + ByteSize.format(cache.fullContextBytes());
        return ByteSize.format(cache.kvBytesPerToken()) + " per token; " + fits;
    }
}
