package org.pikv4j.loader.jinja;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.pikv4j.loader.jinja.Value.Callable;

/** {@code tojson} as the transformers library has it: {@code json.dumps} of Python, without escaping for HTML. */
final class Json {
    private final StringBuilder out = new StringBuilder();
    private final int indent;
    private final boolean ascii;
    private final boolean sorted;

    private Json(int indent, boolean ascii, boolean sorted) {
        this.indent = indent;
        this.ascii = ascii;
        this.sorted = sorted;
    }

    /**
     * @param value a value
     * @param arguments {@code ensure_ascii}, {@code indent}, {@code separators} (refused), {@code sort_keys}
     * @return its JSON
     */
    static String of(Value value, Arguments arguments) {
        if (arguments.get(2, "separators").filter(v -> v != Value.None.NONE).isPresent()) {
            throw new TemplateException("tojson with separators is not supported");
        }
        Json json = new Json(
                arguments.integer(1, "indent", -1),
                arguments.flag(0, "ensure_ascii", false),
                arguments.flag(3, "sort_keys", false));
        json.write(value, 0);
        return json.out.toString();
    }

    private void write(Value value, int depth) {
        switch (value) {
            case Value.None none -> out.append("null");
            case Value.Bool bool -> out.append(bool.value());
            case Value.Int number -> out.append(number.value());
            case Value.Real number -> out.append(PythonText.number(number.value()));
            case Value.Text text -> quote(text.value());
            case Value.Sequence sequence -> {
                String separator = "";
                out.append('[');
                for (Value item : sequence.items()) {
                    out.append(separator);
                    newLine(depth + 1);
                    write(item, depth + 1);
                    separator = indent < 0 ? ", " : ",";
                }
                if (!sequence.items().isEmpty()) {
                    newLine(depth);
                }
                out.append(']');
            }
            case Value.Mapping mapping -> {
                String separator = "";
                out.append('{');
                for (Map.Entry<String, Value> entry : entries(mapping).entrySet()) {
                    out.append(separator);
                    newLine(depth + 1);
                    quote(entry.getKey());
                    out.append(": ");
                    write(entry.getValue(), depth + 1);
                    separator = indent < 0 ? ", " : ",";
                }
                if (!mapping.entries().isEmpty()) {
                    newLine(depth);
                }
                out.append('}');
            }
            case Value.Undefined undefined -> throw new TemplateException(undefined.name() + " is undefined, no JSON");
            case Value.Namespace namespace -> throw new TemplateException("a namespace is no JSON");
            case Callable callable -> throw new TemplateException("a function is no JSON");
        }
    }

    private Map<String, Value> entries(Value.Mapping mapping) {
        Map<String, Value> entries = sorted ? new TreeMap<>() : new LinkedHashMap<>();
        mapping.entries().forEach((key, value) -> entries.put(key(key), value));
        return entries;
    }

    private static String key(Value key) {
        return switch (key) {
            case Value.Text text -> text.value();
            case Value.None none -> "null";
            case Value.Bool bool -> String.valueOf(bool.value());
            case Value.Int number -> String.valueOf(number.value());
            case Value.Real number -> PythonText.number(number.value());
            default -> throw new TemplateException("a key of JSON must be a string");
        };
    }

    private void newLine(int depth) {
        if (indent >= 0) {
            out.append('\n').repeat(" ", Math.min(indent, 100) * depth);
        }
    }

    private void quote(String text) {
        out.append('"');
        text.chars().forEach(c -> {
            Optional<String> escape = escape((char) c);
            if (escape.isPresent()) {
                out.append(escape.get());
            } else if (c < ' ' || ascii && c > 126) {
                out.append(String.format("\\u%04x", c));
            } else {
                out.append((char) c);
            }
        });
        out.append('"');
    }

    private static Optional<String> escape(char c) {
        return switch (c) {
            case '"' -> Optional.of("\\\"");
            case '\\' -> Optional.of("\\\\");
            case '\n' -> Optional.of("\\n");
            case '\r' -> Optional.of("\\r");
            case '\t' -> Optional.of("\\t");
            case '\b' -> Optional.of("\\b");
            case '\f' -> Optional.of("\\f");
            default -> Optional.empty();
        };
    }
}
