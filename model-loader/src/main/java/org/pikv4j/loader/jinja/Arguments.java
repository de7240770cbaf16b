package org.pikv4j.loader.jinja;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The arguments of a call.
 *
 * @param positional those without a name
 * @param named those with a name
 */
public record Arguments(List<Value> positional, Map<String, Value> named) {
    static final Arguments NONE = new Arguments(List.of(), Map.of());

    /**
     * @param index its place among the positional ones
     * @param name its name
     * @return the argument, if it was given either way
     */
    Optional<Value> get(int index, String name) {
        return index < positional.size() ? Optional.of(positional.get(index)) : Optional.ofNullable(named.get(name));
    }

    Value require(int index, String name) {
        return get(index, name).orElseThrow(() -> new TemplateException("argument " + name + " is missing"));
    }

    /**
     * @param index its place among the positional ones
     * @param name its name
     * @return the argument, which must be a string
     * @throws TemplateException if it is missing or no string
     */
    public String text(int index, String name) {
        if (require(index, name) instanceof Value.Text text) {
            return text.value();
        }
        throw wrongType(name, "a string");
    }

    /** A string, or nothing where it is absent or None. */
    Optional<String> optionalText(int index, String name) {
        return get(index, name).filter(value -> value != Value.None.NONE).map(value -> text(index, name));
    }

    int integer(int index, String name, int otherwise) {
        Optional<Value> value = get(index, name).filter(v -> v != Value.None.NONE);
        if (value.isEmpty()) {
            return otherwise;
        }
        if (value.get() instanceof Value.Int number) {
            return Math.clamp(number.value(), Integer.MIN_VALUE, Integer.MAX_VALUE);
        }
        throw wrongType(name, "an integer");
    }

    boolean flag(int index, String name, boolean otherwise) {
        return get(index, name).map(Operators::isTrue).orElse(otherwise);
    }

    /**
     * @return all but the first positional argument
     */
    Arguments rest() {
        return new Arguments(positional.subList(Math.min(1, positional.size()), positional.size()), named);
    }

    private static TemplateException wrongType(String name, String expected) {
        return new TemplateException("argument " + name + " must be " + expected);
    }
}
