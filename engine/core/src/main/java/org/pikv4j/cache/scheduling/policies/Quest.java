package org.pikv4j.cache.scheduling.policies;

import org.pikv4j.cache.routing.Candidates;
import org.pikv4j.cache.routing.PageRouter;
import org.pikv4j.cache.scheduling.Highest;
import org.pikv4j.cache.scheduling.PolicyOptions;
import org.pikv4j.cache.scheduling.Protection;

/**
 * Keeps everything and reads a share of it (Tang et al., "Quest: Query-Aware Sparsity for Efficient Long-Context LLM Inference",
 * arXiv 2406.10774, §3.3): for each query, the blocks of 16 tokens whose keys could score highest, by a bound that needs only the
 * least and the largest of each element of their keys. What a query does not read today the next one can: nothing is lost for
 * good. It is judged by bytes read, not by bytes kept; the bounds add a sixteenth to the cache.
 *
 * <p>Blocks of the first tokens and the newest are always read and count as the others do. Where query heads share a KV head a
 * block has the best bound of any of them, each measured against that head's best block, since heads differ in scale. The paper
 * reads prompts in full; so does this with the prompt that a sequence begins with, and chooses for all that comes after. It also
 * reads everything in the first two layers, where attention is spread.
 *
 * <p>Options: {@code read}, the share of the blocks (0.25), and {@code dense-layers}, first layers that read everything (2).
 */
public final class Quest implements PageRouter {
    static final double READ = 0.25;
    static final int DENSE_LAYERS = 2;

    private final double read;
    private final int denseLayers;
    private final Protection protection;

    Quest(double read, int denseLayers, Protection protection) {
        this.read = read;
        this.denseLayers = denseLayers;
        this.protection = protection;
    }

    @Override
    public String name() {
        return "quest";
    }

    @Override
    public Quest with(PolicyOptions options) {
        return new Quest(
                options.real("read", read, 0, 1), options.number("dense-layers", denseLayers, 0), options.protection());
    }

    @Override
    public boolean bounds() {
        return true;
    }

    @Override
    public int choosesFrom(int layer, int prompt) {
        return layer < denseLayers ? Integer.MAX_VALUE : prompt;
    }

    @Override
    public int[] read(Candidates candidates) {
        int count = candidates.count();
        int length = candidates.position() + 1;
        float[] scores = new float[count];
        int least = 0;
        for (int b = 0; b < count; b++) {
            // The query's own block is among them: its bounds know the rows behind the query in its batch.
            boolean always = b == count - 1 || protection.coversAny(candidates.first(b), candidates.last(b), length);
            scores[b] = always ? Float.POSITIVE_INFINITY : Float.NEGATIVE_INFINITY;
            least += always ? 1 : 0;
        }
        for (int head = 0; head < candidates.boundedHeads(); head++) {
            float best = Float.NEGATIVE_INFINITY;
            for (int b = 0; b < count; b++) {
                best = scores[b] == Float.POSITIVE_INFINITY ? best : Math.max(best, candidates.bound(b, head));
            }
            for (int b = 0; b < count; b++) {
                scores[b] = Math.max(scores[b], candidates.bound(b, head) - best);
            }
        }
        return Highest.of(scores, Math.max(least, (int) Math.ceil(read * count))).stream()
                .toArray();
    }
}
