package org.pikv4j.calibration;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.model.LayerSpec;
import org.pikv4j.model.ModelConfig;

/**
 * The rank of each layer: numbers stored per token and KV head, for keys and as many for values.
 *
 * <pre>
 *   text = part (';' part)*       '0-1=32;2-=16'
 *   part = [layers '='] rank      the first part that names a layer counts
 *   layers = N | N-M | N-
 * </pre>
 */
public final class RankChoice {
    private static final Pattern PART = Pattern.compile("\\s*(?:(\\d{1,6})(?:(-)(\\d{1,6})?)?=)?(\\d{1,6})\\s*");

    private final String text;
    private final List<Part> parts = new ArrayList<>();

    private record Part(int first, int last, int rank) {}

    private RankChoice(String text) {
        this.text = text;
    }

    /**
     * @param text the choice
     * @return what it means
     * @throws InvalidOptionException if it cannot be understood
     */
    public static RankChoice parse(String text) {
        RankChoice choice = new RankChoice(text);
        for (String part : text.split(";", -1)) {
            Matcher matcher = PART.matcher(part);
            if (!matcher.matches()) {
                throw new InvalidOptionException("rank: '" + part.strip() + "' is not of the form [LAYERS=]RANK");
            }
            int first = matcher.group(1) == null ? 0 : Integer.parseInt(matcher.group(1));
            int last = matcher.group(1) == null || matcher.group(2) != null ? Integer.MAX_VALUE : first;
            last = matcher.group(3) == null ? last : Integer.parseInt(matcher.group(3));
            choice.parts.add(new Part(first, last, Integer.parseInt(matcher.group(4))));
        }
        return choice;
    }

    /**
     * @param config a model
     * @throws InvalidOptionException if a layer has no rank, or one below 1 or above its head dim
     */
    public void check(ModelConfig config) {
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
        return parts.stream()
                .filter(part -> part.first() <= layer && layer <= part.last())
                .findFirst()
                .map(Part::rank)
                .orElseThrow(() -> new InvalidOptionException("rank '" + text + "' says nothing of layer " + layer));
    }
}
