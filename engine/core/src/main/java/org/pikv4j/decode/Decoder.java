package org.pikv4j.decode;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.pikv4j.backend.Backend;
import org.pikv4j.backend.ExpertAssignment;
import org.pikv4j.cache.routing.GateScores;
import org.pikv4j.cache.routing.PageRouter;
import org.pikv4j.cache.storage.SequenceCache;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.AttentionWeights;
import org.pikv4j.model.FeedForwardSpec;
import org.pikv4j.model.FeedForwardWeights;
import org.pikv4j.model.LayerSpec;
import org.pikv4j.model.LayerWeights;
import org.pikv4j.model.Linear;
import org.pikv4j.model.ModelConfig;
import org.pikv4j.model.ModelWeights;
import org.pikv4j.model.RopeSpec;
import org.pikv4j.model.SwiGlu;
import org.pikv4j.shard.Shards;
import org.pikv4j.tensor.Tensor;

/**
 * The forward pass of a decoder-only transformer. A batch is ragged: rows of any number of sequences, prefill chunks and
 * decode steps mixed. Matrix products and experts run over all rows at once, attention per sequence.
 *
 * <p>Owns its activations, sized once for the largest batch. For one thread at a time.
 */
public final class Decoder {
    /** Rows of logits computed at once: they are as wide as the vocabulary, so many would be large. */
    public static final int LOGITS_ROWS = 16;

    private final ModelConfig config;
    private final ModelWeights weights;
    private final Backend backend;
    private final int maxRows;

    private final float[] residual; // (row, hidden)
    private final float[] normed; // (row, hidden)
    private final float[] projected; // (row, hidden)
    private final float[] queries; // (row, heads, headDim)
    private final float[] keys; // (row, kvHeads, headDim)
    private final float[] values; // (row, kvHeads, headDim)
    private final float[] attended; // (row, heads, headDim)
    private final float[] gates; // (row, experts)
    private final float[] ones; // (row)
    private final float[] logits; // (LOGITS_ROWS, vocabulary)
    private final float[] wanted; // (LOGITS_ROWS, hidden)
    private final Map<RopeSpec, Rotations> rotations = new HashMap<>();
    private final List<Rotations> rotationOf = new ArrayList<>(); // (layer)
    private final CachedAttention cached;
    private final ExpertAssignment assignment = new ExpertAssignment();

    /**
     * @param config the model's shape
     * @param weights its weights
     * @param backend what computes
     * @param maxRows rows of the largest batch
     * @param router chooses the pages that queries read; all where there is none
     * @param shards where pages live that are not with the backend
     */
    public Decoder(
            ModelConfig config,
            ModelWeights weights,
            Backend backend,
            int maxRows,
            Optional<PageRouter> router,
            Optional<Shards> shards) {
        this.cached = new CachedAttention(
                config.layers().stream().map(LayerSpec::attention).toList(), backend, router, shards);
        this.config = config;
        this.weights = weights;
        this.backend = backend;
        this.maxRows = maxRows;
        int queryWidth = 0;
        int kvWidth = 0;
        int gateWidth = 1;
        for (LayerSpec layer : config.layers()) {
            AttentionSpec attention = layer.attention();
            queryWidth = Math.max(queryWidth, attention.queryWidth());
            kvWidth = Math.max(kvWidth, attention.kvWidth());
            if (layer.feedForward() instanceof FeedForwardSpec.Sparse sparse) {
                gateWidth = Math.max(gateWidth, sparse.experts());
            }
            rotationOf.add(rotations.computeIfAbsent(attention.rope(), rope -> new Rotations(rope, maxRows)));
        }
        residual = new float[Math.multiplyExact(maxRows, config.hidden())];
        normed = new float[maxRows * config.hidden()];
        projected = new float[maxRows * config.hidden()];
        queries = new float[Math.multiplyExact(maxRows, queryWidth)];
        attended = new float[maxRows * queryWidth];
        keys = new float[Math.multiplyExact(maxRows, kvWidth)];
        values = new float[maxRows * kvWidth];
        gates = new float[Math.multiplyExact(maxRows, gateWidth)];
        ones = new float[maxRows];
        Arrays.fill(ones, 1f);
        int logitsRows = Math.min(LOGITS_ROWS, maxRows);
        logits = new float[Math.multiplyExact(logitsRows, config.vocabulary())];
        wanted = new float[logitsRows * config.hidden()];
    }

    /**
     * @return rows of the largest batch
     */
    public int maxRows() {
        return maxRows;
    }

