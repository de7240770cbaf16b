package org.pikv4j.loader.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Computes expressions. */
final class Evaluator {
    private final Budget budget;

    Evaluator(Budget budget) {
        this.budget = budget;
    }

    Budget budget() {
        return budget;
    }

    Value evaluate(Expression expression, Scope scope) {
        budget.step();
        return switch (expression) {
            case Expression.Literal literal -> literal.value();
            case Expression.Name name -> scope.get(name.name());
            case Expression.ListOf list -> budget.sequence(all(list.items(), scope), list.tuple());
            case Expression.MappingOf mapping -> mapping(mapping, scope);
            case Expression.Attribute attribute -> attribute(evaluate(attribute.target(), scope), attribute.name());
            case Expression.Item item -> item(evaluate(item.target(), scope), evaluate(item.index(), scope));
            case Expression.Slice slice ->
                Operators.slice(
                        evaluate(slice.target(), scope),
                        bound(slice.start(), scope),
                        bound(slice.stop(), scope),
                        bound(slice.step(), scope).orElse(1L),
                        budget);
            case Expression.Call call -> call(evaluate(call.target(), scope), arguments(call.arguments(), scope));
            case Expression.Spread spread -> throw new TemplateException("* belongs to the arguments of a call");
            case Expression.Filtered filtered ->
                filter(filtered.name(), evaluate(filtered.target(), scope), arguments(filtered.arguments(), scope));
            case Expression.Tested tested ->
                Value.of(test(tested.name(), evaluate(tested.target(), scope), arguments(tested.arguments(), scope)));
            case Expression.Unary unary -> unary(unary.operator(), evaluate(unary.operand(), scope));
            case Expression.Binary binary -> binary(binary, scope);
            case Expression.Comparison comparison -> Value.of(holds(comparison, scope));
            case Expression.Conditional conditional -> {
                if (Operators.isTrue(evaluate(conditional.condition(), scope))) {
                    yield evaluate(conditional.then(), scope);
                }
                yield conditional
                        .otherwise()
                        .map(otherwise -> evaluate(otherwise, scope))
                        .orElse(new Value.Undefined(""));
            }
        };
    }

    /** A filter by its name. */
    Value filter(String name, Value input, Arguments arguments) {
        budget.step();
        return Filters.apply(name, input, arguments, this);
    }

    /** A test by its name. */
    boolean test(String name, Value input, Arguments arguments) {
        budget.step();
        return Tests.holds(name, input, arguments, budget);
    }

    /**
     * @param target any value
     * @param name a member's name
     * @return the method or the entry of that name; as in Python the method goes first
     */
    Value attribute(Value target, String name) {
        return switch (target) {
            case Value.Undefined undefined ->
                throw new TemplateException((undefined.name().isEmpty() ? "value" : undefined.name())
                        + " is undefined, it has no member " + name);
            case Value.Namespace namespace -> {
                Value member = namespace.members().get(name);
                yield member == null ? new Value.Undefined(name) : member;
            }
            case Value.Text text
            when StringMethods.has(name) ->
                (Value.Callable) arguments -> StringMethods.call(text.value(), name, arguments, budget);
            case Value.Mapping mapping
            when MappingMethods.has(name) ->
                (Value.Callable) arguments -> MappingMethods.call(mapping, name, arguments, budget);
            case Value.Mapping mapping -> entry(mapping, Value.of(name), name);
            case Value.Sequence sequence
            when name.equals("index") || name.equals("count") ->
                (Value.Callable) arguments -> sequenceMethod(sequence, name, arguments);
            default -> new Value.Undefined(name);
        };
    }

    private Value sequenceMethod(Value.Sequence sequence, String name, Arguments arguments) {
        Value wanted = arguments.require(0, "value");
        List<Value> items = sequence.items();
        if (name.equals("count")) {
            return Value.of(items.stream()
                    .filter(item -> Operators.equal(item, wanted, budget))
                    .count());
        }
        for (int i = 0; i < items.size(); i++) {
            if (Operators.equal(items.get(i), wanted, budget)) {
                return Value.of(i);
            }
        }
        throw new TemplateException("the value is not in the list");
    }

    private static Value entry(Value.Mapping mapping, Value key, String name) {
        Value value = mapping.entries().get(key);
        return value == null ? new Value.Undefined(name) : value;
    }

