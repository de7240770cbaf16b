package org.pikv4j.loader.jinja;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** Operators on values, with Python's rules. */
final class Operators {
    private Operators() {}

    static boolean isTrue(Value value) {
        return switch (value) {
            case Value.Undefined undefined -> false;
            case Value.None none -> false;
            case Value.Bool bool -> bool.value();
            case Value.Int number -> number.value() != 0;
            case Value.Real number -> number.value() != 0;
            case Value.Text text -> !text.value().isEmpty();
            case Value.Sequence sequence -> !sequence.items().isEmpty();
            case Value.Mapping mapping -> !mapping.entries().isEmpty();
            case Value.Namespace namespace -> true;
            case Value.Callable callable -> true;
        };
    }

    static boolean equal(Value left, Value right, Budget budget) {
        budget.charge(Math.min(left.weight(), right.weight()));
        return equal(left, right);
    }

    private static boolean equal(Value left, Value right) {
        if (isNumber(left) && isNumber(right)) {
            return left.equals(right) || compare(left, right) == 0;
        }
        if (left instanceof Value.Undefined && right instanceof Value.Undefined) {
            return true;
        }
        if (left instanceof Value.Sequence a && right instanceof Value.Sequence b) {
            boolean same =
                    a.tuple() == b.tuple() && a.items().size() == b.items().size();
            for (int i = 0; same && i < a.items().size(); i++) {
                same = equal(a.items().get(i), b.items().get(i));
            }
            return same;
        }
        return Objects.equals(left, right);
    }

    private static boolean isNumber(Value value) {
        return value instanceof Value.Int || value instanceof Value.Real || value instanceof Value.Bool;
    }

    private static double real(Value value) {
        return switch (value) {
            case Value.Bool bool -> bool.value() ? 1 : 0;
            case Value.Int number -> number.value();
            case Value.Real number -> number.value();
            default -> throw new TemplateException(type(value) + " is no number");
        };
    }

    private static Optional<Long> integer(Value value) {
        return switch (value) {
            case Value.Bool bool -> Optional.of(bool.value() ? 1L : 0L);
            case Value.Int number -> Optional.of(number.value());
            default -> Optional.empty();
        };
    }

    /** Order of two numbers, two strings or two sequences; others have none. */
    static int compare(Value left, Value right, Budget budget) {
        budget.charge(Math.min(left.weight(), right.weight()));
        return compare(left, right);
    }

    private static int compare(Value left, Value right) {
        if (left instanceof Value.Int a && right instanceof Value.Int b) {
            return Long.compare(a.value(), b.value());
        }
        if (isNumber(left) && isNumber(right)) {
            return Double.compare(real(left), real(right));
        }
        if (left instanceof Value.Text a && right instanceof Value.Text b) {
            return compare(a.value(), b.value());
        }
        if (left instanceof Value.Sequence a && right instanceof Value.Sequence b) {
            for (int i = 0; i < Math.min(a.items().size(), b.items().size()); i++) {
                int order = compare(a.items().get(i), b.items().get(i));
                if (order != 0) {
                    return order;
                }
            }
            return Integer.compare(a.items().size(), b.items().size());
        }
        throw new TemplateException(type(left) + " and " + type(right) + " cannot be compared");
    }

    /** By code points, as in Python; Java's own order is by UTF-16. */
    private static int compare(String left, String right) {
        return Arrays.compare(left.codePoints().toArray(), right.codePoints().toArray());
    }

    static boolean contains(Value container, Value item, Budget budget) {
        budget.charge(container.weight() + item.weight());
        return switch (container) {
            case Value.Text text
            when item instanceof Value.Text part -> text.value().contains(part.value());
            case Value.Sequence sequence -> sequence.items().stream().anyMatch(value -> equal(value, item));
            case Value.Mapping mapping -> mapping.entries().containsKey(item);
            case Value.Undefined undefined -> false;
            default -> throw new TemplateException(type(item) + " cannot be looked for in " + type(container));
        };
    }

    static Value binary(String operator, Value left, Value right, Budget budget) {
        if (operator.equals("~")) {
            return budget.text(budget.str(left) + budget.str(right));
        }
        if (operator.equals("+") && left instanceof Value.Text a && right instanceof Value.Text b) {
            return budget.text(a.value() + b.value());
        }
        if (operator.equals("+")
                && left instanceof Value.Sequence a
                && right instanceof Value.Sequence b
                && a.tuple() == b.tuple()) {
            List<Value> joined = new ArrayList<>(a.items());
            joined.addAll(b.items());
            return budget.sequence(joined, a.tuple());
        }
        if (operator.equals("*") && left instanceof Value.Text text && right instanceof Value.Int times) {
            return repeat(text, times.value(), budget);
        }
        if (operator.equals("*") && left instanceof Value.Int times && right instanceof Value.Text text) {
            return repeat(text, times.value(), budget);
        }
        return arithmetic(operator, left, right);
    }

    private static Value repeat(Value.Text text, long times, Budget budget) {
        long count = Math.clamp(times, 0, Integer.MAX_VALUE);
        budget.charge(count * text.value().length());
        return Value.of(text.value().repeat((int) count));
    }

