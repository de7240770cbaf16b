package org.pikv4j.calibration;

import org.pikv4j.cache.compression.ByLayer;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.model.LayerSpec;
import org.pikv4j.model.ModelConfig;

/** The rank of each layer, as {@link ByLayer} reads it: numbers stored per token and KV head, for keys and as many for values. */
public final class RankChoice {
    private final ByLayer<Integer> ranks;

    private RankChoice(ByLayer<Integer> ranks) {
        this.ranks = ranks;
    }

    /**
     * @param text the choice
     * @return what it means
     * @throws InvalidOptionException if it cannot be understood
     */
    public static RankChoice parse(String text) {
        return new RankChoice(ByLayer.parse("rank", "RANK", text, RankChoice::rank));
    }

    private static int rank(String text) {
        if (!text.matches("\\d{1,6}")) {
            throw new InvalidOptionException("rank '" + text + "' is not of the form [LAYERS=]RANK");
        }
        return Integer.parseInt(text);
    }

    /**
     * @param config a model
     * @throws InvalidOptionException if a layer has no rank, or one below 1 or above its head dim, or is not there
     */
    public void check(ModelConfig config) {
        ranks.check(config.layers().size());
        int index = 0;
        for (LayerSpec layer : config.layers()) {
            int headDim = layer.attention().headDim();
            int rank = of(index);
            if (rank < 1 || rank > headDim) {
                throw new InvalidOptionException("rank must be between 1 and the head dim, which is " + headDim
                        + " in layer " + index + ", not " + rank);
            }
            index++;
        }
    }

    /**
     * @param layer index of a layer
     * @return its rank
     * @throws InvalidOptionException if none was given
     */
    public int of(int layer) {
        return ranks.of(layer);
    }
}