    private Value item(Value target, Value index) {
        budget.charge(index.weight());
        return switch (target) {
            case Value.Mapping mapping when mapping.entries().containsKey(index) -> entry(mapping, index, "entry");
            case Value.Sequence sequence
            when index instanceof Value.Int at -> {
                long size = sequence.items().size();
                long place = at.value() < 0 ? at.value() + size : at.value();
                yield place < 0 || place >= size
                        ? new Value.Undefined("element " + at.value())
                        : sequence.items().get((int) place);
            }
            case Value.Text text
            when index instanceof Value.Int at -> {
                long size = Operators.length(text);
                long place = at.value() < 0 ? at.value() + size : at.value();
                yield place < 0 || place >= size
                        ? new Value.Undefined("character " + at.value())
                        : Operators.slice(text, Optional.of(place), Optional.of(place + 1), 1, budget);
            }
            default ->
                index instanceof Value.Text name
                        ? attribute(target, name.value())
                        : attribute(target, budget.str(index));
        };
    }

    /** A call with one more named argument. */
    Value call(Expression.Call call, String name, Value value, Scope scope) {
        Arguments arguments = arguments(call.arguments(), scope);
        Map<String, Value> named = new LinkedHashMap<>(arguments.named());
        named.put(name, value);
        return call(evaluate(call.target(), scope), new Arguments(arguments.positional(), named));
    }

    private Value call(Value target, Arguments arguments) {
        if (target instanceof Value.Callable callable) {
            return callable.call(arguments);
        }
        throw new TemplateException(
                target instanceof Value.Undefined undefined
                        ? undefined.name() + " is undefined, it cannot be called"
                        : Operators.type(target) + " cannot be called");
    }

    private Arguments arguments(Expression.CallArguments arguments, Scope scope) {
        Map<String, Value> named = new LinkedHashMap<>();
        arguments.named().forEach((name, value) -> named.put(name, evaluate(value, scope)));
        return new Arguments(all(arguments.positional(), scope), named);
    }

    private List<Value> all(List<Expression> expressions, Scope scope) {
        List<Value> values = new ArrayList<>(expressions.size());
        for (Expression expression : expressions) {
            if (expression instanceof Expression.Spread spread) {
                values.addAll(Operators.elements(evaluate(spread.list(), scope), budget));
            } else {
                values.add(evaluate(expression, scope));
            }
        }
        return values;
    }

    private Value mapping(Expression.MappingOf mapping, Scope scope) {
        Map<Value, Value> entries = new LinkedHashMap<>();
        for (Expression.Entry entry : mapping.entries()) {
            Value key = evaluate(entry.key(), scope);
            budget.charge(key.weight());
            entries.put(key, evaluate(entry.value(), scope));
        }
        return budget.dictionary(entries);
    }

    private Optional<Long> bound(Optional<Expression> bound, Scope scope) {
        return bound.map(expression -> evaluate(expression, scope))
                .filter(value -> value != Value.None.NONE)
                .map(value -> {
                    if (value instanceof Value.Int number) {
                        return number.value();
                    }
                    throw new TemplateException("slice bound is " + Operators.type(value) + ", not an integer");
                });
    }

    private static Value unary(String operator, Value operand) {
        return switch (operator) {
            case "not" -> Value.of(!Operators.isTrue(operand));
            case "-" -> Operators.negate(operand);
            default -> operand;
        };
    }

    private Value binary(Expression.Binary binary, Scope scope) {
        Value left = evaluate(binary.left(), scope);
        return switch (binary.operator()) {
            case "and" -> Operators.isTrue(left) ? evaluate(binary.right(), scope) : left;
            case "or" -> Operators.isTrue(left) ? left : evaluate(binary.right(), scope);
            default -> Operators.binary(binary.operator(), left, evaluate(binary.right(), scope), budget);
        };
    }

    private boolean holds(Expression.Comparison comparison, Scope scope) {
        Value left = evaluate(comparison.first(), scope);
        for (Expression.Compared compared : comparison.others()) {
            Value right = evaluate(compared.operand(), scope);
            boolean holds = switch (compared.operator()) {
                case "==" -> Operators.equal(left, right, budget);
                case "!=" -> !Operators.equal(left, right, budget);
                case "<" -> Operators.compare(left, right, budget) < 0;
                case "<=" -> Operators.compare(left, right, budget) <= 0;
                case ">" -> Operators.compare(left, right, budget) > 0;
                case ">=" -> Operators.compare(left, right, budget) >= 0;
                case "in" -> Operators.contains(right, left, budget);
                default -> !Operators.contains(right, left, budget);
            };
            if (!holds) {
                return false;
            }
            left = right;
        }
        return true;
    }
}
