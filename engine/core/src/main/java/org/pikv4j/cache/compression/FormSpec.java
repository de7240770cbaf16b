package org.pikv4j.cache.compression;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.pikv4j.error.InvalidOptionException;

/**
 * The forms that a text asks for:
 *
 * <pre>
 *   spec  = part (';' part)*               '0-1=bf16;2-=int8,int4'
 *   part  = [layers '='] half [',' half]   keys and values; one half for both
 *   layers = N | N-M | N-                  the first part that names a layer counts
 *   half  = term ('+' term)*               a codec, a basis, or a basis and a codec: 'int4+rotate', 'svd:32+int8'
 * </pre>
 *
 * A basis without a codec is kept in bf16.
 */
public final class FormSpec implements FormChoice {
    private static final Pattern PART = Pattern.compile("(?:(\\d{1,6})(-)?(\\d{1,6})?=)?([^=;]+)");
    /** A plus sign between terms; not one of those in {@code lora++:16}. */
    private static final Pattern PLUS = Pattern.compile("(?<!\\+)\\+(?![+:])");

    private static final Pattern FITTED = Pattern.compile("(svd|lora|lora\\+\\+|prune|distill):(.+)");
    private static final String ROTATE = "rotate";

    private final String text;
    private final List<Part> parts = new ArrayList<>();
    private final BasisSource bases;

    private record Part(int first, int last, Half keys, Half values) {}

    private record Half(Optional<String> basis, Codec codec) {}

    private FormSpec(String text, BasisSource bases) {
        this.text = text;
        this.bases = bases;
    }

    /**
     * @param text the specification
     * @param bases where fitted bases come from
     * @return the choice
     * @throws InvalidOptionException if it cannot be understood
     */
    public static FormSpec parse(String text, BasisSource bases) {
        FormSpec spec = new FormSpec(text, bases);
        for (String part : text.split(";", -1)) {
            spec.parts.add(part(part.strip()));
        }
        return spec;
    }

    private static Part part(String text) {
        Matcher matcher = PART.matcher(text);
        if (!matcher.matches()) {
            throw new InvalidOptionException("kv-dtype: '" + text + "' is not of the form [LAYERS=]KEYS[,VALUES]");
        }
        int first = 0;
        int last = Integer.MAX_VALUE;
        if (matcher.group(1) != null) {
            first = Integer.parseInt(matcher.group(1));
            last = matcher.group(2) == null ? first : last;
            last = matcher.group(3) == null ? last : Integer.parseInt(matcher.group(3));
        }
        if (last < first || (matcher.group(3) != null && matcher.group(2) == null)) {
            throw new InvalidOptionException("kv-dtype: there are no layers in '" + text + "'");
        }
        String[] halves = matcher.group(4).split(",", -1);
        if (halves.length > 2) {
            throw new InvalidOptionException("kv-dtype: '" + text + "' has more than keys and values");
        }
        return new Part(first, last, half(halves[0].strip()), half(halves[halves.length - 1].strip()));
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
        Part part = parts.stream()
                .filter(candidate -> candidate.first() <= layer && layer <= candidate.last())
                .findFirst()
                .orElseThrow(
                        () -> new InvalidOptionException("kv-dtype '" + text + "' says nothing of layer " + layer));
        return new PageForm(
                form(part.keys(), HalfShape.Side.KEYS, layer, kvHead, headDim),
                form(part.values(), HalfShape.Side.VALUES, layer, kvHead, headDim));
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
        return text;
    }
}
