package org.pikv4j.loader.jinja;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** An expression of a template. */
sealed interface Expression {
    record Literal(Value value) implements Expression {}

    record Name(String name) implements Expression {}

    record ListOf(List<Expression> items, boolean tuple) implements Expression {}

    record MappingOf(List<Entry> entries) implements Expression {}

    record Entry(Expression key, Expression value) {}

    /** {@code target.name}. */
    record Attribute(Expression target, String name) implements Expression {}

    /** {@code target[index]}. */
    record Item(Expression target, Expression index) implements Expression {}

    /** {@code target[start:stop:step]}. */
    record Slice(Expression target, Optional<Expression> start, Optional<Expression> stop, Optional<Expression> step)
            implements Expression {}

    record Call(Expression target, CallArguments arguments) implements Expression {}

    /** {@code *list} among the arguments of a call: its elements, one by one. */
    record Spread(Expression list) implements Expression {}

    record CallArguments(List<Expression> positional, Map<String, Expression> named) {}

    /** {@code target|name(arguments)}. */
    record Filtered(Expression target, String name, CallArguments arguments) implements Expression {}

    /** {@code target is name(arguments)}. */
    record Tested(Expression target, String name, CallArguments arguments) implements Expression {}

    record Unary(String operator, Expression operand) implements Expression {}

    record Binary(String operator, Expression left, Expression right) implements Expression {}

    /** {@code first < a <= b}: each pair of neighbours. */
    record Comparison(Expression first, List<Compared> others) implements Expression {}

    record Compared(String operator, Expression operand) {}

    /** {@code then if condition else otherwise}. */
    record Conditional(Expression condition, Expression then, Optional<Expression> otherwise) implements Expression {}
}
