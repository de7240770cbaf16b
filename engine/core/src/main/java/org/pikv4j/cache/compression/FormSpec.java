package org.pikv4j.cache.compression;

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

    private static final Pattern FITTED = Pattern.compile("(svd|lora|lora\\+\\+|prune|distill):(.+)");
    private static final String ROTATE = "rotate";

    private final ByLayer<Halves> layers;
    private final BasisSource bases;

    private record Halves(Half keys, Half values) {}

    private record Half(Optional<String> basis, Codec codec) {}

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
            throw new InvalidOptionException("kv-dtype: '" + text + "' has more than keys and values");
        }
        return new Halves(half(halves[0].strip()), half(halves[halves.length - 1].strip()));
    }

    private static Half half(String text) {
        Optional<String> basis = Optional.empty();
        Optional<Codec> codec = Optional.empty();
        for (String term : PLUS.split(text, -1)) {
            if (term.equals(ROTATE) || FITTED.matcher(term).matches()) {
                basis = once(basis, term, text);
            } else {
                codec = once(codec, Codecs.named(term), text);
            }
        }
        if (basis.filter(ROTATE::equals).isPresent() && codec.isEmpty()) {
            throw new InvalidOptionException("kv-dtype: 'rotate' changes a number format: write int4+rotate");
        }
        if (basis.isEmpty() && codec.filter(Codec::rotated).isPresent()) {
            basis = Optional.of(ROTATE);
        }
        return new Half(basis, codec.orElse(Codecs.BF16));
    }

    private static <T> Optional<T> once(Optional<T> before, T now, String text) {
        if (before.isPresent()) {
            throw new InvalidOptionException("kv-dtype: '" + text + "' names two of a kind");
        }
        return Optional.of(now);
    }

    @Override
    public PageForm form(int layer, int kvHead, int headDim) {
        Halves halves = layers.of(layer);
        return new PageForm(
                form(halves.keys(), HalfShape.Side.KEYS, layer, kvHead, headDim),
                form(halves.values(), HalfShape.Side.VALUES, layer, kvHead, headDim));
    }

    private HalfForm form(Half half, HalfShape.Side side, int layer, int kvHead, int headDim) {
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
