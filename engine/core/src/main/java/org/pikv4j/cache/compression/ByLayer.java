package org.pikv4j.cache.compression;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.pikv4j.error.InvalidOptionException;

/**
 * Something that an option gives for each layer:
 *
 * <pre>
 *   text   = part (';' part)*        '0-1=32;2-=16'
 *   part   = [layers '='] value      the first part that names a layer counts
 *   layers = N | N-M | N-            all of them where none are named
 * </pre>
 *
 * @param <T> what each layer has
 */
public final class ByLayer<T> {
    private static final Pattern PART = Pattern.compile("(?:(\\d{1,6})(?:(-)(\\d{1,6})?)?=)?([^=;]+)");

    private final String option;
    private final String text;
    private final List<Part<T>> parts = new ArrayList<>();

    private record Part<T>(int first, int last, T value) {}

    private ByLayer(String option, String text) {
        this.option = option;
        this.text = text;
    }

    /**
     * @param option the option's name, for messages
     * @param shape what a value looks like, for messages
     * @param text what the option says
     * @param value reads one value
     * @return what it means
     * @throws InvalidOptionException if it cannot be understood
     */
    public static <T> ByLayer<T> parse(String option, String shape, String text, Function<String, T> value) {
        ByLayer<T> choice = new ByLayer<>(option, text);
        for (String part : text.split(";", -1)) {
            String stripped = part.strip();
            Matcher matcher = PART.matcher(stripped);
            if (!matcher.matches()) {
                throw new InvalidOptionException(option + " '" + stripped + "' is not of the form [LAYERS=]" + shape);
            }
            int first = matcher.group(1) == null ? 0 : Integer.parseInt(matcher.group(1));
            int last = matcher.group(1) == null || matcher.group(2) != null ? Integer.MAX_VALUE : first;
            last = matcher.group(3) == null ? last : Integer.parseInt(matcher.group(3));
            if (last < first) {
                throw new InvalidOptionException(option + " '" + stripped + "' ends before it begins");
            }
            choice.parts.add(
                    new Part<>(first, last, value.apply(matcher.group(4).strip())));
        }
        return choice;
    }

    /**
     * @param layer index of a layer
     * @return what it has
     * @throws InvalidOptionException if nothing was said of it
     */
    public T of(int layer) {
        return parts.stream()
                .filter(part -> part.first() <= layer && layer <= part.last())
                .findFirst()
                .orElseThrow(
                        () -> new InvalidOptionException(option + " '" + text + "' says nothing of layer " + layer))
                .value();
    }

    /**
     * @param count layers of the model
     * @throws InvalidOptionException if a layer is named that is not among them
     */
    public void check(int count) {
        for (Part<T> part : parts) {
            int named = part.last() == Integer.MAX_VALUE ? part.first() : part.last();
            if (named >= count) {
                throw new InvalidOptionException("%s '%s' names layer %d, but the model's layers are 0 to %d"
                        .formatted(option, text, named, count - 1));
            }
        }
    }

    /**
     * @return what layers have, part by part
     */
    Stream<T> values() {
        return parts.stream().map(Part::value);
    }

    @Override
    public String toString() {
        return text;
    }
}
