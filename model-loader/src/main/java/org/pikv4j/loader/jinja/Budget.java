package org.pikv4j.loader.jinja;

import java.util.List;
import java.util.Map;

/** What a rendering may use up, so that a hostile template ends. */
final class Budget {
    /** The longest known templates take some hundred steps a message. */
    private static final long STEPS = 2_000_000;

    /** Characters made or gone through, results on the way included; an element counts as several. */
    private static final long SIZE = 64_000_000;

    private long steps = STEPS;
    private long size = SIZE;

    void step() {
        if (--steps < 0) {
            throw new TemplateException("takes more than " + STEPS + " steps");
        }
    }

    /**
     * @param length what is about to be made
     */
    void charge(long length) {
        size -= length;
        if (size < 0 || length > SIZE) {
            throw new TemplateException("makes more than " + SIZE + " characters");
        }
    }

    Value text(String made) {
        charge(made.length());
        return Value.of(made);
    }

    Value list(List<? extends Value> made) {
        return sequence(made, false);
    }

    Value sequence(List<? extends Value> made, boolean tuple) {
        Value sequence = Value.sequence(made, tuple);
        charge(sequence.weight());
        return sequence;
    }

    Value dictionary(Map<Value, Value> made) {
        Value dictionary = Value.dictionary(made);
        charge(dictionary.weight());
        return dictionary;
    }

    /** What {@code str()} makes of a value. */
    String str(Value value) {
        if (value instanceof Value.Text text) {
            return text.value();
        }
        charge(value.weight());
        return PythonText.str(value);
    }
}
