package org.pikv4j.loader.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.pikv4j.loader.jinja.Token.Kind;

/**
 * Parses a template into statements. Not supported: inheritance, inclusion, imports, recursive loops.
 */
final class TemplateParser {
    private final TokenStream tokens;
    private final ExpressionParser expressions;

    private TemplateParser(TokenStream tokens) {
        this.tokens = tokens;
        this.expressions = new ExpressionParser(tokens);
    }

    /**
     * @param template a template
     * @return its statements
     * @throws TemplateException if it is malformed
     */
    static List<Statement> parse(String template) {
        TemplateParser parser = new TemplateParser(new TokenStream(Lexer.tokens(template)));
        List<Statement> statements = parser.statements(Set.of());
        if (!parser.tokens.at(Kind.END)) {
            throw parser.tokens.unexpected("expected the end of the template");
        }
        return statements;
    }

    /** Statements up to a block of one of these names, which is left in place with its opening taken. */
    private List<Statement> statements(Set<String> endings) {
        List<Statement> statements = new ArrayList<>();
        while (true) {
            Token token = tokens.peek();
            switch (token.kind()) {
                case DATA -> statements.add(new Statement.Data(tokens.take().text(), token.line()));
                case OUTPUT_BEGIN -> {
                    tokens.take();
                    statements.add(new Statement.Output(expressions.tuple(), token.line()));
                    tokens.expect(Kind.OUTPUT_END);
                }
                case BLOCK_BEGIN -> {
                    tokens.take();
                    if (tokens.at(Kind.NAME) && endings.contains(tokens.peek().text())) {
                        return statements;
                    }
                    statements.add(block(token.line()));
                }
                default -> {
                    if (!endings.isEmpty()) {
                        throw tokens.unexpected("expected " + String.join(" or ", new TreeSet<>(endings)));
                    }
                    return statements;
                }
            }
        }
    }

    private Statement block(int line) {
        String name = tokens.expect(Kind.NAME).text();
        return switch (name) {
            case "if" -> conditional(line);
            case "for" -> loop(line);
            case "set" -> assignment(line);
            case "macro" -> macro(line);
            case "call" -> callBlock(line);
            case "filter" -> {
                Expression filtered = moreFilters(expressions.namedFilter(body()));
                yield new Statement.FilterBlock(bodyUntil("endfilter"), filtered, line);
            }
            case "with" -> with(line);
            case "generation" -> new Statement.With(List.of(), bodyUntil("endgeneration"), line);
            case "break" -> ended(new Statement.Break(line));
            case "continue" -> ended(new Statement.Continue(line));
            default -> throw new TemplateException("tag " + name + " is not supported").at(line);
        };
    }

    private Statement ended(Statement statement) {
        tokens.expect(Kind.BLOCK_END);
        return statement;
    }

    /** The end of the opening tag, the statements, and the closing tag. */
    private List<Statement> bodyUntil(String ending) {
        tokens.expect(Kind.BLOCK_END);
        List<Statement> body = statements(Set.of(ending));
        tokens.expectName(ending);
        // Jinja allows to repeat the name: {% endmacro name %}.
        if (ending.equals("endmacro") && tokens.at(Kind.NAME)) {
            tokens.take();
        }
        tokens.expect(Kind.BLOCK_END);
        return body;
    }

    private Statement conditional(int line) {
        List<Statement.Branch> branches = new ArrayList<>();
        List<Statement> otherwise = List.of();
        do {
            Expression condition = expressions.tuple();
            tokens.expect(Kind.BLOCK_END);
            branches.add(new Statement.Branch(condition, statements(Set.of("elif", "else", "endif"))));
        } while (tokens.skipName("elif"));
        if (tokens.skipName("else")) {
            tokens.expect(Kind.BLOCK_END);
            otherwise = statements(Set.of("endif"));
        }
        tokens.expectName("endif");
        tokens.expect(Kind.BLOCK_END);
        return new Statement.If(branches, otherwise, line);
    }

