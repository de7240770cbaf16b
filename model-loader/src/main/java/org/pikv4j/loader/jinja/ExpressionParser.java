package org.pikv4j.loader.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.pikv4j.loader.jinja.Expression.CallArguments;
import org.pikv4j.loader.jinja.Token.Kind;

/**
 * Parses expressions by recursive descent, one method for each level of precedence.
 *
 * <p>Source: {@code jinja2/parser.py}, whose levels these are; {@code ~} binds tighter than {@code +}.
 */
final class ExpressionParser {
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

    /** Words that end an expression and so cannot be the argument of a test without parentheses. */
    private static final Set<String> NO_ARGUMENT = Set.of("else", "or", "and", "if", "is", "in", "not");

    private final TokenStream tokens;

    ExpressionParser(TokenStream tokens) {
        this.tokens = tokens;
    }

    /** An expression, or several with commas between them, which are a tuple. */
    Expression tuple() {
        Expression first = expression();
        if (!tokens.atOperator(",")) {
            return first;
        }
        List<Expression> items = new ArrayList<>(List.of(first));
        while (tokens.skipOperator(",")) {
            if (tokens.at(Kind.BLOCK_END) || tokens.at(Kind.OUTPUT_END) || tokens.atOperator(")")) {
                break;
            }
            items.add(expression());
        }
        return new Expression.ListOf(items, true);
    }

    Expression expression() {
        Expression result = withoutCondition();
        while (tokens.skipName("if")) {
            Expression condition = withoutCondition();
            Optional<Expression> otherwise = tokens.skipName("else") ? Optional.of(expression()) : Optional.empty();
            result = new Expression.Conditional(condition, result, otherwise);
        }
        return result;
    }

