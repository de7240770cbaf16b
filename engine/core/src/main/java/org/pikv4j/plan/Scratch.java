package org.pikv4j.plan;

import java.util.List;
import org.pikv4j.attention.AttentionWork;
import org.pikv4j.decode.Decoder;

/** What computing takes beside weights and cache: activations of the largest batch, and partial results of attention. */
final class Scratch {
    private static final long FLOAT = Float.BYTES;

    private Scratch() {}

    /**
     * @param model the model
     * @param rows rows of the largest batch
     * @param context tokens of each sequence
     * @param batch sequences
     * @return bytes, somewhat more than what is ever used at once
     * @throws ArithmeticException beyond what can be counted
     */
    static long bytes(ModelShape model, int rows, int context, int batch) {
        List<LayerShape> layers = model.layers();
        long queries = 0;
        long kept = 0;
        long gates = 1;
        long inner = 0;
        long partial = 0; // of a row: outputs, maximum and sum of every head
        long rope = 0;
        for (LayerShape layer : layers) {
            long width = (long) layer.queryHeads() * layer.queryHeadDim();
            queries = Math.max(queries, width);
            kept = Math.max(kept, layer.kv().elements());
            gates = Math.max(gates, layer.experts());
            inner = Math.max(inner, layer.innerWidth());
            partial = Math.max(partial, width + 2L * layer.queryHeads());
            rope = Math.max(rope, layer.queryHeadDim());
        }
        long row = 3L * model.hidden() + 2 * queries + kept + gates + 1 + rope + 2 * inner;
        long logits = (long) Math.min(Decoder.LOGITS_ROWS, rows) * ((long) model.vocabulary() + model.hidden());
        long partials = Math.max(
                Math.multiplyExact(rows, partial),
                Math.multiplyExact(
                        (long) Math.ceilDiv(context, AttentionWork.SPLIT_TOKENS) * Math.min(batch, rows), partial));
        return Math.multiplyExact(FLOAT, Math.addExact(Math.addExact(Math.multiplyExact(rows, row), logits), partials));
    }
}