    private Statement loop(int line) {
        List<String> targets = targets();
        tokens.expectName("in");
        Expression iterable = expressions.withoutCondition();
        Optional<Expression> condition =
                tokens.skipName("if") ? Optional.of(expressions.expression()) : Optional.empty();
        tokens.expect(Kind.BLOCK_END);
        List<Statement> body = statements(Set.of("else", "endfor"));
        List<Statement> otherwise = List.of();
        if (tokens.skipName("else")) {
            tokens.expect(Kind.BLOCK_END);
            otherwise = statements(Set.of("endfor"));
        }
        tokens.expectName("endfor");
        tokens.expect(Kind.BLOCK_END);
        return new Statement.For(targets, iterable, condition, body, otherwise, line);
    }

    /** One name, or several with commas between them, with or without parentheses. */
    private List<String> targets() {
        boolean parenthesized = tokens.skipOperator("(");
        List<String> names = new ArrayList<>();
        do {
            names.add(tokens.expect(Kind.NAME).text());
        } while (tokens.skipOperator(","));
        if (parenthesized) {
            tokens.expectOperator(")");
        }
        return names;
    }

    private Statement assignment(int line) {
        if (tokens.peekSecond().is(Kind.OPERATOR, ".")) {
            String namespace = tokens.expect(Kind.NAME).text();
            tokens.take();
            String member = tokens.expect(Kind.NAME).text();
            tokens.expectOperator("=");
            return ended(new Statement.SetMember(namespace, member, expressions.tuple(), line));
        }
        List<String> names = targets();
        if (tokens.skipOperator("=")) {
            return ended(new Statement.Set(names, expressions.tuple(), line));
        }
        if (names.size() > 1) {
            throw tokens.unexpected("expected =");
        }
        Expression filtered = moreFilters(body());
        return new Statement.SetBlock(names.getFirst(), bodyUntil("endset"), filtered, line);
    }

    private static Expression body() {
        return new Expression.Name(Statement.SetBlock.BODY);
    }

    private Expression moreFilters(Expression first) {
        Expression filtered = first;
        while (tokens.atOperator("|")) {
            filtered = expressions.filter(filtered);
        }
        return filtered;
    }

    private Statement macro(int line) {
        String name = tokens.expect(Kind.NAME).text();
        return new Statement.Macro(name, parameters(), bodyUntil("endmacro"), line);
    }

    private Statement callBlock(int line) {
        List<Statement.Parameter> parameters = tokens.atOperator("(") ? parameters() : List.of();
        if (!(expressions.expression() instanceof Expression.Call call)) {
            throw tokens.unexpected("expected a call");
        }
        Statement.Macro caller =
                new Statement.Macro(Statement.CallBlock.CALLER, parameters, bodyUntil("endcall"), line);
        return new Statement.CallBlock(caller, call, line);
    }

    private List<Statement.Parameter> parameters() {
        tokens.expectOperator("(");
        List<Statement.Parameter> parameters = new ArrayList<>();
        while (!tokens.skipOperator(")")) {
            String parameter = tokens.expect(Kind.NAME).text();
            parameters.add(new Statement.Parameter(
                    parameter, tokens.skipOperator("=") ? Optional.of(expressions.expression()) : Optional.empty()));
            if (!tokens.atOperator(")")) {
                tokens.expectOperator(",");
            }
        }
        return parameters;
    }

    private Statement with(int line) {
        List<Statement.Set> assignments = new ArrayList<>();
        while (!tokens.at(Kind.BLOCK_END)) {
            String name = tokens.expect(Kind.NAME).text();
            tokens.expectOperator("=");
            assignments.add(new Statement.Set(List.of(name), expressions.expression(), line));
            if (!tokens.at(Kind.BLOCK_END)) {
                tokens.expectOperator(",");
            }
        }
        return new Statement.With(assignments, bodyUntil("endwith"), line);
    }
}
