package org.pikv4j.loader.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The functions that every template may call. */
final class Globals {
    /** As in Jinja's sandbox. */
    private static final long LONGEST_RANGE = 100_000;

    private Globals() {}

    /**
     * @param budget pays for what they make
     * @return the functions by name
     */
    static Map<String, Value> functions(Budget budget) {
        return Map.of(
                "namespace", (Value.Callable) Globals::namespace,
                "dict", (Value.Callable) arguments -> dict(arguments, budget),
                "range", (Value.Callable) arguments -> range(arguments, budget),
                "raise_exception",
                        (Value.Callable) arguments -> {
                            throw new TemplateException(arguments.text(0, "message"));
                        });
    }

    private static Value namespace(Arguments arguments) {
        Map<String, Value> members = new LinkedHashMap<>();
        if (arguments.get(0, "").orElse(Value.None.NONE) instanceof Value.Mapping mapping) {
            mapping.entries().forEach((key, value) -> members.put(PythonText.str(key), value));
        }
        members.putAll(arguments.named());
        return new Value.Namespace(members);
    }

    private static Value dict(Arguments arguments, Budget budget) {
        Map<Value, Value> entries = new LinkedHashMap<>();
        if (arguments.get(0, "").orElse(Value.None.NONE) instanceof Value.Mapping mapping) {
            entries.putAll(mapping.entries());
        }
        arguments.named().forEach((name, value) -> entries.put(Value.of(name), value));
        return budget.dictionary(entries);
    }

    private static Value range(Arguments arguments, Budget budget) {
        Optional<Value> second = arguments.get(1, "stop");
        long start = second.isPresent() ? arguments.integer(0, "start", 0) : 0;
        long stop = second.isPresent() ? arguments.integer(1, "stop", 0) : arguments.integer(0, "stop", 0);
        long step = arguments.integer(2, "step", 1);
        if (step == 0 || Math.abs(stop - start) / Math.abs(step) > LONGEST_RANGE) {
            throw new TemplateException("range is longer than " + LONGEST_RANGE + " or has step 0");
        }
        List<Value> numbers = new ArrayList<>();
        for (long number = start; step > 0 ? number < stop : number > stop; number += step) {
            numbers.add(Value.of(number));
        }
        return budget.list(numbers);
    }
}