    /**
     * Runs a batch. On success every sequence is longer by its span; on any exception all are as they were.
     *
     * @param batch the spans, of different sequences, at most {@link #maxRows()} rows together, with room reserved
     * @param sink receives the logits that were asked for
     */
    public void forward(List<Span> batch, LogitsSink sink) {
        try {
            run(batch, sink);
            batch.forEach(span -> span.cache().commit(span.count()));
        } catch (Throwable t) {
            batch.forEach(span -> span.cache().rollback());
            throw t;
        }
    }

    /**
     * Runs a span for the sake of who watches attention: its sequence is as it was when this returns.
     *
     * @param span at most {@link #maxRows()} rows, with {@linkplain SequenceCache#reserveForReplay room} reserved
     */
    public void rehearse(Span span) {
        span.cache().routing().ifPresent(routing -> routing.rest(true));
        try {
            run(List.of(span), (index, token, row, offset) -> {});
        } finally {
            span.cache().routing().ifPresent(routing -> routing.rest(false));
            span.cache().rollback();
        }
    }

    private void run(List<Span> batch, LogitsSink sink) {
        int rows = batch.stream().mapToInt(Span::count).sum();
        if (rows < 1 || rows > maxRows) {
            throw new IllegalArgumentException("a batch of " + rows + " rows where 1 to " + maxRows + " fit");
        }
        embed(batch);
        for (int layer = 0; layer < config.layers().size(); layer++) {
            int next = (layer + 1) % config.layers().size();
            batch.forEach(span -> span.cache().prefetch(next));
            attention(batch, rows, layer);
            feedForward(batch, rows, layer);
        }
        output(batch, sink);
    }

    private void embed(List<Span> batch) {
        Tensor embedding = weights.embedding();
        int hidden = config.hidden();
        long rowBytes = (long) hidden * embedding.dtype().bytes();
        int row = 0;
        for (Span span : batch) {
            for (int i = 0; i < span.count(); i++, row++) {
                int token = span.token(i);
                embedding.dtype().read(embedding.data(), token * rowBytes, residual, row * hidden, hidden);
                for (Rotations rotation : rotations.values()) {
                    rotation.place(row, span.cache().length() + i);
                }
            }
        }
    }

    private void attention(List<Span> batch, int rows, int layer) {
        AttentionSpec spec = config.layers().get(layer).attention();
        LayerWeights layerWeights = weights.layers().get(layer);
        AttentionWeights attention = layerWeights.attention();
        backend.normalise(rows, residual, layerWeights.attentionNorm(), config.normEpsilon(), normed);
        backend.project(
                rows,
                normed,
                List.of(attention.query(), attention.key(), attention.value()),
                List.of(queries, keys, values));
        if (spec.qkNorm() != AttentionSpec.QkNorm.NONE) {
            // A head is a row of its own where each is normalised by itself.
            boolean perHead = spec.qkNorm() == AttentionSpec.QkNorm.PER_HEAD;
            int queryRows = perHead ? rows * spec.heads() : rows;
            int keyRows = perHead ? rows * spec.kvHeads() : rows;
            backend.normalise(queryRows, queries, attention.queryNorm(), config.normEpsilon(), queries);
            backend.normalise(keyRows, keys, attention.keyNorm(), config.normEpsilon(), keys);
        }
        if (Float.isFinite(spec.clip())) {
            clip(queries, rows * spec.queryWidth(), spec.clip());
            clip(keys, rows * spec.kvWidth(), spec.clip());
            clip(values, rows * spec.kvWidth(), spec.clip());
        }
        Rotations rotation = rotationOf.get(layer);
        backend.rotate(rows, spec.heads(), spec.headDim(), queries, rotation.pairs(), rotation.cos(), rotation.sin());
        backend.rotate(rows, spec.kvHeads(), spec.headDim(), keys, rotation.pairs(), rotation.cos(), rotation.sin());

        cached.attend(layer, batch, queries, keys, values, attended, gatesBefore(batch, rows, layer));
        backend.project(rows, attended, List.of(attention.output()), List.of(projected));
        add(residual, projected, rows * config.hidden());
    }

