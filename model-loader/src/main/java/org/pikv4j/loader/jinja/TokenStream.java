package org.pikv4j.loader.jinja;

import java.util.List;
import org.pikv4j.loader.jinja.Token.Kind;

/** The tokens of a template, read one after the other. */
final class TokenStream {
    private final List<Token> tokens;
    private int next;

    TokenStream(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token peek() {
        return tokens.get(next);
    }

    /** The token after the next one; the end if there is none. */
    Token peekSecond() {
        return tokens.get(Math.min(next + 1, tokens.size() - 1));
    }

    Token take() {
        Token token = tokens.get(next);
        if (token.kind() != Kind.END) {
            next++;
        }
        return token;
    }

    boolean at(Kind kind) {
        return peek().kind() == kind;
    }

    boolean atOperator(String operator) {
        return peek().is(Kind.OPERATOR, operator);
    }

    boolean atName(String name) {
        return peek().is(Kind.NAME, name);
    }

    boolean skipOperator(String operator) {
        return skipIf(atOperator(operator));
    }

    boolean skipName(String name) {
        return skipIf(atName(name));
    }

    private boolean skipIf(boolean there) {
        if (there) {
            take();
        }
        return there;
    }

    void expectOperator(String operator) {
        if (!skipOperator(operator)) {
            throw unexpected("expected " + operator);
        }
    }

    void expectName(String name) {
        if (!skipName(name)) {
            throw unexpected("expected " + name);
        }
    }

    Token expect(Kind kind) {
        if (!at(kind)) {
            throw unexpected("expected " + describe(kind));
        }
        return take();
    }

    /**
     * @param expected what should be here
     * @return the error to throw, with what is here instead
     */
    TemplateException unexpected(String expected) {
        Token token = peek();
        String found = token.text().isEmpty() || token.kind() == Kind.DATA ? describe(token.kind()) : token.text();
        return new TemplateException(expected + ", found " + found).at(token.line());
    }

    private static String describe(Kind kind) {
        return switch (kind) {
            case DATA -> "text";
            case OUTPUT_BEGIN -> "{{";
            case OUTPUT_END -> "}}";
            case BLOCK_BEGIN -> "{%";
            case BLOCK_END -> "%}";
            case NAME -> "a name";
            case STRING -> "a string";
            case INTEGER, FLOAT -> "a number";
            case OPERATOR -> "an operator";
            case END -> "the end of the template";
        };
    }
}
