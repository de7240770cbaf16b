package org.pikv4j.loader.jinja;

import java.util.Locale;

/** The tests behind {@code is}. */
final class Tests {
    private Tests() {}

    static boolean holds(String name, Value value, Arguments arguments, Budget budget) {
        return switch (name) {
            case "defined" -> !(value instanceof Value.Undefined);
            case "undefined" -> value instanceof Value.Undefined;
            case "none" -> value == Value.None.NONE;
            case "string" -> value instanceof Value.Text;
            case "number" -> value instanceof Value.Int || value instanceof Value.Real || value instanceof Value.Bool;
            case "integer" -> value instanceof Value.Int;
            case "float" -> value instanceof Value.Real;
            case "boolean" -> value instanceof Value.Bool;
            case "true" -> value == Value.Bool.TRUE;
            case "false" -> value == Value.Bool.FALSE;
            case "mapping" -> value instanceof Value.Mapping;
            case "sequence" ->
                value instanceof Value.Sequence
                        || value instanceof Value.Text
                        || value instanceof Value.Mapping
                        || value instanceof Value.Undefined;
            case "iterable" ->
                value instanceof Value.Sequence
                        || value instanceof Value.Text
                        || value instanceof Value.Mapping
                        || value instanceof Value.Undefined;
            case "callable" -> value instanceof Value.Callable;
            case "odd" -> remainder(value, Value.of(2)) == 1;
            case "even" -> remainder(value, Value.of(2)) == 0;
            case "divisibleby" -> remainder(value, arguments.require(0, "num")) == 0;
            case "eq", "equalto", "==" -> Operators.equal(value, arguments.require(0, "other"), budget);
            case "ne", "!=" -> !Operators.equal(value, arguments.require(0, "other"), budget);
            case "lt", "lessthan", "<" -> Operators.compare(value, arguments.require(0, "other"), budget) < 0;
            case "le", "<=" -> Operators.compare(value, arguments.require(0, "other"), budget) <= 0;
            case "gt", "greaterthan", ">" -> Operators.compare(value, arguments.require(0, "other"), budget) > 0;
            case "ge", ">=" -> Operators.compare(value, arguments.require(0, "other"), budget) >= 0;
            case "in" -> Operators.contains(arguments.require(0, "seq"), value, budget);
            case "sameas" -> Operators.equal(value, arguments.require(0, "other"), budget);
            case "lower" -> budget.str(value).equals(budget.str(value).toLowerCase(Locale.ROOT));
            case "upper" -> budget.str(value).equals(budget.str(value).toUpperCase(Locale.ROOT));
            default -> throw new TemplateException("test " + name + " is not supported");
        };
    }

    private static long remainder(Value value, Value divisor) {
        if (value instanceof Value.Int a && divisor instanceof Value.Int b && b.value() != 0) {
            return Math.floorMod(a.value(), b.value());
        }
        throw new TemplateException(Operators.type(value) + " cannot be divided by " + Operators.type(divisor));
    }
}