    /** What the layer's gate says of the hidden state before attention, where somebody asks. */
    private GateScores gatesBefore(List<Span> batch, int rows, int layer) {
        LayerWeights layerWeights = weights.layers().get(layer);
        if (!(layerWeights.feedForward() instanceof FeedForwardWeights.Sparse sparse)
                || batch.stream().noneMatch(span -> asksGate(span, layer))) {
            return GateScores.NONE;
        }
        int experts = experts(layer).experts();
        backend.normalise(rows, residual, layerWeights.feedForwardNorm(), config.normEpsilon(), normed);
        backend.project(rows, normed, List.of(sparse.router()), List.of(gates));
        for (int row = 0; row < rows; row++) {
            ExpertGate.softmax(gates, row * experts, experts);
        }
        return new GateScores(gates, 0, experts);
    }

    private static boolean asksGate(Span span, int layer) {
        SequenceCache cache = span.cache();
        return cache.routing()
                .filter(routing -> routing.asksGate(layer, cache.length(), span.count(), cache.prompt()))
                .isPresent();
    }

    private FeedForwardSpec.Sparse experts(int layer) {
        return (FeedForwardSpec.Sparse) config.layers().get(layer).feedForward();
    }

    private void feedForward(List<Span> batch, int rows, int layer) {
        LayerWeights layerWeights = weights.layers().get(layer);
        backend.normalise(rows, residual, layerWeights.feedForwardNorm(), config.normEpsilon(), normed);
        switch (layerWeights.feedForward()) {
            case FeedForwardWeights.Dense(SwiGlu block) -> {
                assignment.all(rows, ones);
                backend.experts(normed, assignment, List.of(block), residual);
            }
            case FeedForwardWeights.Sparse sparse -> {
                FeedForwardSpec.Sparse spec = experts(layer);
                backend.project(rows, normed, List.of(sparse.router()), List.of(gates));
                ExpertGate.choose(rows, gates, spec, expertBias(batch, rows, layer), assignment);
                cached.routed(layer, batch, gates, spec.experts());
                backend.experts(normed, assignment, sparse.experts(), residual);
                sparse.shared().ifPresent(shared -> shared(rows, shared));
            }
        }
    }

    /** What is added to the probability of each expert when it is chosen: (row, experts), or nothing. */
    private float[] expertBias(List<Span> batch, int rows, int layer) {
        int experts = experts(layer).experts();
        float[] all = {};
        int row = 0;
        for (Span span : batch) {
            SequenceCache cache = span.cache();
            Optional<float[]> bias = cache.routing().flatMap(routing -> routing.expertBias(cache, layer, experts));
            if (bias.isPresent()) {
                all = all.length == 0 ? new float[rows * experts] : all;
                for (int i = 0; i < span.count(); i++) {
                    System.arraycopy(bias.get(), 0, all, (row + i) * experts, experts);
                }
            }
            row += span.count();
        }
        return all;
    }

    private void shared(int rows, FeedForwardWeights.Shared shared) {
        backend.project(rows, normed, List.of(shared.gate()), List.of(gates));
        for (int row = 0; row < rows; row++) {
            gates[row] = 1f / (1f + (float) Math.exp(-gates[row]));
        }
        assignment.all(rows, gates);
        backend.experts(normed, assignment, List.of(shared.block()), residual);
    }

    private void output(List<Span> batch, LogitsSink sink) {
        int hidden = config.hidden();
        int room = wanted.length / hidden;
        Span[] spans = batch.toArray(Span[]::new);
        int[] spanOf = new int[room];
        int[] indexOf = new int[room];
        int count = 0;
        int row = 0;
        for (int s = 0; s < spans.length; s++) {
            for (int i = spans[s].firstWanted(); i < spans[s].count(); i++) {
                System.arraycopy(residual, (row + i) * hidden, wanted, count * hidden, hidden);
                spanOf[count] = s;
                indexOf[count] = i;
                if (++count == room) {
                    emit(count, spanOf, indexOf, sink);
                    count = 0;
                }
            }
            row += spans[s].count();
        }
        if (count > 0) {
            emit(count, spanOf, indexOf, sink);
        }
    }

    private void emit(int count, int[] spanOf, int[] indexOf, LogitsSink sink) {
        Linear output = weights.output();
        backend.normalise(count, wanted, weights.finalNorm(), config.normEpsilon(), wanted);
        backend.project(count, wanted, List.of(output), List.of(logits));
        for (int i = 0; i < count; i++) {
            sink.accept(spanOf[i], indexOf[i], logits, i * config.vocabulary());
        }
    }

    private static void add(float[] into, float[] from, int count) {
        for (int i = 0; i < count; i++) {
            into[i] += from[i];
        }
    }

    private static void clip(float[] values, int count, float bound) {
        for (int i = 0; i < count; i++) {
            values[i] = Math.clamp(values[i], -bound, bound);
        }
    }
}
