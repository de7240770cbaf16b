package org.pikv4j.loader.jinja;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;

/** The filters behind {@code |}. */
final class Filters {
    private Filters() {}

    static Value apply(String name, Value value, Arguments arguments, Evaluator evaluator) {
        Budget budget = evaluator.budget();
        return switch (name) {
            case "trim" ->
                budget.text(PythonText.strip(budget.str(value), arguments.optionalText(0, "chars"), true, true));
            case "upper", "lower", "title", "capitalize" ->
                StringMethods.call(budget.str(value), name, Arguments.NONE, budget);
            case "string", "safe" -> budget.text(budget.str(value));
            case "replace" ->
                StringMethods.replace(
                        budget.str(value),
                        arguments.text(0, "old"),
                        arguments.text(1, "new"),
                        arguments.integer(2, "count", -1),
                        budget);
            case "indent" -> indent(budget.str(value), arguments, budget);
            case "tojson" -> {
                budget.charge(value.weight() * (1 + Math.max(0, arguments.integer(1, "indent", 0))));
                yield budget.text(Json.of(value, arguments));
            }
            case "escape", "e" -> budget.text(escape(budget.str(value)));
            case "length", "count" -> Value.of(Operators.length(value));
            case "default", "d" -> {
                boolean missing = value instanceof Value.Undefined
                        || arguments.flag(1, "boolean", false) && !Operators.isTrue(value);
                yield missing ? arguments.get(0, "default_value").orElse(Value.of("")) : value;
            }
            case "int" -> integer(value, arguments.get(0, "default").orElse(Value.of(0)));
            case "float" -> real(value, arguments.get(0, "default").orElse(new Value.Real(0)));
            case "abs" -> Operators.compare(value, Value.of(0), budget) < 0 ? Operators.negate(value) : value;
            case "first" ->
                Operators.elements(value, budget).stream().findFirst().orElse(new Value.Undefined("first element"));
            case "last" -> {
                List<Value> elements = Operators.elements(value, budget);
                yield elements.isEmpty() ? new Value.Undefined("last element") : elements.getLast();
            }
            case "list" -> budget.list(Operators.elements(value, budget));
            case "items" ->
                value instanceof Value.Mapping mapping ? MappingMethods.items(mapping, budget) : Value.list(List.of());
            case "dictsort" -> {
                List<Value> entries = Operators.elements(MappingMethods.items(mapping(value), budget), budget);
                yield budget.list(sorted(
                        entries,
                        entry -> folded(Operators.elements(entry, budget).getFirst()),
                        budget));
            }
            case "join" -> {
                List<Value> parts = Operators.elements(value, budget);
                Optional<Value> attribute = arguments.get(1, "attribute");
                yield StringMethods.join(
                        arguments.optionalText(0, "d").orElse(""),
                        Value.list(attribute.isPresent() ? map(parts, member(attribute.get(), evaluator)) : parts),
                        budget);
            }
            case "reverse" ->
                value instanceof Value.Text text
                        ? budget.text(new StringBuilder(text.value()).reverse().toString())
                        : budget.list(Operators.elements(value, budget).reversed());
            case "sort" -> sort(value, arguments, evaluator);
            case "unique" -> unique(value, budget);
            case "min" -> extreme(value, 1, budget);
            case "max" -> extreme(value, -1, budget);
            case "sum" -> {
                Value sum = Value.of(0);
                for (Value item : Operators.elements(value, budget)) {
                    sum = Operators.binary("+", sum, item, budget);
                }
                yield sum;
            }
            case "map" -> mapped(value, arguments, evaluator);
            case "select" -> select(value, item -> item, arguments, true, evaluator);
            case "reject" -> select(value, item -> item, arguments, false, evaluator);
            case "selectattr", "rejectattr" ->
                select(
                        value,
                        member(arguments.require(0, "attribute"), evaluator),
                        arguments.rest(),
                        name.equals("selectattr"),
                        evaluator);
            default -> throw new TemplateException("filter " + name + " is not supported");
        };
    }

    private static Value.Mapping mapping(Value value) {
        if (value instanceof Value.Mapping mapping) {
            return mapping;
        }
        throw new TemplateException(Operators.type(value) + " is no dict");
    }

    private static Value indent(String text, Arguments arguments, Budget budget) {
        int width = Math.clamp(arguments.integer(0, "width", 4), 0, 1_000);
        boolean first = arguments.flag(1, "first", false);
        boolean blank = arguments.flag(2, "blank", false);
        String[] lines = text.split("\n", -1);
        budget.charge(text.length() + (long) width * lines.length);
        for (int i = 0; i < lines.length; i++) {
            if ((i > 0 || first) && (blank || !lines[i].isBlank())) {
                lines[i] = " ".repeat(width) + lines[i];
            }
        }
        return Value.of(String.join("\n", lines));
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("'", "&#39;")
                .replace("\"", "&#34;");
    }

