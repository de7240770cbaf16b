package org.pikv4j.loader.jinja;

import java.util.List;
import java.util.Set;

/** The methods of Python's dictionaries that change nothing. */
final class MappingMethods {
    private static final Set<String> NAMES = Set.of("items", "keys", "values", "get");

    private MappingMethods() {}

    static boolean has(String name) {
        return NAMES.contains(name);
    }

    static Value call(Value.Mapping mapping, String name, Arguments arguments, Budget budget) {
        return switch (name) {
            case "items" -> items(mapping, budget);
            case "keys" -> budget.list(List.copyOf(mapping.entries().keySet()));
            case "values" -> budget.list(List.copyOf(mapping.entries().values()));
            default -> {
                Value value = mapping.entries().get(arguments.require(0, "key"));
                yield value == null ? arguments.get(1, "default").orElse(Value.None.NONE) : value;
            }
        };
    }

    static Value items(Value.Mapping mapping, Budget budget) {
        return budget.list(mapping.entries().entrySet().stream()
                .map(entry -> Value.sequence(List.of(entry.getKey(), entry.getValue()), true))
                .toList());
    }
}
