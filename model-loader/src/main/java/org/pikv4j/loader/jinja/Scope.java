package org.pikv4j.loader.jinja;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Variables. A loop's body and a macro have a scope of their own: what they set is gone behind them. */
final class Scope {
    private final Optional<Scope> outer;
    private final Map<String, Value> variables = new HashMap<>();

    Scope(Map<String, Value> variables) {
        this.outer = Optional.empty();
        this.variables.putAll(variables);
    }

    private Scope(Scope outer) {
        this.outer = Optional.of(outer);
    }

    Scope inner() {
        return new Scope(this);
    }

    void set(String name, Value value) {
        variables.put(name, value);
    }

    Value get(String name) {
        Optional<Scope> scope = Optional.of(this);
        while (scope.isPresent()) {
            Value value = scope.get().variables.get(name);
            if (value != null) {
                return value;
            }
            scope = scope.get().outer;
        }
        return new Value.Undefined(name);
    }
}