    private static Value integer(Value value, Value otherwise) {
        return switch (value) {
            case Value.Int number -> number;
            case Value.Bool bool -> Value.of(bool.value() ? 1 : 0);
            case Value.Real number -> Value.of((long) number.value());
            case Value.Text text -> {
                try {
                    yield Value.of((long) Double.parseDouble(text.value().strip()));
                } catch (NumberFormatException e) {
                    yield otherwise;
                }
            }
            default -> otherwise;
        };
    }

    private static Value real(Value value, Value otherwise) {
        return switch (value) {
            case Value.Int number -> new Value.Real(number.value());
            case Value.Real number -> number;
            case Value.Text text -> {
                try {
                    yield new Value.Real(Double.parseDouble(text.value().strip()));
                } catch (NumberFormatException e) {
                    yield otherwise;
                }
            }
            default -> otherwise;
        };
    }

    /** {@code attribute='a.b'}: a member of a member. */
    private static Function<Value, Value> member(Value path, Evaluator evaluator) {
        String[] names = evaluator.budget().str(path).split("\\.");
        return item -> {
            Value member = item;
            for (String name : names) {
                member = evaluator.attribute(member, name);
            }
            return member;
        };
    }

    private static List<Value> map(List<Value> items, Function<Value, Value> function) {
        return items.stream().map(function).toList();
    }

    private static Value mapped(Value value, Arguments arguments, Evaluator evaluator) {
        Budget budget = evaluator.budget();
        List<Value> items = Operators.elements(value, budget);
        Optional<Value> attribute = Optional.ofNullable(arguments.named().get("attribute"));
        if (attribute.isPresent()) {
            Optional<Value> otherwise = Optional.ofNullable(arguments.named().get("default"));
            Function<Value, Value> member = member(attribute.get(), evaluator);
            return budget.list(map(items, item -> {
                Value found = member.apply(item);
                return found instanceof Value.Undefined ? otherwise.orElse(found) : found;
            }));
        }
        String filter = arguments.text(0, "filter");
        return budget.list(map(items, item -> evaluator.filter(filter, item, arguments.rest())));
    }

    private static Value select(
            Value value, Function<Value, Value> tested, Arguments arguments, boolean wanted, Evaluator evaluator) {
        Budget budget = evaluator.budget();
        Predicate<Value> test = arguments.positional().isEmpty()
                ? Operators::isTrue
                : item -> evaluator.test(arguments.text(0, "test"), item, arguments.rest());
        return budget.list(Operators.elements(value, budget).stream()
                .filter(item -> test.test(tested.apply(item)) == wanted)
                .toList());
    }

    private static Value sort(Value value, Arguments arguments, Evaluator evaluator) {
        Budget budget = evaluator.budget();
        Function<Value, Value> key = arguments
                .get(2, "attribute")
                .map(attribute -> member(attribute, evaluator))
                .orElse(item -> item);
        boolean exactCase = arguments.flag(1, "case_sensitive", false);
        List<Value> sorted = sorted(
                Operators.elements(value, budget),
                item -> exactCase ? key.apply(item) : folded(key.apply(item)),
                budget);
        return budget.list(arguments.flag(0, "reverse", false) ? sorted.reversed() : sorted);
    }

    private static List<Value> sorted(List<Value> items, Function<Value, Value> key, Budget budget) {
        List<Value> sorted = new ArrayList<>(items);
        sorted.sort(Comparator.comparing(key, (a, b) -> Operators.compare(a, b, budget)));
        return sorted;
    }

    private static Value folded(Value value) {
        return value instanceof Value.Text text ? Value.of(text.value().toLowerCase(Locale.ROOT)) : value;
    }

    private static Value unique(Value value, Budget budget) {
        Map<Value, Value> seen = new LinkedHashMap<>();
        budget.charge(value.weight());
        Operators.elements(value, budget).forEach(item -> seen.putIfAbsent(folded(item), item));
        return budget.list(List.copyOf(seen.values()));
    }

    private static Value extreme(Value value, int sign, Budget budget) {
        return Operators.elements(value, budget).stream()
                .min((a, b) -> sign * Operators.compare(a, b, budget))
                .orElse(new Value.Undefined("extreme element"));
    }
}
