package org.pikv4j.loader.jinja;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a template computes with: the types of Python that matter to it. All but namespaces are immutable. */
public sealed interface Value {
    /** What a value costs beside its characters, in characters: an object or two. */
    int ELEMENT = 16;

    /** The value of a name or member that does not exist; prints as nothing and is false. */
    record Undefined(String name) implements Value {}

    /** Python's None. */
    enum None implements Value {
        NONE
    }

    enum Bool implements Value {
        FALSE,
        TRUE;

        boolean value() {
            return this == TRUE;
        }
    }

    record Int(long value) implements Value {}

    record Real(double value) implements Value {}

    record Text(String value) implements Value {}

    /** A list, or a tuple, which prints otherwise. The weight is that of {@link #weight()}. */
    record Sequence(List<Value> items, boolean tuple, long weight) implements Value {}

    /** A dictionary; its order is that of insertion. The weight is that of {@link #weight()}. */
    record Mapping(Map<Value, Value> entries, long weight) implements Value {}

    /** What {@code namespace()} makes: the one thing that assignments in a loop can change from inside. */
    record Namespace(Map<String, Value> members) implements Value {
        @Override
        public boolean equals(Object other) {
            return this == other;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(this);
        }
    }

    /** A function, a macro or a bound method. */
    non-sealed interface Callable extends Value {
        /**
         * @param arguments what it is called with
         * @return its result
         */
        Value call(Arguments arguments);
    }

    static Value of(boolean value) {
        return value ? Bool.TRUE : Bool.FALSE;
    }

    static Value of(long value) {
        return new Int(value);
    }

    static Value of(String value) {
        return new Text(value);
    }

    /**
     * @param items what a list holds
     * @return the list
     */
    static Value list(List<? extends Value> items) {
        return sequence(items, false);
    }

    static Sequence sequence(List<? extends Value> items, boolean tuple) {
        return new Sequence(
                List.copyOf(items),
                tuple,
                1 + items.stream().mapToLong(Value::weight).sum());
    }

    static Mapping dictionary(Map<Value, Value> entries) {
        long weight = ELEMENT;
        for (Map.Entry<Value, Value> entry : entries.entrySet()) {
            weight += entry.getKey().weight() + entry.getValue().weight();
        }
        return new Mapping(entries, weight);
    }

    /**
     * @param entries entries by name, in order
     * @return a dictionary
     */
    static Value mapping(Map<String, Value> entries) {
        Map<Value, Value> copy = new LinkedHashMap<>();
        entries.forEach((name, value) -> copy.put(of(name), value));
        return dictionary(copy);
    }

    /**
     * What it costs to go through the whole value, in characters, each part as often as it is reached. Values can share
     * parts, so that a few steps make one that takes for ever to print or to compare.
     */
    default long weight() {
        return this instanceof Text text ? ELEMENT + text.value().length() : ELEMENT;
    }
}