    private static Value arithmetic(String operator, Value left, Value right) {
        if (!isNumber(left) || !isNumber(right)) {
            throw new TemplateException(
                    "operator " + operator + " does not take " + type(left) + " and " + type(right));
        }
        try {
            Optional<Long> a = integer(left);
            Optional<Long> b = integer(right);
            return a.isPresent() && b.isPresent() && !operator.equals("/")
                    ? integers(operator, a.get(), b.get())
                    : new Value.Real(reals(operator, real(left), real(right)));
        } catch (ArithmeticException e) {
            throw new TemplateException("operator " + operator + ": " + e.getMessage());
        }
    }

    private static Value integers(String operator, long a, long b) {
        return switch (operator) {
            case "+" -> Value.of(Math.addExact(a, b));
            case "-" -> Value.of(Math.subtractExact(a, b));
            case "*" -> Value.of(Math.multiplyExact(a, b));
            case "//" -> Value.of(Math.floorDiv(a, b));
            case "%" -> Value.of(Math.floorMod(a, b));
            case "**" -> b < 0 ? new Value.Real(Math.pow((double) a, (double) b)) : power(a, b);
            default -> throw new TemplateException("operator " + operator + " is not supported");
        };
    }

    private static Value power(long base, long exponent) {
        long result = 1;
        for (long i = 0; i < exponent && result != 0 && (base != 1); i++) {
            result = Math.multiplyExact(result, base);
            if (base == -1 && i > 1) {
                return Value.of(exponent % 2 == 0 ? 1 : -1);
            }
        }
        return Value.of(result);
    }

    private static double reals(String operator, double a, double b) {
        if (b == 0 && (operator.equals("/") || operator.equals("//") || operator.equals("%"))) {
            throw new ArithmeticException("division by zero");
        }
        return switch (operator) {
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            case "/" -> a / b;
            case "//" -> Math.floor(a / b);
            case "%" -> a - b * Math.floor(a / b);
            case "**" -> Math.pow(a, b);
            default -> throw new TemplateException("operator " + operator + " is not supported");
        };
    }

    static Value negate(Value value) {
        return integer(value)
                .map(number -> Value.of(Math.negateExact(number)))
                .orElseGet(() -> new Value.Real(-real(value)));
    }

    /**
     * @param value what to go through
     * @return its elements: characters of a string, keys of a dictionary
     */
    static List<Value> elements(Value value, Budget budget) {
        budget.charge(Value.ELEMENT * length(value));
        return switch (value) {
            case Value.Sequence sequence -> sequence.items();
            case Value.Mapping mapping -> List.copyOf(mapping.entries().keySet());
            case Value.Text text ->
                text.value()
                        .codePoints()
                        .mapToObj(c -> Value.of(Character.toString(c)))
                        .toList();
            case Value.Undefined undefined -> List.of();
            default -> throw new TemplateException(type(value) + " has no elements");
        };
    }

    static long length(Value value) {
        return switch (value) {
            case Value.Text text -> text.value().codePointCount(0, text.value().length());
            case Value.Undefined undefined -> 0;
            case Value.Sequence sequence -> sequence.items().size();
            case Value.Mapping mapping -> mapping.entries().size();
            default -> throw new TemplateException(type(value) + " has no elements");
        };
    }

    /** {@code value[start:stop:step]} with Python's rules for what is missing, negative or too large. */
    static Value slice(Value value, Optional<Long> start, Optional<Long> stop, long step, Budget budget) {
        if (step == 0) {
            throw new TemplateException("slice step is zero");
        }
        if (!(value instanceof Value.Text) && !(value instanceof Value.Sequence)) {
            throw new TemplateException(type(value) + " has no slices");
        }
        List<Value> items = elements(value, budget);
        int size = items.size();
        long first = start.map(s -> bound(s, size, step)).orElse(step > 0 ? 0L : size - 1L);
        long end = stop.map(s -> bound(s, size, step)).orElse(step > 0 ? size : -1L);
        List<Value> chosen = new ArrayList<>();
        for (long at = first; step > 0 ? at < end : at > end; at += Math.clamp(step, -size - 1L, size + 1L)) {
            chosen.add(items.get((int) at));
        }
        if (value instanceof Value.Sequence sequence) {
            return budget.sequence(chosen, sequence.tuple());
        }
        StringBuilder text = new StringBuilder();
        chosen.forEach(character -> text.append(PythonText.str(character)));
        return budget.text(text.toString());
    }

    private static long bound(long index, int size, long step) {
        long fromStart = index < 0 ? index + size : index;
        return step > 0 ? Math.clamp(fromStart, 0, size) : Math.clamp(fromStart, -1, size - 1);
    }

    /** Python's name of a value's type, for messages. */
    static String type(Value value) {
        return switch (value) {
            case Value.Undefined undefined -> "undefined " + undefined.name();
            case Value.None none -> "None";
            case Value.Bool bool -> "bool";
            case Value.Int number -> "int";
            case Value.Real number -> "float";
            case Value.Text text -> "str";
            case Value.Sequence sequence -> sequence.tuple() ? "tuple" : "list";
            case Value.Mapping mapping -> "dict";
            case Value.Namespace namespace -> "namespace";
            case Value.Callable callable -> "function";
        };
    }
}
