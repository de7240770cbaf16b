package org.pikv4j.cache.compression;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.pikv4j.error.InvalidOptionException;

/**
 * The forms that a text asks for:
 *
 * <pre>
 *   value = half [',' half]     keys and values; one half for both
 *   half  = term ('+' term)*    a codec, a basis, or a basis and a codec: 'int4+rotate', 'svd:32+int8'
 * </pre>
 *
 * and that {@linkplain ByLayer by layer}: '0-1=bf16;2-=int8,int4'. A basis without a codec is kept in bf16.
 */
public final class FormSpec implements FormChoice {
    /** A plus sign between terms; not one of those in {@code lora++:16}. */
    private static final Pattern PLUS = Pattern.compile("(?<!\\+)\\+(?![+:])");

    private static final List<String> FITTED = List.of("svd:R", "lora:R", "lora++:R", "prune:F", "distill:R");
    private static final String ROTATE = "rotate";

    /** What there is beside codecs that have a name. */
    static final String OTHERS = ChunkPca.PREFIX + "R, " + String.join(", ", FITTED) + "; with a rotation: int4+rotate";

    private final ByLayer<Halves> layers;
    private final BasisSource bases;

    private record Halves(Half keys, Half values) {}

    private record Half(Optional<String> basis, Codec codec) {
        boolean fitted() {
            return basis.filter(term -> !term.equals(ROTATE)).isPresent();
        }
    }

    private FormSpec(ByLayer<Halves> layers, BasisSource bases) {
        this.layers = layers;
        this.bases = bases;
    }

    /**
     * @param text the specification
     * @param bases where fitted bases come from
     * @return the choice
     * @throws InvalidOptionException if it cannot be understood
     */
    public static FormSpec parse(String text, BasisSource bases) {
        return new FormSpec(ByLayer.parse("kv-dtype", "KEYS[,VALUES]", text, FormSpec::halves), bases);
    }

    private static Halves halves(String text) {
        String[] halves = text.split(",", -1);
        if (halves.length > 2) {
            throw new InvalidOptionException("kv-dtype '" + text + "' has more than keys and values");
        }
        String keys = halves[0].strip();
        String values = halves[halves.length - 1].strip();
        if (keys.isEmpty() || values.isEmpty()) {
            throw new InvalidOptionException(
                    "kv-dtype '" + text + "': the form of " + (keys.isEmpty() ? "keys" : "values") + " is missing");
        }
        return new Halves(half(keys), half(values));
    }

    private static Half half(String text) {
        Optional<String> basis = Optional.empty();
        Optional<Codec> codec = Optional.empty();
        for (String term : PLUS.split(text, -1)) {
            if (term.isEmpty()) {
                throw new InvalidOptionException("kv-dtype '" + text + "': something is missing beside a plus sign");
            }
            if (term.equals(ROTATE) || fitted(term)) {
                basis.ifPresent(before -> refuse(text, before, term, "are bases"));
                basis = Optional.of(term);
            } else {
                Codec named = Codecs.named(term);
                codec.ifPresent(before -> refuse(text, before.name(), term, "say how numbers are stored"));
                codec = Optional.of(named);
            }
        }
        if (basis.filter(ROTATE::equals).isPresent() && codec.isEmpty()) {
            throw new InvalidOptionException("kv-dtype 'rotate' changes a number format: write int4+rotate");
        }
        if (basis.isEmpty() && codec.filter(Codec::rotated).isPresent()) {
            basis = Optional.of(ROTATE);
        }
        return new Half(basis, codec.orElse(Codecs.BF16));
    }

    private static void refuse(String text, String one, String other, String both) {
        throw new InvalidOptionException(
                "kv-dtype '" + text + "': " + one + " and " + other + " cannot be combined, both " + both);
    }

    /** Whether a term names a method that is fitted, and with it what the method needs to know. */
    private static boolean fitted(String term) {
        for (String shape : FITTED) {
            String prefix = shape.substring(0, shape.length() - 1);
            if ((term + ":").startsWith(prefix)) {
                if (term.length() <= prefix.length()) {
                    throw new InvalidOptionException("kv-dtype '" + term + "': the "
                            + (shape.endsWith("R") ? "rank" : "share of channels to drop") + " is missing, write "
                            + shape);
                }
                return true;
            }
        }
        return false;
    }

    /**
     * @param term what asks for the rank
     * @param rank a rank
     * @param headDim width of a head
     * @throws InvalidOptionException if the rank is larger
     */
    public static void checkRank(String term, int rank, int headDim) {
        if (rank > headDim) {
            throw new InvalidOptionException(
                    "kv-dtype " + term + ": the rank is above the head dim, which is " + headDim);
        }
    }

    /**
     * @return whether anything in it needs a calibration
     */
    public boolean fitted() {
        return layers.values()
                .anyMatch(halves -> halves.keys().fitted() || halves.values().fitted());
    }

    @Override
    public void checkLayers(int count) {
        layers.check(count);
    }

    @Override
    public PageForm form(int layer, int kvHead, int headDim) {
        Halves halves = layers.of(layer);
        return new PageForm(
                form(halves.keys(), HalfShape.Side.KEYS, layer, kvHead, headDim),
                form(halves.values(), HalfShape.Side.VALUES, layer, kvHead, headDim));
    }

    private HalfForm form(Half half, HalfShape.Side side, int layer, int kvHead, int headDim) {
        if (half.codec() instanceof ChunkPca pca) {
            checkRank(pca.name(), pca.rank(), headDim);
        }
        return new HalfForm(
                half.codec(),
                half.basis()
                        .map(term -> term.equals(ROTATE)
                                ? HadamardBasis.of(headDim)
                                : bases.basis(term, side, layer, kvHead, headDim)));
    }

    @Override
    public String name() {
        return layers.toString();
    }
}