    /** An expression that an {@code if} does not belong to. */
    Expression withoutCondition() {
        Expression left = and();
        while (tokens.skipName("or")) {
            left = new Expression.Binary("or", left, and());
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        while (tokens.skipName("and")) {
            left = new Expression.Binary("and", left, not());
        }
        return left;
    }

    private Expression not() {
        return tokens.skipName("not") ? new Expression.Unary("not", not()) : comparison();
    }

    private Expression comparison() {
        Expression first = sum();
        List<Expression.Compared> others = new ArrayList<>();
        while (true) {
            if (tokens.at(Kind.OPERATOR) && COMPARISONS.contains(tokens.peek().text())) {
                String operator = tokens.take().text();
                others.add(new Expression.Compared(operator, sum()));
            } else if (tokens.skipName("in")) {
                others.add(new Expression.Compared("in", sum()));
            } else if (tokens.atName("not") && tokens.peekSecond().is(Kind.NAME, "in")) {
                tokens.take();
                tokens.take();
                others.add(new Expression.Compared("not in", sum()));
            } else {
                return others.isEmpty() ? first : new Expression.Comparison(first, others);
            }
        }
    }

    private Expression sum() {
        Expression left = concatenation();
        while (tokens.atOperator("+") || tokens.atOperator("-")) {
            left = new Expression.Binary(tokens.take().text(), left, concatenation());
        }
        return left;
    }

    private Expression concatenation() {
        Expression left = product();
        while (tokens.skipOperator("~")) {
            left = new Expression.Binary("~", left, product());
        }
        return left;
    }

    private Expression product() {
        Expression left = power();
        while (tokens.atOperator("*") || tokens.atOperator("/") || tokens.atOperator("//") || tokens.atOperator("%")) {
            left = new Expression.Binary(tokens.take().text(), left, power());
        }
        return left;
    }

    private Expression power() {
        Expression left = unary(true);
        while (tokens.skipOperator("**")) {
            left = new Expression.Binary("**", left, unary(true));
        }
        return left;
    }

    private Expression unary(boolean withFilters) {
        Expression operand = tokens.atOperator("-") || tokens.atOperator("+")
                ? new Expression.Unary(tokens.take().text(), unary(false))
                : primary();
        Expression result = members(operand);
        return withFilters ? filters(result) : result;
    }

    private Expression primary() {
        Token token = tokens.peek();
        return switch (token.kind()) {
            case NAME -> name(tokens.take().text());
            case STRING -> strings();
            case INTEGER -> new Expression.Literal(integer(tokens.take().text()));
            case FLOAT ->
                new Expression.Literal(
                        new Value.Real(Double.parseDouble(tokens.take().text())));
            case OPERATOR ->
                switch (token.text()) {
                    case "(" -> parenthesized();
                    case "[" -> list();
                    case "{" -> mapping();
                    default -> throw tokens.unexpected("expected an expression");
                };
            default -> throw tokens.unexpected("expected an expression");
        };
    }

    private static Expression name(String name) {
        return switch (name) {
            case "true", "True" -> new Expression.Literal(Value.Bool.TRUE);
            case "false", "False" -> new Expression.Literal(Value.Bool.FALSE);
            case "none", "None" -> new Expression.Literal(Value.None.NONE);
            default -> new Expression.Name(name);
        };
    }

    private Value integer(String digits) {
        try {
            return Value.of(Long.parseLong(digits));
        } catch (NumberFormatException e) {
            throw tokens.unexpected("integer " + digits + " is too large");
        }
    }

    private Expression strings() {
        StringBuilder text = new StringBuilder();
        while (tokens.at(Kind.STRING)) {
            text.append(tokens.take().text());
        }
        return new Expression.Literal(Value.of(text.toString()));
    }

    private Expression parenthesized() {
        tokens.expectOperator("(");
        if (tokens.skipOperator(")")) {
            return new Expression.ListOf(List.of(), true);
        }
        Expression inner = tuple();
        tokens.expectOperator(")");
        return inner;
    }

    private Expression list() {
        tokens.expectOperator("[");
        List<Expression> items = new ArrayList<>();
        while (!tokens.skipOperator("]")) {
            items.add(expression());
            if (!tokens.atOperator("]")) {
                tokens.expectOperator(",");
            }
        }
        return new Expression.ListOf(items, false);
    }

    private Expression mapping() {
        tokens.expectOperator("{");
        List<Expression.Entry> entries = new ArrayList<>();
        while (!tokens.skipOperator("}")) {
            Expression key = expression();
            tokens.expectOperator(":");
            entries.add(new Expression.Entry(key, expression()));
            if (!tokens.atOperator("}")) {
                tokens.expectOperator(",");
            }
        }
        return new Expression.MappingOf(entries);
    }

    /** What follows an expression directly: members, items, calls. */
    private Expression members(Expression target) {
        Expression result = target;
        while (true) {
            if (tokens.skipOperator(".")) {
                result = tokens.at(Kind.INTEGER)
                        ? new Expression.Item(
                                result,
                                new Expression.Literal(integer(tokens.take().text())))
                        : new Expression.Attribute(
                                result, tokens.expect(Kind.NAME).text());
            } else if (tokens.skipOperator("[")) {
                result = subscript(result);
            } else if (tokens.atOperator("(")) {
                result = new Expression.Call(result, arguments());
            } else {
                return result;
            }
        }
    }

    private Expression subscript(Expression target) {
        Optional<Expression> start = tokens.atOperator(":") ? Optional.empty() : Optional.of(expression());
        if (start.isPresent() && tokens.skipOperator("]")) {
            return new Expression.Item(target, start.get());
        }
        tokens.expectOperator(":");
        Optional<Expression> stop = bound();
        Optional<Expression> step = tokens.skipOperator(":") ? bound() : Optional.empty();
        tokens.expectOperator("]");
        return new Expression.Slice(target, start, stop, step);
    }

    private Optional<Expression> bound() {
        return tokens.atOperator(":") || tokens.atOperator("]") ? Optional.empty() : Optional.of(expression());
    }

    private CallArguments arguments() {
        tokens.expectOperator("(");
        List<Expression> positional = new ArrayList<>();
        Map<String, Expression> named = new LinkedHashMap<>();
        while (!tokens.skipOperator(")")) {
            if (tokens.at(Kind.NAME) && tokens.peekSecond().is(Kind.OPERATOR, "=")) {
                String name = tokens.take().text();
                tokens.take();
                named.put(name, expression());
            } else if (named.isEmpty()) {
                boolean spread = tokens.skipOperator("*");
                Expression argument = expression();
                positional.add(spread ? new Expression.Spread(argument) : argument);
            } else {
                throw tokens.unexpected("expected a named argument");
            }
            if (!tokens.atOperator(")")) {
                tokens.expectOperator(",");
            }
        }
        return new CallArguments(positional, named);
    }

    /** Filters, tests, and calls of what they make. */
    private Expression filters(Expression target) {
        Expression result = target;
        while (true) {
            if (tokens.atOperator("|")) {
                result = filter(result);
            } else if (tokens.skipName("is")) {
                result = test(result);
            } else if (tokens.atOperator("(")) {
                result = new Expression.Call(result, arguments());
            } else {
                return result;
            }
        }
    }

    /** One filter, {@code |name(arguments)}. */
    Expression filter(Expression target) {
        tokens.expectOperator("|");
        return namedFilter(target);
    }

    Expression namedFilter(Expression target) {
        String name = tokens.expect(Kind.NAME).text();
        return new Expression.Filtered(target, name, tokens.atOperator("(") ? arguments() : noArguments());
    }

    private Expression test(Expression target) {
        boolean negated = tokens.skipName("not");
        String name = tokens.expect(Kind.NAME).text();
        Expression test = new Expression.Tested(target, name, testArguments());
        return negated ? new Expression.Unary("not", test) : test;
    }

    private CallArguments testArguments() {
        if (tokens.atOperator("(")) {
            return arguments();
        }
        boolean argument = switch (tokens.peek().kind()) {
            case NAME -> !NO_ARGUMENT.contains(tokens.peek().text());
            case STRING, INTEGER, FLOAT -> true;
            case OPERATOR -> tokens.atOperator("[") || tokens.atOperator("{");
            default -> false;
        };
        return argument ? new CallArguments(List.of(members(primary())), Map.of()) : noArguments();
    }

    private static CallArguments noArguments() {
        return new CallArguments(List.of(), Map.of());
    }
}
