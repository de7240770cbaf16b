package org.pikv4j.plan;

import java.util.List;
import org.pikv4j.cache.routing.SequenceRouting;
import org.pikv4j.cache.routing.TokenExperts;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.session.EngineOptions;

/** What the engine knows of a sequence's experts, on the heap beside its pages, where it places pages or reads some of them. */
final class RoutingBytes {
    private RoutingBytes() {}

    /**
     * @param model the model
     * @param options how its cache is kept
     * @param cache the same cache in pages
     * @param context tokens of a sequence
     * @return bytes for that sequence; 0 where there are neither shards nor a route
     * @throws ArithmeticException beyond what can be counted
     */
    static long of(ModelShape model, EngineOptions options, CacheModel cache, int context) {
        if (options.shards().isEmpty() && options.route().isEmpty()) {
            return 0;
        }
        long bytes = 0;
        List<LayerShape> layers = model.layers();
        for (int i = 0; i < layers.size(); i++) {
            LayerShape layer = layers.get(i);
            if (layer.experts() > 0) {
                bytes = Math.addExact(bytes, TokenExperts.bytes(context));
                long pages = cache.fullPages(i, context);
                bytes = Math.addExact(
                        bytes,
                        options.route()
                                .map(choice -> switch (layer.kv()) {
                                    case KvShape.Heads(AttentionSpec attention) ->
                                        SequenceRouting.bytes(
                                                choice,
                                                layer.experts(),
                                                attention.kvHeads(),
                                                attention.headDim(),
                                                pages);
                                    case KvShape.Latent latent ->
                                        SequenceRouting.bytes(
                                                choice, layer.experts(), 1, Math.toIntExact(latent.elements()), pages);
                                })
                                .orElse(0L));
            }
        }
        return bytes;
    }
}
