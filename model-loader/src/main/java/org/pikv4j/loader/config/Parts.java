package org.pikv4j.loader.config;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.FeedForwardSpec;
import org.pikv4j.model.LayerSpec;
import org.pikv4j.model.ModelConfig;
import org.pikv4j.plan.KvShape;
import org.pikv4j.plan.LayerShape;

/**
 * What makes a model's size.
 *
 * @param hidden width of the residual stream
 * @param vocabulary rows of the embedding
 * @param maxPositions positions that the model was made for
 * @param tiedEmbeddings whether the output projection is the embedding
 * @param layers the layers
 */
record Parts(int hidden, int vocabulary, int maxPositions, boolean tiedEmbeddings, List<LayerShape> layers) {

    /** The same numbers that the loader would find in the files. */
    static Parts of(HuggingFaceConfig config) {
        ModelConfig model = config.model();
        List<LayerShape> layers = new ArrayList<>();
        for (LayerSpec layer : model.layers()) {
            layers.add(layer(model.hidden(), layer, config.biases()));
        }
        return new Parts(model.hidden(), model.vocabulary(), model.maxPositions(), model.tiedEmbeddings(), layers);
    }

    private static LayerShape layer(int hidden, LayerSpec layer, Biases biases) {
        AttentionSpec attention = layer.attention();
        long always =
                sum(attention(hidden, attention, biases.queryKeyValue(), biases.attentionOutput()), norms(hidden));
        KvShape kv = new KvShape.Heads(attention);
        return switch (layer.feedForward()) {
            case FeedForwardSpec.Dense(int width) ->
                new LayerShape(
                        kv,
                        attention.heads(),
                        attention.headDim(),
                        sum(always, block(hidden, width, biases.mlp())),
                        0,
                        0,
                        0,
                        width);
            case FeedForwardSpec.Sparse(int experts, int topK, int width, boolean _, OptionalInt shared) ->
                new LayerShape(
                        kv,
                        attention.heads(),
                        attention.headDim(),
                        sum(
                                always,
                                linear(hidden, experts, false),
                                shared.isPresent() ? gated(hidden, shared.getAsInt(), false) : 0),
                        experts,
                        topK,
                        block(hidden, width, false),
                        Math.max(width, shared.orElse(0)));
        };
    }

    /** Parameters of the four projections, and of the norms of queries and keys. */
    static long attention(int hidden, AttentionSpec spec, boolean biases, boolean outputBias) {
        long norms = switch (spec.qkNorm()) {
            case NONE -> 0;
            case PER_HEAD -> 2L * spec.headDim();
            case WHOLE_PROJECTION -> (long) spec.queryWidth() + spec.kvWidth();
        };
        return sum(
                linear(hidden, spec.queryWidth(), biases),
                linear(hidden, spec.kvWidth(), biases),
                linear(hidden, spec.kvWidth(), biases),
                linear(spec.queryWidth(), hidden, outputBias),
                norms);
    }

    /** Parameters of the norms before attention and before the feed-forward block. */
    static long norms(int hidden) {
        return 2L * hidden;
    }

    /** Parameters of a SwiGLU. */
    static long block(int hidden, int width, boolean biases) {
        long up = linear(hidden, width, biases);
        return sum(up, up, linear(width, hidden, biases));
    }

    /** Parameters of a SwiGLU beside the experts, with the gate that says how much of it counts. */
    static long gated(int hidden, int width, boolean biases) {
        return sum(block(hidden, width, biases), hidden);
    }

    /** All numbers together; an {@link ArithmeticException} where that is beyond counting. */
    static long sum(long... numbers) {
        return Arrays.stream(numbers).reduce(0, Math::addExact);
    }

    /** Parameters of a linear map. */
    static long linear(long in, long out, boolean bias) {
        return Math.addExact(Math.multiplyExact(in, out), bias ? out : 0);
    }
}
