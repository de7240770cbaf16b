package org.pikv4j.bench.speed;

import java.util.List;
import org.pikv4j.model.AttentionWeights;
import org.pikv4j.model.FeedForwardSpec;
import org.pikv4j.model.FeedForwardWeights;
import org.pikv4j.model.LayerWeights;
import org.pikv4j.model.Linear;
import org.pikv4j.model.LoadedModel;
import org.pikv4j.model.SwiGlu;

/** The bytes of weights that one decode step cannot do without: each active weight once. */
final class ActiveBytes {
    private ActiveBytes() {}

    static long of(LoadedModel model) {
        long bytes = bytes(model.weights().output());
        for (int l = 0; l < model.weights().layers().size(); l++) {
            LayerWeights layer = model.weights().layers().get(l);
            AttentionWeights attention = layer.attention();
            bytes += bytes(attention.query())
                    + bytes(attention.key())
                    + bytes(attention.value())
                    + bytes(attention.output());
            bytes += switch (layer.feedForward()) {
                case FeedForwardWeights.Dense(SwiGlu block) -> bytes(block);
                case FeedForwardWeights.Sparse sparse ->
                    bytes(sparse, (FeedForwardSpec.Sparse)
                            model.config().layers().get(l).feedForward());
            };
        }
        return bytes;
    }

    private static long bytes(FeedForwardWeights.Sparse sparse, FeedForwardSpec.Sparse spec) {
        long shared = sparse.shared()
                .map(expert -> bytes(expert.block()) + bytes(expert.gate()))
                .orElse(0L);
        return bytes(sparse.router()) + spec.topK() * bytes(sparse.experts().getFirst()) + shared;
    }

    private static long bytes(SwiGlu block) {
        return List.of(block.gate(), block.up(), block.down()).stream()
                .mapToLong(ActiveBytes::bytes)
                .sum();
    }

    private static long bytes(Linear linear) {
        return linear.weight().data().byteSize();
    }
}
